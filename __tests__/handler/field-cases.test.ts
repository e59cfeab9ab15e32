import { PermanentError } from "../../handler/errors";
import { catalogue, findNotification } from "../../handler/notifications";
import { businessEvent } from "../support/send-notification";
import { type TemplateData } from "../../handler/contract/template-data";
import { mailData } from "../../handler/notifications/mail-data";
import { readsOf } from "../support/template-reads";

/**
 * Problems that people reported of similar systems, and what happens to such an event here. The sources are:
 * dnnsoftware/Dnn.Platform 4472, europace/baufismart-kundenangaben-api 105, LanternOps/breeze 945,
 * cds-snc/notification-api 1236 (keys); aws-samples/baseline-environment-on-aws 1139 (alerts); bcgov/entity 27087,
 * AcalephStorage/consul-alerts 18, openstax/accounts 253, brave/accounts 35 (lists); 18F/identity-idp 7380,
 * egulias/EmailValidator 414, mikel/mail 1173 (addresses); Mailtrain-org/mailtrain 631, element-hq/element-web 11142
 * (the same person twice); mikel/mail 1288, vertesia/llumiverse 462, sendgrid/sendgrid-nodejs 741 (subjects);
 * novuhq/novu 9284, mohamedboukari/bunmail 188 (types).
 */

interface Mailed {
  readonly to: readonly string[];
  readonly refused: readonly string[];
  readonly data: TemplateData;
  readonly replyTo: readonly string[];
  readonly key: string;
}

/** The mail that is made of the event, or the type and the reason of the refusal. */
function outcomeOf(detail: object, detailType = "Email Notification Request", source?: string): Mailed | string {
  // The event goes through JSON, as a real one does.
  const event = businessEvent(detail, { "detail-type": detailType, ...(source === undefined ? {} : { source }) });
  const parsed = JSON.parse(JSON.stringify(event)) as typeof event & { detail: Record<string, unknown> };
  const notification = findNotification(parsed);
  if (notification === undefined) return "UnknownNotification";
  try {
    const { contentIn, recipients, refusedRecipients, replyTo, idempotencyKey } = notification.prepare(parsed);
    const data = mailData(notification, contentIn(), readsOf(notification.id));
    const refused = refusedRecipients.map(({ position, problem }) => `${position} ${problem}`);
    return { to: recipients, refused, data, replyTo, key: idempotencyKey };
  } catch (error) {
    if (error instanceof PermanentError) return `${error.name}: ${error.message}`;
    throw error;
  }
}

const jane = { recipient: "jane@example.com", subject: "S" };
const request = (changes: object = {}, emailConfig: object = {}) =>
  outcomeOf({ emailConfig: { ...jane, ...emailConfig }, title: "T", message: "M", ...changes });
const alert = (changes: object) =>
  outcomeOf({ emailConfig: jane, title: "T", message: "M", ...changes }, "Priority Alert");

