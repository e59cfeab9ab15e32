import {
  type CheckResult,
  exitCodeOf,
  fail,
  ok,
  onlyFinding,
  runChecks,
  type Status,
  unknown,
  type Verdict,
  warn,
  worst,
} from "../../../operations/doctor/check";

describe("the worst of several verdicts", () => {
  const good = ok("good");
  const hidden = unknown("hidden", "log in");
  const odd = warn("odd", "look");
  const bad = fail("bad", "mend");

  it.each<[string, Verdict[], Verdict]>([
    ["is good where there is none", [], ok("all is well")],
    ["is good where all are, in words for all", [good, ok("better")], ok("all is well")],
    ["is unknown rather than good", [good, hidden], hidden],
    ["is a warning rather than unknown", [hidden, odd, good], odd],
    ["is a failure rather than a warning", [odd, bad, hidden], bad],
    ["has the words of all that are as bad", [bad, odd, fail("worse", "pray")], fail("bad worse", "mend pray")],
    ["gives the same advice once", [bad, fail("worse", "mend")], fail("bad worse", "mend")],
    ["has no advice where none has", [{ status: "warn", finding: "odd" }], { status: "warn", finding: "odd" }],
  ])("%s", (_, verdicts, expected) => {
    expect(worst(verdicts, "all is well")).toEqual(expected);
  });
});

describe("a check that could not be made", () => {
  const whenUnreachable = "Check the network.";
  const errorOf = (name: string, message = "x") => Object.assign(new Error(message), { name });
  async function verdictOf(error: Error, isSandbox = false): Promise<CheckResult | undefined> {
    const run = () => Promise.reject<Verdict>(error);
    return (await runChecks([{ name: "Check", run }], { isSandbox, whenUnreachable }))[0];
  }

  it.each([
    // SES and SQS, S3, SNS, EC2-like Query services.
    ["AccessDeniedException", "Run it with a role that may read this."],
    ["AccessDenied", "Run it with a role that may read this."],
    ["AuthorizationErrorException", "Run it with a role that may read this."],
    ["UnauthorizedOperation", "Run it with a role that may read this."],
    ["CredentialsProviderError", "Log in: there are no credentials that AWS takes."],
    ["TokenProviderError", "Log in: there are no credentials that AWS takes."],
    ["ExpiredTokenException", "Log in: there are no credentials that AWS takes."],
    ["ExpiredToken", "Log in: there are no credentials that AWS takes."],
    ["UnrecognizedClientException", "Log in: there are no credentials that AWS takes."],
    ["InvalidClientTokenId", "Log in: there are no credentials that AWS takes."],
    ["SignatureDoesNotMatch", "Log in: there are no credentials that AWS takes."],
    ["InvalidSignatureException", "Log in: there are no credentials that AWS takes."],
    // S3's word for it.
    ["InvalidAccessKeyId", "Log in: there are no credentials that AWS takes."],
    ["TimeoutError", whenUnreachable],
    ["AggregateError", whenUnreachable],
    ["ThrottlingException", "Look at the reason; AWS may be at fault."],
    ["InternalFailure", "Look at the reason; AWS may be at fault."],
  ])("for %s says what to do", async (name, todo) => {
    expect(await verdictOf(errorOf(name))).toEqual({ check: "Check", status: "unknown", finding: `${name}: x`, todo });
  });

  it("for a name that is not known gives the stage's own advice", async () => {
    const message = "getaddrinfo ENOTFOUND email.mars-1.amazonaws.com";
    const expected = { status: "unknown", finding: `Error: ${message}`, todo: whenUnreachable };
    expect(await verdictOf(errorOf("Error", message))).toMatchObject(expected);
    expect(await verdictOf(errorOf("Error", message), true)).toMatchObject(expected);
  });

  it("says in one word that no sandbox answers", async () => {
    const error = errorOf("Error", "connect ECONNREFUSED 127.0.0.1:4566");
    expect(await verdictOf(error, true)).toMatchObject({ finding: "Nothing answers.", todo: whenUnreachable });
    expect(await verdictOf(error)).toMatchObject({ finding: "Error: connect ECONNREFUSED 127.0.0.1:4566" });
  });

  it.each(["SyntaxError", "UnknownError", "NotImplemented", "InternalFailure", "NotFound"])(
    "in the sandbox for %s is not emulated, and on AWS it is a reason to look",
    async (name) => {
      expect(await verdictOf(errorOf(name), true)).toEqual({
        check: "Check",
        status: "unknown",
        finding: "The sandbox does not emulate it: it is checked on AWS.",
      });
      expect(await verdictOf(errorOf(name))).toMatchObject({
        finding: `${name}: x`,
        todo: "Look at the reason; AWS may be at fault.",
      });
    },
  );

  it.each<[string, Error, string]>([
    ["the first line", errorOf("Error", "first\nsecond"), "Error: first"],
    ["the beginning of a long line", errorOf("Error", "x".repeat(161)), `Error: ${"x".repeat(160)}..`],
    ["all of a line that just fits", errorOf("Error", "x".repeat(160)), `Error: ${"x".repeat(160)}`],
    ["what was thrown where it is no error", "a text" as unknown as Error, "Error: a text"],
  ])("gives %s as the reason", async (_, error, finding) => {
    expect(await verdictOf(error)).toMatchObject({ status: "unknown", finding });
  });

  it("leaves the others, and their order, as they are", async () => {
    const check = (name: string, run: () => Promise<Verdict>) => ({ name, run });
    const results = await runChecks(
      [
        check("slow", () => new Promise((resolve) => setTimeout(resolve, 20, ok("here")))),
        check("broken", () => Promise.reject(new Error("no"))),
        check("quick", () => Promise.resolve(fail("gone", "deploy"))),
      ],
      { isSandbox: false, whenUnreachable },
    );
    expect(results.map(({ check: name, status }) => [name, status])).toEqual([
      ["slow", "ok"],
      ["broken", "unknown"],
      ["quick", "fail"],
    ]);
  });

  it("does not wait for the one before it", async () => {
    let letGo: (verdict: Verdict) => void = () => undefined;
    const results = await runChecks(
      [
        { name: "first", run: () => new Promise<Verdict>((resolve) => (letGo = resolve)) },
        {
          name: "second",
          run: () => {
            letGo(ok("let go by the second"));
            return Promise.resolve(ok("done"));
          },
        },
      ],
      { isSandbox: false, whenUnreachable },
    );
    expect(results.map(({ finding }) => finding)).toEqual(["let go by the second", "done"]);
  });
});

