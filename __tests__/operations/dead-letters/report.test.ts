import { hashRecipient } from "../../../handler/contract/recipient-hash";
import { type DeadLettersAnswer, exitCodeOf, type Listed } from "../../../operations/dead-letters/command";
import { type Claim } from "../../../operations/dead-letters/claims";
import { decideRedrive } from "../../../operations/dead-letters/decision";
import { type Mails, type ParkedMail, readMails } from "../../../operations/dead-letters/mails";
import { type ParkedMessage } from "../../../operations/dead-letters/parked-message";
import { type Result } from "../../../operations/dead-letters/redrive";
import { describeAnswer, type ReportOptions, toJson } from "../../../operations/dead-letters/report";
import { printableJson } from "../../../operations/text";
import { failureRecord, startOfTime } from "../../support/send-notification";
import { jane, park, request, targetAttributes } from "../../support/parked";

const options: ReportOptions = {
  dryRun: false,
  showRecipients: false,
  now: startOfTime + 2 * 3_600_000 + 5 * 60_000,
  prefix: "shop-dev",
  region: "eu-west-1",
  isSandbox: false,
};

function answer(messages: readonly ParkedMessage[], overrides: Partial<DeadLettersAnswer> = {}): DeadLettersAnswer {
  return {
    queue: "shop-dev-dead-letters",
    messages,
    seen: messages.length,
    total: messages.length,
    isComplete: true,
    heldByOthers: 0,
    delayed: 0,
    lapsed: 0,
    stillHidden: 0,
    retryQueues: undefined,
    listed: messages.map((parked) => ({ parked, mails: mailsOf(parked), refusal: undefined })),
    results: undefined,
    ...overrides,
  };
}

const mail = (recipient: string, state: ParkedMail["state"], overrides: Partial<ParkedMail> = {}): ParkedMail => ({
  recipient,
  claim: `claim of ${recipient}`,
  state,
  isOther: false,
  failure: undefined,
  isForbidden: false,
  ...overrides,
});
function mailsOf({ eventId }: ParkedMessage, list: ParkedMail[] = [], overrides: Partial<Mails> = {}): Mails {
  return { eventId, list, refused: [], ...overrides };
}
/** The text of a table's cells, whose lines are wrapped. */
const flat = (report: string): string => report.replace(/[\s│]+/g, " ");
const listOf = (...listed: Listed[]) =>
  answer(
    listed.map(({ parked }) => parked),
    { listed },
  );

const missing = park({
  ...failureRecord(request(), { responsePayload: { errorType: "MessageRejected" } }),
  redrives: 1,
});
describe("the list", () => {
  it("shows reason, notification, age, attempts, redrives and event id", () => {
    const text = describeAnswer(answer([missing]), options);
    expect(text).toContain("1 message parked in shop-dev-dead-letters\n");
    const [row = ""] = text.split("\n").filter((line) => line.includes("MessageRejected"));
    expect(row.split("│").map((cell) => cell.trim())).toEqual([
      "",
      "MessageRejected",
      "email-request",
      "2 h 5 m",
      "3",
      "1 of 3",
      request().id,
      "",
    ]);
    expect(text).toContain("npm run dead-letters -- --redrive [--filter ..] --dry-run");
  });

  it("says the same as JSON", () => {
    expect(toJson(answer([missing]), options)).toMatchObject({
      queue: "shop-dev-dead-letters",
      messages: [
        {
          format: "failure-record",
          reason: { type: "MessageRejected" },
          notification: "email-request",
          lane: "standard",
          eventId: request().id,
          attempts: 3,
          redrives: 1,
          eventTime: "2026-11-24T09:00:00.000Z",
          deletedAt: "2026-12-08T09:01:00.000Z",
          ageSeconds: 7500,
        },
      ],
    });
  });

  it.each<[string, DeadLettersAnswer, Partial<ReportOptions>, string]>([
    ["an empty queue", answer([]), {}, "Nothing is parked in shop-dev-dead-letters."],
    ["a filter without a match", answer([], { seen: 2 }), {}, "None of the 2 messages in shop-dev-dead-letters fits"],
    ["the sandbox", answer([missing]), { isSandbox: true }, "npm run dead-letters -- --sandbox --redrive"],
    [
      "what it did not look at",
      answer([missing], { total: 400 }),
      {},
      "Not all was seen: 1 of about 400 messages. 399 more by the queue's own count",
    ],
    [
      "what others hold",
      answer([], { total: 2, heldByOthers: 2 }),
      {},
      "Not all was seen: 0 of about 2 messages. Somebody else is looking at 2 at this moment",
    ],
    ["what is delayed", answer([missing], { total: 4, delayed: 3 }), {}, "3 delayed: not to be seen yet."],
    ["what nobody could look at", answer([], { total: 2 }), {}, "Nothing in shop-dev-dead-letters could be looked at."],
    ["what came back too early", answer([missing], { lapsed: 1 }), {}, "The hold of 1 message was over before"],
    ["what could not be given back", answer([missing], { stillHidden: 1 }), {}, "1 message could not be given back"],
    ["the last days", answer([missing]), { now: startOfTime + 13 * 86_400_000 }, "SQS deletes it in 1 d."],
    ["what nothing tells", answer([park("?")]), {}, "UnknownFormat │ -            │ 2 h 4 m │ ?"],
    [
      "the retry queues",
      answer([], {
        retryQueues: [
          {
            lane: "standard",
            queue: "shop-dev-retries",
            visible: 4,
            inFlight: 9,
            secondsBetweenTries: 900,
            triesBeforeParked: 28,
          },
        ],
      }),
      {},
      "shop-dev-retries │ 4       │ 9             │ 15 m        │ 28 tries",
    ],
  ])("tells of %s", (_, given, changes, says) => {
    expect(describeAnswer(given, { ...options, ...changes })).toContain(says);
  });
});