it.each<[string, Mailed | string, RegExp]>([
  [
    "keys-1: copies",
    request({}, { cc: ["boss@example.com"], bcc: "audit@example.com" }),
    /^InvalidEvent: .*detail\.emailConfig\.cc: is not known: each recipient gets a mail of its own.*detail\.emailConfig\.bcc: is not known: each/,
  ],
  [
    "keys-2: body",
    request({ message: undefined, body: "Friday" }),
    /detail\.body: is not known: did you mean detail\.message\?$/,
  ],
  [
    "keys-3: Message",
    request({ message: undefined, Message: "Friday" }),
    /detail\.Message: is not known: did you mean detail\.message\?$/,
  ],
  [
    "keys-4: Subject",
    request({}, { Subject: "S" }),
    /detail\.emailConfig\.Subject: is not known: did you mean detail\.emailConfig\.subject\?$/,
  ],
  [
    "keys-5: attachments",
    request({ attachments: [{ name: "a.pdf" }] }),
    /detail\.attachments: is not known: a mail has no attachments, so put a link into/,
  ],
  [
    "keys-6: recipients",
    request({}, { recipients: ["bob@example.com"] }),
    /detail\.emailConfig\.recipients: is not known: did you mean detail\.emailConfig\.recipient\?$/,
  ],
  [
    "to",
    request({}, { to: "bob@example.com" }),
    /emailConfig\.to: is not known: did you mean detail\.emailConfig\.recipient\?$/,
  ],
  [
    "recipient at the top",
    request({ recipient: "bob@example.com" }),
    /detail\.recipient: is not known: did you mean detail\.emailConfig\.recipient\?$/,
  ],
  [
    "subject at the top",
    request({ subject: "S" }),
    /detail\.subject: is not known: did you mean detail\.emailConfig\.subject\?$/,
  ],
  [
    "IdempotencyKey",
    request({ IdempotencyKey: "o-1" }),
    /detail\.IdempotencyKey: is not known: did you mean detail\.idempotencyKey\?$/,
  ],
  [
    "a key in emailConfig",
    request({}, { idempotencyKey: "o-1" }),
    /emailConfig\.idempotencyKey: is not known: did you mean detail\.idempotencyKey\?$/,
  ],
  ["constructor", request(JSON.parse('{"constructor":1}') as object), /detail\.constructor: is not known$/],
  [
    "from",
    request({}, { from: "me@example.com" }),
    /emailConfig\.from: is not known: the notification decides who sends/,
  ],
  ["priority of a request", request({ priority: "high" }), /detail\.priority: is not known$/],
  [
    "reply-to",
    request({}, { "reply-to": "help@example.com" }),
    /emailConfig\.reply-to: is not known: did you mean detail\.emailConfig\.replyTo\?$/,
  ],
  [
    "alert-2: Critical",
    alert({ priority: "Critical" }),
    /^NoRuleMatches: .*"high" or "critical" \("low" is left out on purpose\): did you mean "critical"\?$/,
  ],
  ["HIGH", alert({ priority: "HIGH" }), /^NoRuleMatches: .*did you mean "high"\?$/],
  [
    "alert-3: urgent",
    alert({ priority: "urgent" }),
    /^NoRuleMatches: .*detail\.priority has to be "high" or "critical" \("low" is left out on purpose\)$/,
  ],
  ["alert-4: a number", alert({ priority: 1 }), /^NoRuleMatches: .*detail\.priority has to be/],
  ["alert-5: no priority", alert({}), /^NoRuleMatches: .*, and is missing$/],
  [
    "alert-7: severity",
    alert({ severity: "high" }),
    /^NoRuleMatches: .*, and is missing: detail\.severity is not known: did you mean detail\.priority\?$/,
  ],
  [
    "alert-8: a detail-type in lower case",
    outcomeOf({ priority: "high", emailConfig: jane }, "priority alert"),
    /^UnknownNotification/,
  ],
  ["alert-10: a list", alert({ priority: ["high"] }), /^InvalidEvent: .*detail\.priority: Invalid option/],
  ["alert-11: low", alert({ priority: "low" }), /^NoRuleMatches: .*what it says is left out on purpose$/],
  [
    "list-7: 51 recipients",
    request({}, { recipient: Array.from({ length: 51 }, (_, index) => `u${index}@example.com`) }),
    /It names 51 recipients, and an event takes 50\.$/,
  ],
  ["an empty list", request({}, { recipient: [] }), /Its list of recipients is empty\.$/],
  ["no recipient", request({}, { recipient: undefined }), /detail\.emailConfig\.recipient: names nobody to mail$/],
  ["null for the recipient", request({}, { recipient: null }), /detail\.emailConfig\.recipient: names nobody to mail$/],
  [
    "addr-2: a local part that is not ASCII",
    request({}, { recipient: "dån@example.com" }),
    /not ASCII, and SES takes none\.$/,
  ],
  [
    "addr-3: a zero-width space",
    request({}, { recipient: "\u200bjane@example.com" }),
    /Its recipient has a character that can't be seen\.$/,
  ],
  ["addr-4: a no-break space", request({}, { recipient: "jane\u00a0@example.com" }), /not ASCII/],
  [
    "addr-5: a blank at the end",
    request({}, { recipient: "jane@example.com " }),
    /Its recipient has a blank at its end\.$/,
  ],
  [
    "addr-6: a display name",
    request({}, { recipient: '"Roe, Jane" <jane@example.com>' }),
    /has a display name: give the bare address\.$/,
  ],
  [
    "addr-7: a dot too much",
    request({}, { recipient: "jane.@example.com" }),
    /has a dot too much in front of its at sign\.$/,
  ],
  [
    "addr-8: an at sign in quotation marks",
    request({}, { recipient: '"jane@home"@example.com' }),
    /^InvalidEvent: .*has a quoted part that no mail service takes\.$/,
  ],
  [
    "addr-10: a group",
    request({}, { recipient: "Ops: a@example.com, b@example.com;" }),
    /names more than one address: give a list\.$/,
  ],
  [
    "subj-3: an invisible subject",
    request({}, { subject: "\u200b\u200d\ufeff" }),
    /detail\.emailConfig\.subject: has no visible character$/,
  ],
  ["an empty subject", request({}, { subject: "" }), /detail\.emailConfig\.subject: has no visible character$/],
  [
    "type-5: JSON in a text",
    request({ emailConfig: '{"recipient": "jane@example.com"}' }),
    /detail\.emailConfig: Invalid input: expected object, received string$/,
  ],
])("refuses %s", (_, outcome, reason) => {
  expect(outcome).toMatch(reason);
  // The reason must hold no personal data, because it goes into logs and to everybody who reads parked events.
  expect(outcome).not.toMatch(/@|jane|boss|bob|Friday|dån/);
});

