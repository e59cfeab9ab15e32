import {
  ConfigurationSetDoesNotExistException,
  DescribeConfigurationSetCommand,
  ListIdentitiesCommand,
} from "@aws-sdk/client-ses";
import {
  type Answer,
  type Call,
  isRecord,
  json,
  jsonError,
  jsonOf,
  type Next,
  parseObject,
  queryError,
  queryOf,
  succeeded,
  textOf,
  withBody,
} from "../../gateway/http";
import { type InvocationOrigin, type Journal, type Mail } from "../../gateway/journal";
import { type Moto } from "../../gateway/moto";
import { type Background } from "../../gateway/background";
import { subjectOf } from "../../gateway/faults";
import { feedbackTypes, type SesFeedback } from "./feedback";
import { headersOf } from "./mime";
import { addressProblem } from "./addresses";
import { parseTemplateData, render, RenderError } from "./render";
import { storedTemplate } from "./stored-template";
import { tagProblem } from "./tags";
import { answerTestRender } from "./test-render";
import { bareAddress, fromJson, fromQuery, sendPath, type SentMail } from "./sent-mail";

const simulator = "@simulator.amazonses.com";

/** "50 recipients per message": https://docs.aws.amazon.com/ses/latest/dg/quotas.html */
const mostRecipients = 50;

