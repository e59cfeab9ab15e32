import { freePort } from "aws-emulator/processes";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { join } from "node:path";
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

  it.each([
    ["NoRuleMatches: The event is mailed to nobody. detail.priority is missing", "No rule takes the event as it is"],
    ["InvalidEvent: The event does not fit", "The event does not fit its notification"],
    ["UnknownNotification", "No notification takes the event"],
  ])("is advice where a redrive would be refused: %s", (reason, says) => {
    expect(failureActionsOf({ port: 4566 }).adviceFor?.(reason)).toContain(`${says}, so a redrive does not help yet.`);
  });

  it.each(["SenderNotVerified: no", "OutcomeUnknown", "InvalidEventError", "toString", ""])(
    "is no advice where a person can mend the stage: %j",
    (reason) => {
      expect(failureActionsOf({ port: 4566 }).adviceFor?.(reason)).toBeUndefined();
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
