import { type DeadLettersAnswer, exitCodeOf } from "../../../operations/dead-letters/command";
import { type ParkedMessage } from "../../../operations/dead-letters/parked-message";
import { type Result } from "../../../operations/dead-letters/redrive";
import { describeAnswer, type ReportOptions, toJson } from "../../../operations/dead-letters/report";
import { printableJson } from "../../../operations/text";
import { failureRecord, startOfTime } from "../../support/notify";
import { jane, park, request, targetAttributes } from "../../support/parked";

const options: ReportOptions = {
  dryRun: false,
  resendUnknown: false,
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
    isComplete: true,
    heldByOthers: 0,
    stillHidden: 0,
    retryQueues: undefined,
    results: undefined,
    ...overrides,
  };
}

const missing = park({
  ...failureRecord(request(), { responsePayload: { errorType: "MessageRejected" } }),
  redrives: 1,
});
const unknownOutcome = park(failureRecord(request(), { responsePayload: { errorType: "OutcomeUnknown" } }));

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
    ["what it did not look at", answer([missing], { isComplete: false }), {}, "There are more: 1 message looked at."],
    ["what others hold", answer([], { heldByOthers: 2 }), {}, "2 messages more: somebody else is looking"],
    ["what could not be given back", answer([missing], { stillHidden: 1 }), {}, "1 message could not be given back"],
    ["the last days", answer([missing]), { now: startOfTime + 13 * 86_400_000 }, "SQS deletes it in 1 d."],
    ["what nothing tells", answer([park("?")]), {}, "UnknownFormat │ -            │ 2 h 4 m │ ?"],
    [
      "how to look for a mail that may be out",
      answer([unknownOutcome]),
      {},
      `--log-group-name /aws/events/shop-dev-feedback \\\n    --filter-pattern '"<event id>"'`,
    ],
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

describe("the results", () => {
  const note = "the note";
  const results: Result[] = [
    { parked: missing, outcome: "redriven", lane: "standard", redrives: 2 },
    { parked: missing, outcome: "refused", note },
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
        { outcome: "redriven", lane: "standard", redrives: 2 },
        { outcome: "refused", note },
      ],
    });
  });

  it("say that a dry run changed nothing, and that a resend may be a second mail", () => {
    const dry: Result[] = [{ parked: missing, outcome: "would-redrive", redrives: 2 }];
    const text = describeAnswer(answer([missing], { results: dry }), { ...options, dryRun: true, resendUnknown: true });
    expect(text).toContain("1 would be redriven. Nothing was changed (--dry-run).");
    expect(text).toContain("its recipient gets it twice");
  });

  it("say that nothing fits", () => {
    expect(describeAnswer(answer([], { results: [] }), options)).toContain("no parked message fits");
  });

  it.each<[readonly Result["outcome"][] | undefined, number]>([
    [undefined, 0],
    [[], 0],
    [["redriven", "would-redrive", "discarded", "would-discard"], 0],
    [["redriven", "refused"], 1],
    [["failed"], 1],
    [["not-removed"], 1],
  ])("make the exit code: of %j, %d", (outcomes, code) => {
    const given = outcomes?.map((outcome): Result => ({ parked: missing, outcome }));
    expect(exitCodeOf(answer([], { results: given }))).toBe(code);
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
  ];
  const results = messages.map((parked): Result => ({ parked, outcome: "failed", note: hostile }));

  it.each([
    ["the list", answer(messages)],
    ["the results", answer(messages, { results })],
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