describe("the list, by mail", () => {
  const [ann, bob, cat] = ["0123456789aa", "0123456789bb", "0123456789cc"] as const;
  const parked = park(
    failureRecord(request(), {
      responsePayload: { errorType: "MessageRejected", errorMessage: "3 of 4 mails failed." },
      failures: [
        { recipient: ann, type: "MessageRejected", message: "SES did not take it." },
        { recipient: bob, type: "OutcomeUnknown", message: "SES gave no answer." },
        { recipient: cat, type: "MessageRejected", message: "SES did not take it." },
        { position: 4, type: "InvalidEvent", message: "is empty" },
      ],
    }),
  );
  const mails = mailsOf(parked, [mail(ann, "free"), mail(bob, "unknown"), mail(cat, "sent")], {
    refused: [{ position: 4, problem: "is empty" }],
  });

  it("tells what became of each, and why", () => {
    const report = describeAnswer(listOf({ parked, mails, refusal: undefined }), options);
    expect(flat(report)).toContain(`1 of 3 mails is out; ${ann}: not out; ${bob}: unknown; entry 4 of its list`);
    // Who is out by now has not failed any more.
    expect(report).toContain(`${ann}: MessageRejected. SES did not take it.`);
    expect(report).toContain(`${bob}: OutcomeUnknown. SES gave no answer.`);
    expect(flat(report).match(/entry 4/g)).toHaveLength(1);
    expect(report).not.toContain(cat);
    expect(toJson(listOf({ parked, mails, refusal: { advice: "no" } }), options)).toMatchObject({
      messages: [
        {
          failures: [{ recipient: ann, type: "MessageRejected" }, {}, {}, { position: 4, type: "InvalidEvent" }],
          mails: [
            { recipient: ann, state: "free" },
            { recipient: bob, state: "unknown" },
            { recipient: cat, state: "sent" },
          ],
          refusedEntries: [{ position: 4, problem: "is empty" }],
          redrive: { refused: "no" },
        },
      ],
    });
  });

  it("says how to look for a mail that may be out: by its event's id and its recipient's hash", () => {
    const report = describeAnswer(listOf({ parked, mails, refusal: undefined }), options);
    expect(report).toContain(
      `--log-group-name /aws/events/shop-dev-feedback \\\n    --filter-pattern '"${request().id}"' --query "events[?contains(message, '${bob}')].message"`,
    );
    expect(report).toContain("1 mail: unknown, out or not.");
    expect(report).toContain("the tags eventId and recipient");
    expect(report).toContain("Nothing found proves nothing: SES's events are best effort");
    expect(report).not.toContain(`'${ann}'`);
  });

  it("looks for the event that the mail was tried for, where that is another one with the same key", () => {
    const other = mailsOf(parked, [mail(bob, "unknown", { eventId: "the-first", isOther: true })]);
    const report = describeAnswer(listOf({ parked, mails: other, refusal: undefined }), options);
    expect(report).toContain(`--filter-pattern '"the-first"'`);
    expect(flat(report)).toContain(`${bob}: unknown, tried for event the-first`);
  });

  it("puts no event's id into a command that could be one itself", () => {
    for (const id of ["'; rm -rf ~ #", '$(reboot)"', "a b", "a\nb"]) {
      const hostile = park(failureRecord({ ...request(), id }));
      const list = listOf({ parked: hostile, mails: mailsOf(hostile, [mail(bob, "unknown")]), refusal: undefined });
      expect(describeAnswer(list, options)).toContain(`--filter-pattern '"<event id>"'`);
    }
  });

  it("spells out some searches, and not hundreds", () => {
    const many = Array.from({ length: 50 }, (_, index) => mail(hashRecipient(`${index}@example.com`), "unknown"));
    const report = describeAnswer(listOf({ parked, mails: mailsOf(parked, many), refusal: undefined }), options);
    expect(report).toContain("50 mails: unknown");
    expect(report.match(/filter-log-events/g)).toHaveLength(3);
    expect(report).toContain("and so on");
    // The list tells each.
    for (const { recipient } of many) expect(report).toContain(recipient);
  });

  it("says why an event is not to be redriven, and does not offer it", () => {
    const advice = "Every mail of it is out, so nothing is left to send: --discard removes the record.";
    const report = describeAnswer(listOf({ parked, mails, refusal: { advice } }), options);
    expect(flat(report)).toContain(`Not to be redriven: ${advice}`);
    expect(report).not.toContain("Send them again");
  });

  const unfit = request({ cc: "x" });
  const unfitBecause =
    'The event does not fit "email-request". detail.cc: is not known: each recipient gets a mail of its own, so name everybody in detail.emailConfig.recipient';
  const failed = (event: object, errorType: string, errorMessage: string, overrides: object = {}) =>
    park(failureRecord(event, { responsePayload: { errorType, errorMessage }, ...overrides }));
  const corrected =
    "It would be parked again. Its producer has to put a corrected event; or change the notification so that it takes this one, deploy it, and redrive then.";

  it.each<[string, ParkedMessage, Claim["state"] | undefined, string]>([
    ["why it was refused", failed(unfit, "InvalidEvent", unfitBecause), "free", `Not to be redriven: ${corrected}`],
    [
      "why it would be refused now",
      failed(unfit, "Throttled", "Too fast."),
      "free",
      `Not to be redriven: ${unfitBecause}. ${corrected}`,
    ],
    [
      "what no rule takes",
      failed(
        request({ priority: "HIGH" }, { source: "custom.application", "detail-type": "Priority Alert" }),
        "NoRuleMatches",
        'The event is mailed to nobody. detail.priority has to be "high" or "critical" ("low" is left out on purpose): did you mean "high"?',
      ),
      "free",
      `Not to be redriven: ${corrected}`,
    ],
    [
      "which entries are bad",
      failed(
        request({ emailConfig: { recipient: [jane, "bad"], subject: "s" } }),
        "InvalidRecipient",
        "1 of 2 mails failed.",
        { failures: [{ position: 2, type: "InvalidRecipient", message: "has no at sign" }] },
      ),
      "sent",
      "Not to be redriven: Every mail of it is out",
    ],
    ["whom the stage does not mail", failed(request(), "RecipientRefused", "no"), "free", "Add the address of"],
    [
      "why the claims could not be read",
      failed(request(), "OutcomeUnknown", "SES gave no answer."),
      undefined,
      "Not to be redriven: A mail of it may be out",
    ],
  ])("tells once %s, and once what to do", async (_, one, state, says) => {
    const own = await readMails(one, {
      read: (ids) =>
        state === undefined
          ? Promise.reject(new Error("the table is down"))
          : Promise.resolve(new Map(ids.map((id): [string, Claim] => [id, { state }]))),
      recipientPolicy: {
        mode: "restricted",
        addresses: one.reason.type === "RecipientRefused" ? [] : [jane],
        domains: [],
      },
    });
    const decision = decideRedrive(one, own, { resendUnknown: false, giveUp: false, recipients: new Set() });
    if (decision.kind !== "refuse") throw new Error("It would be redriven");
    const report = flat(describeAnswer(listOf({ parked: one, mails: own, refusal: decision.refusal }), options));
    expect(report).toContain(says);
    const told = report
      .split(/[.?;] |: (?=[A-Z])/)
      .map((sentence) => sentence.replace(/^\w+: /, "").trim())
      .filter((sentence) => sentence.length > 8);
    expect(
      told.filter((sentence, index) => told.some((other, at) => at !== index && other.includes(sentence))),
    ).toEqual([]);
    expect(report).not.toMatch(/[^.?:]\s+Its producer/);
  });

  it("does not guess where the claims could not be read", () => {
    const unread = mailsOf(parked, [mail(ann, "unread"), mail(bob, "unread")], { unread: "AccessDenied: no" });
    const list = listOf({ parked, mails: unread, refusal: undefined });
    expect(describeAnswer(list, options)).toContain("How many of 2 mails went out is not known");
    expect(toJson(list, options)).toMatchObject({
      messages: [{ claimsNotRead: "AccessDenied: no", mails: [{ state: "unread" }, { state: "unread" }] }],
    });
    const interrupted = listOf({ parked, mails: undefined, refusal: undefined });
    expect(describeAnswer(interrupted, options)).toContain("Its claims were not read: interrupted.");
    expect(toJson(interrupted, options)).toMatchObject({ messages: [{ mails: null }] });
  });
});

