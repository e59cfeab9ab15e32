import { type Call, isRecord, jsonOf, MalformedRequest, queryOf, recordsIn, textOf } from "../../gateway/http";
import { addressesIn } from "./addresses";
import { headerValue, parseMime } from "./mime";
import { type Tag } from "./tags";

/** What a client asks SES to send, whatever the API. */
export interface SentMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly configurationSet: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The tags as they came: names can be empty, or there twice. */
  readonly tagList: readonly Tag[];
  readonly replyTo: readonly string[];
  readonly content:
    | { readonly subject: string; readonly html: string; readonly text: string }
    | { readonly template: string; readonly templateData: string };
}

/** Whom a call mails. `undefined`: it sends nothing. */
export async function recipientsOf(call: Call): Promise<readonly string[] | undefined> {
  if (call.service !== "ses" || call.method !== "POST") return undefined;
  const sent = await (call.url.pathname === sendPath ? fromJson(call) : fromQuery(call));
  return sent && [...sent.to, ...sent.cc, ...sent.bcc].map(bareAddress);
}

/** SES v2's SendEmail. */
export const sendPath = "/v2/email/outbound-emails";

export const bareAddress = (address: string): string => (/<([^<>]+)>/.exec(address)?.[1] ?? address).trim();

/** SES v1, Query protocol. `undefined`: another action. */
export async function fromQuery(call: Call): Promise<SentMail | undefined> {
  // A map: each look into the parameters themselves goes through all of them.
  const query = new Map(queryOf(call));
  const get = (name: string) => query.get(name) ?? "";
  const list = (name: string) => {
    const values: string[] = [];
    for (let index = 1; query.has(`${name}.member.${index}`); index += 1) values.push(get(`${name}.member.${index}`));
    return values;
  };
  const tagList: Tag[] = [];
  for (let index = 1; query.has(`Tags.member.${index}.Name`) || query.has(`Tags.member.${index}.Value`); index += 1) {
    tagList.push({ name: get(`Tags.member.${index}.Name`), value: get(`Tags.member.${index}.Value`) });
  }
  const common = {
    from: get("Source"),
    to: list("Destination.ToAddresses"),
    cc: list("Destination.CcAddresses"),
    bcc: list("Destination.BccAddresses"),
    replyTo: list("ReplyToAddresses"),
    configurationSet: get("ConfigurationSetName"),
    tags: tagsOf(tagList),
    tagList,
  };
  switch (call.operation) {
    case "SendTemplatedEmail":
      return { ...common, content: { template: get("Template"), templateData: get("TemplateData") } };
    case "SendEmail":
      return {
        ...common,
        content: {
          subject: get("Message.Subject.Data"),
          html: get("Message.Body.Html.Data"),
          text: get("Message.Body.Text.Data"),
        },
      };
    case "SendRawEmail":
      return fromRaw(query.get("RawMessage.Data"), { ...common, to: list("Destinations") });
    default:
      return undefined;
  }
}

/** SES v2's SendEmail. */
export async function fromJson(call: Call): Promise<SentMail> {
  const body = jsonOf(call);
  const destination = isRecord(body.Destination) ? body.Destination : {};
  const content = isRecord(body.Content) ? body.Content : {};
  const tagList = recordsIn(body.EmailTags).map((tag) => ({
    name: textOf(tag.Name) ?? "",
    value: textOf(tag.Value) ?? "",
  }));
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  const common = {
    from: textOf(body.FromEmailAddress) ?? "",
    to: texts(destination.ToAddresses),
    cc: texts(destination.CcAddresses),
    bcc: texts(destination.BccAddresses),
    replyTo: texts(body.ReplyToAddresses),
    configurationSet: textOf(body.ConfigurationSetName) ?? "",
    tags: tagsOf(tagList),
    tagList,
  };
  if (isRecord(content.Template)) {
    const { TemplateName: template, TemplateData: data } = content.Template;
    return { ...common, content: { template: textOf(template) ?? "", templateData: textOf(data) ?? "{}" } };
  }
  if (content.Raw !== undefined) return fromRaw(isRecord(content.Raw) ? content.Raw.Data : undefined, common);
  const simple = isRecord(content.Simple) ? content.Simple : {};
  const body_ = isRecord(simple.Body) ? simple.Body : {};
  const data = (value: unknown) => (isRecord(value) ? textOf(value.Data) : undefined) ?? "";
  return {
    ...common,
    content: { subject: data(simple.Subject), html: data(body_.Html), text: data(body_.Text) },
  };
}

const tagsOf = (tags: readonly Tag[]): Record<string, string> =>
  Object.fromEntries(tags.map(({ name, value }) => [name, value]));

async function fromRaw(base64: unknown, common: Omit<SentMail, "content">): Promise<SentMail> {
  // Node.js reads what is not base64 as well as it can, and the mail would be an empty one.
  if (typeof base64 !== "string" || /[^A-Za-z0-9+/=\s]/.test(base64)) {
    throw new MalformedRequest("The raw mail can't be read: its data has to be a text in base64.");
  }
  const { headers, html, text } = await parseMime(Buffer.from(base64, "base64"));
  const addresses = (name: string) => addressesIn(headerValue(headers, name));
  const isAddressed = [common.to, common.cc, common.bcc].some(({ length }) => length > 0);
  return {
    ...common,
    from: common.from || headerValue(headers, "from"),
    // Where the call names recipients, the headers are for display only:
    // https://aws.amazon.com/blogs/messaging-and-targeting/how-to-send-messages-to-multiple-recipients-with-amazon-simple-email-service-ses/
    ...(isAddressed ? {} : { to: addresses("to"), cc: addresses("cc"), bcc: addresses("bcc") }),
    configurationSet: common.configurationSet || headerValue(headers, "x-ses-configuration-set"),
    content: { subject: headerValue(headers, "subject"), html, text },
  };
}