it.each<[string, Mailed | string, Partial<Mailed>]>([
  ["a reply address", request({}, { replyTo: "Help@Example.com" }), { replyTo: ["Help@example.com"] }],
  [
    "two of them",
    request({}, { replyTo: ["a@example.com", "b@example.com"] }),
    { replyTo: ["a@example.com", "b@example.com"] },
  ],
  ["null for one", request({}, { replyTo: null }), { replyTo: [] }],
  [
    "list-2: an empty entry",
    request({}, { recipient: ["good@example.com", ""] }),
    { to: ["good@example.com"], refused: ["2 is empty"] },
  ],
  [
    "list-4: a display name in a list",
    request({}, { recipient: ["ok@example.com", "Jane <jane@example.com>"] }),
    { to: ["ok@example.com"], refused: ["2 has a display name: give the bare address"] },
  ],
  [
    "list-5: a blank at an entry's end",
    request({}, { recipient: ["ok@example.com", "jane@example.com "] }),
    { to: ["ok@example.com"], refused: ["2 has a blank at its end"] },
  ],
  [
    "list-6: an at sign in quotation marks among others",
    request({}, { recipient: ["ok1@example.com", '"x@y"@example.com', "ok2@example.com"] }),
    { to: ["ok1@example.com", "ok2@example.com"], refused: ["2 has a quoted part that no mail service takes"] },
  ],
  [
    "null, a number, a list and an object in a list",
    request({}, { recipient: [null, 7, ["a@example.com"], { address: "a@example.com" }, "ok@example.com"] }),
    {
      to: ["ok@example.com"],
      refused: [
        "1 is missing",
        "2 is a number, and has to be a text",
        "3 is a list itself: name each address by itself",
        "4 is an object, and has to be a text",
      ],
    },
  ],
  [
    "addr-1: an internationalised domain",
    request({}, { recipient: "kim@münchen-büro.example" }),
    { to: ["kim@xn--mnchen-bro-9dbh.example"] },
  ],
  ["addr-9: a tag", request({}, { recipient: "jane+tag@example.com" }), { to: ["jane+tag@example.com"] }],
  [
    "twice-1: one mailbox in three cases",
    request({}, { recipient: ["Ops.Team@example.com", "ops.team@example.com", "OPS.TEAM@EXAMPLE.COM"] }),
    { to: ["Ops.Team@example.com"], refused: [] },
  ],
  [
    "twice-4: one domain in two spellings",
    request({}, { recipient: ["x@bücher.example", "x@xn--bcher-kva.example"] }),
    { to: ["x@xn--bcher-kva.example"] },
  ],
  [
    "type-1: null for the message",
    request({ message: null, title: null }),
    {
      data: expect.objectContaining({
        text: expect.objectContaining({
          message: "No message provided",
          title: "Email Notification Request",
        }) as object,
      }) as never,
    },
  ],
  [
    "type-2: a number for the title",
    request({ title: 20260101, message: true }),
    {
      data: expect.objectContaining({
        text: expect.objectContaining({ title: "20260101", message: "true" }) as object,
      }) as never,
    },
  ],
  ["type-3: a number for the key", request({ idempotencyKey: 4711 }), { key: "4711" }],
  [
    "subj-1: emoji",
    request({}, { subject: "🎉 Fertig – größer als je zuvor ✅" }),
    { data: expect.objectContaining({ subject: { subject: "🎉 Fertig – größer als je zuvor ✅" } }) as never },
  ],
  [
    "subj-2: a header in the subject",
    request({}, { subject: "Line1\r\nBcc: evil@example.net" }),
    { data: expect.objectContaining({ subject: { subject: "Line1 Bcc: evil@example.net" } }) as never },
  ],
  [
    "subj-5: half an emoji",
    request({ title: "T \ud83c", message: "M \ud83c" }, { subject: "Party \ud83c" }),
    {
      data: {
        subject: { subject: "Party \ufffd" },
        text: expect.objectContaining({ title: "T \ufffd" }) as never,
        html: expect.objectContaining({ message__lines: "M \ufffd" }) as never,
      },
    },
  ],
  [
    "subj-6: an override of the direction",
    request({}, { subject: "Invoice \u202efdp.exe\u202c" }),
    { data: expect.objectContaining({ subject: { subject: "Invoice fdp.exe" } }) as never },
  ],
  [
    "subj-7: markup",
    request({ title: "<b>T</b>" }, { subject: "S & <b>" }),
    {
      data: expect.objectContaining({
        subject: { subject: "S & <b>" },
        html: expect.objectContaining({ title: "&lt;b&gt;T&lt;/b&gt;" }) as object,
      }) as never,
    },
  ],
  ["an alert of a known priority", alert({ priority: "critical" }), { to: ["jane@example.com"] }],
])("mails %s", (_, outcome, expected) => {
  expect(outcome).toMatchObject(expected);
});

it("knows no notification whose sample it would not mail", () => {
  for (const { trigger, sample } of catalogue)
    expect(outcomeOf(sample as object, trigger.detailType, trigger.source)).toMatchObject({ refused: [] });
});