describe("the results", () => {
  const note = "the note";
  const results: Result[] = [
    { parked: missing, disposition: "redriven", lane: "standard", redrives: 2 },
    { parked: missing, disposition: "refused", note },
  ];

  it("say what became of each, and what was not begun", () => {
    const text = describeAnswer(answer([missing, missing, missing], { results }), options);
    expect(text).toMatch(/redriven \(standard lane\) │ MessageRejected │ email-request │ 2 of 3 {3}│/);
    expect(text).toMatch(/refused .*│ 1 of 3 {3}│/);
    expect(text).toContain(note);
    expect(text).toContain("1 redriven, 1 refused.\n");
    expect(text).toContain("Interrupted: 1 message not begun; what was not done stays parked.");
    expect(toJson(answer([missing, missing, missing], { results }), options)).toMatchObject({
      notBegun: 1,
      summary: { redriven: 1, refused: 1 },
      results: [
        { disposition: "redriven", lane: "standard", redrives: 2 },
        { disposition: "refused", note },
      ],
    });
  });

  it("say that a dry run changed nothing", () => {
    const dry: Result[] = [{ parked: missing, disposition: "would-redrive", redrives: 2 }];
    const text = describeAnswer(answer([missing], { results: dry }), { ...options, dryRun: true });
    expect(text).toContain("1 would be redriven. Nothing was changed (--dry-run).");
  });

  it("say that nothing fits", () => {
    expect(describeAnswer(answer([], { results: [] }), options)).toContain("no parked message fits");
  });

  it.each<[readonly Result["disposition"][] | undefined, number]>([
    [undefined, 0],
    [[], 0],
    [["redriven", "would-redrive", "discarded", "would-discard"], 0],
    [["redriven", "refused"], 1],
    [["failed"], 1],
    [["not-removed"], 1],
  ])("make the exit code: of %j, %d", (dispositions, code) => {
    const given = dispositions?.map((disposition): Result => ({ parked: missing, disposition }));
    expect(exitCodeOf(answer([], { results: given }))).toBe(code);
  });

  it("are a problem where not all was seen", () => {
    const results: Result[] = [{ parked: missing, disposition: "redriven" }];
    const sight = { isComplete: false, total: 7 };
    expect(exitCodeOf(answer([], sight))).toBe(1);
    expect(exitCodeOf(answer([missing], { ...sight, results }))).toBe(1);
    expect(exitCodeOf(answer([missing], { ...sight, results: [{ parked: missing, disposition: "refused" }] }))).toBe(1);
    expect(toJson(answer([missing], { ...sight, delayed: 2, lapsed: 1 }), options)).toMatchObject({
      seen: 1,
      total: 7,
      isComplete: false,
      delayed: 2,
      lapsed: 1,
    });
  });
});

