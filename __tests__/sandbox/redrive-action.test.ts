import { freePort } from "aws-emulator/processes";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { join } from "node:path";
import {
  type PermanentFailureType,
  permanentFailureTypes,
  transientFailureTypes,
} from "../../handler/contract/failures";
import { failureActionsOf } from "../../sandbox/redrive-action";

describe("what the inbox offers for an event that is parked", () => {
  /** Writes a command line program with this code. */
  const program = (code: string) => {
    const folder = writeFiles(temporaryFolder(), { "cli.mjs": code });
    return [process.execPath, join(folder, "cli.mjs")] as const;
  };
  const echo = program(
    "console.log(JSON.stringify([process.argv.slice(2), process.env.SANDBOX_PORT])); console.error('and this');",
  );

  it("is the command that a person types", () => {
    expect(failureActionsOf({ port: 4566 }).commandFor("an-id")).toBe(
      "npm run dead-letters -- --sandbox --redrive --filter event=an-id",
    );
    const { commandFor, listCommand } = failureActionsOf({ port: 4700 });
    expect(commandFor("it's; rm -rf")).toBe(
      `SANDBOX_PORT=4700 npm run dead-letters -- --sandbox --redrive --filter 'event=it'\\''s; rm -rf'`,
    );
    expect(listCommand).toBe("SANDBOX_PORT=4700 npm run dead-letters -- --sandbox --retries");
  });

  const redriveOf = (words = "") => `npm run dead-letters -- --sandbox --redrive ${words}--filter event=an-id`;

  it.each(permanentFailureTypes.map((type) => [type]))("is advice, or the button, as decided for %s", (type) => {
    // `undefined` stands for the button.
    const decided: Readonly<Record<PermanentFailureType, readonly [RegExp, boolean, string?] | undefined>> = {
      OutcomeUnknown: [/may be out\. Look for it/, false, redriveOf("--resend-unknown ")],
      SenderNotVerified: undefined,
      MessageRejected: undefined,
      RecipientRefused: undefined,
      InvalidRecipient: [/with the address corrected/, true],
      InvalidEvent: [/does not fit its notification, so a redrive does not help yet/, true, redriveOf()],
      NoRuleMatches: [/No rule takes the event as it is, so a redrive does not help yet/, true, redriveOf()],
      UnknownNotification: [/No notification takes the event, so a redrive does not help yet/, true, redriveOf()],
    };
    expect(Object.keys(decided)).toContain(type);
    const [text, isCorrectable, command] = decided[type] ?? [];
    for (const reason of [type, `${type}: what: it says`]) {
      const advice = failureActionsOf({ port: 4566 }).adviceFor?.(reason, "an-id");
      expect(advice?.text ?? "the button").toMatch(text ?? /^the button$/);
      expect([advice?.isCorrectable, advice?.redrive?.command]).toEqual([isCorrectable, command]);
    }
  });

  it.each([...transientFailureTypes, "InvalidEventError", "toString", ""])(
    "is the button where a retry can help, or nothing is known of the failure: %j",
    (reason) => {
      expect(failureActionsOf({ port: 4566 }).adviceFor?.(reason, "an-id")).toBeUndefined();
    },
  );

  it("is run as it is shown, for this sandbox, and what it prints is the answer", async () => {
    const { ok, output } = await failureActionsOf({ port: 4700, program: echo }).redrive("it's; rm -rf");
    expect(ok).toBe(true);
    const lines = output.trim().split("\n").sort();
    expect(lines[1]).toBe("and this");
    expect(JSON.parse(lines[0] ?? "")).toEqual([
      ["dead-letters", "--sandbox", "--redrive", "--filter", "event=it's; rm -rf"],
      "4700",
    ]);
  });

  it.each([
    ["ends with another code", "console.log('refused'); process.exitCode = 1;", "refused"],
    ["is ended", "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);", "It was ended by SIGKILL."],
  ])("failed where the command %s", async (_, code, said) => {
    const { ok, output } = await failureActionsOf({ port: 4700, program: program(code) }).redrive("an-id");
    expect(ok).toBe(false);
    expect(output).toContain(said);
  });

  it("failed where there is no such program", async () => {
    const { ok, output } = await failureActionsOf({ port: 4700, program: ["/no/such/program"] }).redrive("an-id");
    expect(ok).toBe(false);
    expect(output).toContain("/no/such/program could not be started");
  });

  it.each([
    ["a NUL", "a\0b"],
    ["more than a program's word takes", "x".repeat(3_000_000)],
  ])("failed for an event's id with %s", async (_, eventId) => {
    const { ok, output } = await failureActionsOf({ port: 4700, program: echo }).redrive(eventId);
    expect(ok).toBe(false);
    expect(output).toContain("could not be started");
  });

  it("shows a character that comes in two pieces", async () => {
    const halves = program(
      "process.stdout.write(Buffer.from([0xc3])); setTimeout(() => process.stdout.write(Buffer.from([0xa9])), 50);",
    );
    expect(await failureActionsOf({ port: 4700, program: halves }).redrive("an-id")).toEqual({ ok: true, output: "é" });
  });

  it.each(["--discard", "a,b", "a=b", "-", "event=x --discard"])("gives the id %j as a value", async (eventId) => {
    const { output } = await failureActionsOf({ port: 4700, program: echo }).redrive(eventId);
    expect(output).toContain(
      JSON.stringify(["dead-letters", "--sandbox", "--redrive", "--filter", `event=${eventId}`]),
    );
  });

  it("is a command that the project's own command line knows", async () => {
    const port = await freePort();
    const { ok, output } = await failureActionsOf({ port }).redrive("an-id");
    expect(ok).toBe(false);
    // The command has asked for the sandbox on this port, where nobody answers.
    expect(output).toContain(String(port));
    expect(output).not.toMatch(/unknown (?:option|command)/);
  });
});