it.each<[Status[], number]>([
  [["ok"], 0],
  [["ok", "warn"], 0],
  [["warn", "unknown"], 0],
  [["ok", "unknown"], 0],
  [["ok", "fail"], 1],
  [["unknown", "fail"], 1],
  [["unknown"], 1],
  [["unknown", "unknown"], 1],
  [[], 1],
])("%j ends with %d", (statuses, code) => {
  expect(exitCodeOf(statuses.map((status) => ({ check: "Check", status, finding: "" })))).toBe(code);
});

describe("what all checks say", () => {
  const result = (finding: string, todo?: string, status: Status = "unknown"): CheckResult => ({
    check: "Check",
    status,
    finding,
    ...(todo === undefined ? {} : { todo }),
  });

  it.each<[string, CheckResult[], string | undefined]>([
    ["one reason", [result("down", "start it"), result("down", "start it")], "down. start it"],
    ["one reason without advice", [result("Down."), result("Down.")], "Down."],
    ["two reasons", [result("down", "start it"), result("slow", "start it")], undefined],
    ["two kinds of advice", [result("down", "start it"), result("down", "log in")], undefined],
    ["one finding of a check that was made", [result("down", "start it", "fail")], undefined],
    ["nothing", [], undefined],
  ])("of %s", (_, results, told) => {
    expect(onlyFinding(results)).toBe(told);
  });
});