describe("addresses and control sequences", () => {
  const hostile = `\u001b[2J\u009b31m\u202e <${jane}> "jane doe"@example.com`;
  const messages = [
    park(request()),
    park(
      failureRecord({ ...request(), id: hostile }, { responsePayload: { errorType: hostile, errorMessage: hostile } }),
    ),
    park(request(), { attributes: targetAttributes(hostile, { ERROR_CODE: hostile, ERROR_MESSAGE: hostile }) }),
    park(JSON.stringify({ [hostile]: hostile })),
    park(hostile),
    park(
      failureRecord(request(), {
        failures: [
          { recipient: hostile, type: hostile, message: hostile },
          { position: 1, type: hostile, message: hostile },
        ],
      }),
    ),
  ];
  const hostileMails = (parked: ParkedMessage) =>
    mailsOf(
      parked,
      [
        mail("0123456789ab", "unknown", {
          eventId: hostile,
          messageId: hostile,
          isOther: true,
          failure: { type: hostile, message: hostile },
        }),
      ],
      { unread: hostile },
    );
  const results = messages.map((parked): Result => ({ parked, disposition: "failed", note: hostile }));

  it.each([
    [
      "the list",
      listOf(
        ...messages.map((parked): Listed => ({
          parked,
          mails: hostileMails(parked),
          refusal: { cause: hostile, advice: hostile },
        })),
      ),
    ],
    [
      "the results",
      answer(messages, { results: results.map((result) => ({ ...result, mails: hostileMails(result.parked) })) }),
    ],
  ])("do not show in %s, unless addresses are wanted", (_, given) => {
    for (const showRecipients of [false, true]) {
      const shown = { ...options, showRecipients };
      for (const text of [describeAnswer(given, shown), printableJson(toJson(given, shown))]) {
        expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
        if (showRecipients) expect(text).toContain(jane);
        else expect(text).not.toMatch(/jane|@/);
      }
    }
  });
});
