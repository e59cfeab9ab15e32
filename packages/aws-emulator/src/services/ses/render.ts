import Handlebars from "handlebars";
import { isRecord } from "../../gateway/http";

export interface Template {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

export class RenderError extends Error {
  override readonly name: string = "RenderError";

  constructor(
    message: string,
    /** The variable that the data lacks. */
    readonly attribute?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The data is no JSON object. */
export class InvalidTemplateData extends RenderError {
  override readonly name = "InvalidTemplateData";
}

/**
 * Renders as SES documents it: nothing is escaped, and a variable that the data lacks (names are case-sensitive) fails
 * the mail. https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-advanced.html
 * @throws RenderError
 */
export function render(template: Template, data: Readonly<Record<string, unknown>>): Template {
  const part = (name: string, source: string) => {
    try {
      return compiled(source)(data);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      const missing = /^"(.+)" not defined in/.exec(message)?.[1];
      throw new RenderError(
        missing === undefined
          ? `the ${name} cannot be rendered: ${message}`
          : `the ${name} reads the variable "${missing}", which the template data does not have`,
        missing,
        { cause },
      );
    }
  };
  return {
    subject: part("subject", template.subject),
    html: part("HTML part", template.html),
    text: part("text part", template.text),
  };
}

/** A stored template is rendered for each mail: to compile it each time would be most of the work, and of the memory. */
const templates = new Map<string, HandlebarsTemplateDelegate>();
const mostTemplates = 200;

function compiled(source: string): HandlebarsTemplateDelegate {
  const known = templates.get(source);
  if (known !== undefined) return known;
  // What is not stored any more goes with it.
  if (templates.size >= mostTemplates) templates.clear();
  const template = Handlebars.create().compile(source, { noEscape: true, strict: true });
  templates.set(source, template);
  return template;
}

/** @throws RenderError */
export function parseTemplateData(text: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(text);
    if (isRecord(data)) return data;
  } catch (cause) {
    throw new InvalidTemplateData(`the template data is no JSON: ${String(cause)}`, undefined, { cause });
  }
  throw new InvalidTemplateData(`the template data is no JSON object: ${text}`);
}