export interface SesOptions {
  readonly region: string;
  /** An account in the SES sandbox mails verified identities and the mailbox simulator only. */
  readonly rejectUnverifiedRecipients: boolean;
  readonly originOf: (accessKeyId: string) => InvocationOrigin | undefined;
  readonly feedback: SesFeedback;
  readonly background: Background;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Lets moto accept a mail, refuses what SES would and moto does not, and keeps what was accepted, rendered. */
export function observeSes(moto: Moto, journal: Journal, options: SesOptions) {
  return async (call: Call, next: Next): Promise<Answer> => {
    if (call.service !== "ses" || call.method !== "POST") return next(call);
    const rendered = await answerTestRender(moto, call);
    if (rendered !== undefined) return rendered;
    const isV2 = call.url.pathname === sendPath;
    const sent = await (isV2 ? fromJson(call) : fromQuery(call));
    if (sent === undefined) return next(call);
    const refusal = await refusalOf(moto, sent, options);
    if (refusal !== undefined) return isV2 ? refuseV2(refusal) : queryError(400, refusal.code, refusal.message);
    const answer =
      isV2 && "template" in sent.content ? await sendTemplateV2(moto, sent) : await next(withoutRawContent(call, sent));
    if (!succeeded(answer)) return isV2 ? answer : withAwsReason(answer, options.region);
    const mail = await toMail(moto, sent, messageIdOf(answer), options.originOf(call.accessKeyId) ?? {});
    const subject = subjectOf(call);
    const fates = await options.feedback.fatesOf(mail, subject);
    const { renderError } = mail;
    if (renderError === undefined) journal.addMail({ ...mail, feedback: feedbackTypes(fates) });
    else journal.addRenderingFailure({ ...mail, renderError, feedback: feedbackTypes(fates) });
    options.background.run(() => options.feedback.publish(mail, fates, subject.operation));
    return answer;
  };
}

async function refusalOf(moto: Moto, sent: SentMail, options: SesOptions): Promise<Refusal | undefined> {
  const addresses = [sent.from, ...sent.to, ...sent.cc, ...sent.bcc, ...sent.replyTo];
  const invalid = tagProblem(sent.tagList) ?? addresses.map(addressProblem).find((problem) => problem !== undefined);
  if (invalid !== undefined) return { code: "InvalidParameterValue", message: invalid };
  const recipients = [...sent.to, ...sent.cc, ...sent.bcc];
  if (recipients.length > mostRecipients) {
    // As people report it of SES v1, and of its SMTP: https://github.com/doubleunion/arooo/issues/243,
    // https://github.com/thewca/worldcubeassociation.org/issues/9467. moto: MessageRejected, in words of its own.
    return { code: "InvalidParameterValue", message: `Recipient count exceeds ${mostRecipients}.` };
  }
  if (sent.configurationSet !== "" && !(await hasConfigurationSet(moto, sent.configurationSet))) {
    return {
      code: "ConfigurationSetDoesNotExist",
      message: `Configuration set <${sent.configurationSet}> does not exist.`,
    };
  }
  if (!options.rejectUnverifiedRecipients) return undefined;
  const { Identities: identities = [] } = await moto.ses.send(new ListIdentitiesCommand({}));
  const unverified = recipients.map(bareAddress).filter((address) => {
    const domain = address.slice(address.lastIndexOf("@") + 1);
    return !address.endsWith(simulator) && !identities.includes(address) && !identities.includes(domain);
  });
  return unverified.length === 0 ? undefined : notVerified(unverified, options.region);
}

function notVerified(identities: readonly string[], region: string): Refusal {
  return {
    code: "MessageRejected",
    message: `Email address is not verified. The following identities failed the check in region ${region.toUpperCase()}: ${identities.join(", ")}`,
  };
}

async function hasConfigurationSet(moto: Moto, name: string): Promise<boolean> {
  try {
    await moto.ses.send(new DescribeConfigurationSetCommand({ ConfigurationSetName: name }));
    return true;
  } catch (error) {
    if (error instanceof ConfigurationSetDoesNotExistException) return false;
    throw error;
  }
}

/** The codes that SES v2 has for those of v1. */
function refuseV2({ code, message }: Refusal): Answer {
  switch (code) {
    case "ConfigurationSetDoesNotExist":
    case "TemplateDoesNotExist":
      return jsonError(404, "NotFoundException", message);
    case "InvalidParameterValue":
      return jsonError(400, "BadRequestException", message);
    default:
      return jsonError(400, code, message);
  }
}

/** moto's v2 SendEmail knows no template; its v1 does, with the same checks. */
async function sendTemplateV2(moto: Moto, sent: SentMail): Promise<Answer> {
  const { template, templateData } = sent.content as Extract<SentMail["content"], { template: string }>;
  const parameters = new URLSearchParams({
    Action: "SendTemplatedEmail",
    Version: "2010-12-01",
    Source: sent.from,
    Template: template,
    TemplateData: templateData,
  });
  const destinations = { ToAddresses: sent.to, CcAddresses: sent.cc, BccAddresses: sent.bcc };
  for (const [kind, addresses] of Object.entries(destinations)) {
    addresses.forEach((address, index) => {
      parameters.set(`Destination.${kind}.member.${index + 1}`, address);
    });
  }
  const answer = await moto.ask("ses", "POST", "/", parameters);
  if (succeeded(answer)) return json({ MessageId: messageIdOf(answer) });
  return refuseV2(reasonOf(answer));
}

/**
 * moto counts the recipients that a call names and those of a raw mail's headers together, and refuses what has 26 in
 * both. The mail is kept here: of its content moto gets the sender, which it checks.
 */
function withoutRawContent(call: Call, { from }: SentMail): Call {
  const Data = Buffer.from(`From: ${from}\r\n\r\n`).toString("base64");
  if (call.operation === "SendRawEmail") {
    const form = queryOf(call);
    form.set("RawMessage.Data", Data);
    return { ...call, body: Buffer.from(form.toString()) };
  }
  if (call.url.pathname !== sendPath) return call;
  const body = jsonOf(call);
  const isRaw = isRecord(body.Content) && isRecord(body.Content.Raw);
  return isRaw ? withBody(call, { ...body, Content: { Raw: { Data } } }) : call;
}

function reasonOf(answer: Answer): Refusal {
  const xml = answer.body.toString("utf8");
  return {
    code: /<Code>([^<]*)<\/Code>/.exec(xml)?.[1] ?? "",
    message: /<Message>([^<]*)<\/Message>/.exec(xml)?.[1] ?? "",
  };
}

/** The text by which a client tells an unverified sender from other rejections is AWS's own. */
function withAwsReason(answer: Answer, region: string): Answer {
  const { code, message } = reasonOf(answer);
  const sender = /^(?:Email address not verified|Did not have authority to send from email) (.+)$/.exec(message)?.[1];
  if (code !== "MessageRejected" || sender === undefined) return answer;
  const refusal = notVerified([bareAddress(sender.replaceAll("&lt;", "<").replaceAll("&gt;", ">"))], region);
  return queryError(400, refusal.code, refusal.message);
}

function messageIdOf(answer: Answer): string {
  const text = answer.body.toString("utf8");
  return /<MessageId>([^<]+)<\/MessageId>/.exec(text)?.[1] ?? textOf(parseObject(text)?.MessageId) ?? "";
}

async function toMail(moto: Moto, sent: SentMail, id: string, origin: InvocationOrigin): Promise<Mail> {
  const { content, replyTo: _replyTo, tagList: _tagList, ...rest } = sent;
  const base = { id, time: new Date().toISOString(), ...rest, template: "", templateData: {}, ...origin };
  if (!("template" in content)) return withHeaders({ ...base, ...content }, sent);
  const stored = { ...base, template: content.template };
  const parts = (await storedTemplate(moto, content.template)) ?? { subject: "", html: "", text: "" };
  try {
    const templateData = parseTemplateData(content.templateData);
    return withHeaders({ ...stored, templateData, ...render(parts, templateData) }, sent);
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const unsent = { ...stored, templateData: dataOrNone(content.templateData), ...parts };
    return { ...withHeaders(unsent, sent), renderError: error.message };
  }
}

function dataOrNone(text: string): Record<string, unknown> {
  try {
    return parseTemplateData(text);
  } catch {
    return {};
  }
}

function withHeaders(mail: Omit<Mail, "headers">, { replyTo }: SentMail): Mail {
  const reply = replyTo.length === 0 ? [] : [{ name: "Reply-To", value: replyTo.join(", ") }];
  return { ...mail, headers: [...headersOf(mail), ...reply] };
}
