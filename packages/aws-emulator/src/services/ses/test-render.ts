import {
  type Answer,
  type Call,
  escapeXml,
  json,
  jsonError,
  jsonOf,
  queryAnswer,
  queryError,
  queryOf,
  textOf,
} from "../../gateway/http";
import { type Moto } from "../../gateway/moto";
import { compose } from "./mime";
import { InvalidTemplateData, parseTemplateData, render, RenderError, type Template } from "./render";
import { storedTemplate } from "./stored-template";

/** SES v2's TestRenderEmailTemplate. */
const renderPath = /^\/v2\/email\/templates\/([^/]+)\/render$/;

interface Protocol {
  readonly template: string;
  readonly data: string;
  readonly answer: (rendered: string) => Answer;
  readonly refuse: (
    code: "TemplateDoesNotExist" | "MissingRenderingAttribute" | "InvalidRenderingParameter",
    message: string,
  ) => Answer;
}

/**
 * Renders as a mail is rendered that is sent here: moto's own knows no dotted names and fails at numbers.
 * `undefined`: another call.
 */
export async function answerTestRender(moto: Moto, call: Call): Promise<Answer | undefined> {
  const protocol = protocolOf(call);
  if (protocol === undefined) return undefined;
  const template = await storedTemplate(moto, protocol.template);
  if (template === undefined) {
    return protocol.refuse("TemplateDoesNotExist", `Template ${protocol.template} does not exist.`);
  }
  try {
    return protocol.answer(await toMessage(render(template, parseTemplateData(protocol.data))));
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    if (error instanceof InvalidTemplateData) {
      return protocol.refuse("InvalidRenderingParameter", "Template rendering data is invalid");
    }
    const { attribute } = error;
    const message =
      attribute === undefined ? error.message : `Attribute '${attribute}' is not present in the rendering data.`;
    return protocol.refuse("MissingRenderingAttribute", message);
  }
}

function protocolOf(call: Call): Protocol | undefined {
  const path = renderPath.exec(call.url.pathname);
  if (path !== null) {
    return {
      template: decodeURIComponent(path[1] ?? ""),
      data: textOf(jsonOf(call).TemplateData) ?? "",
      answer: (RenderedTemplate) => json({ RenderedTemplate }),
      refuse: (code, message) =>
        code === "TemplateDoesNotExist"
          ? jsonError(404, "NotFoundException", message)
          : jsonError(400, "BadRequestException", message),
    };
  }
  if (call.operation !== "TestRenderTemplate") return undefined;
  const query = queryOf(call);
  return {
    template: query.get("TemplateName") ?? "",
    data: query.get("TemplateData") ?? "",
    answer: (rendered) =>
      queryAnswer("TestRenderTemplate", `<RenderedTemplate>${escapeXml(rendered)}</RenderedTemplate>`),
    refuse: (code, message) => queryError(400, code, message),
  };
}

async function toMessage({ subject, html, text }: Template): Promise<string> {
  const headers = [
    { name: "Date", value: new Date().toUTCString() },
    { name: "Subject", value: subject },
  ];
  return (await compose("rendered", headers, { text, html })).toString("utf8");
}
