import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxSettings } from "../../sandbox/settings";
import { accountId, arnOf, queuePolicy, TestGateway } from "aws-emulator/testing/gateway";
import { freePort } from "aws-emulator/processes";
import { type CommandResult, OperationsCommand } from "../support/operations-command";
import { temporaryFolder } from "aws-emulator/testing/temporary";

const busName = sandboxSettings({}).names.of("event-bus");

/** An event as it came out of the bus. */
interface Received {
  readonly id: string;
  readonly source: string;
  readonly "detail-type": string;
  readonly detail: object;
}

let gateway: TestGateway;
let queue: string;
beforeAll(async () => {
  gateway = await TestGateway.start();
  await gateway.createBus(busName);
  queue = await gateway.createQueue();
  const rule = await gateway.createRule(busName, [{ Id: "queue", Arn: arnOf.queue(queue) }], {
    pattern: { source: ["custom.application"] },
  });
  await gateway.sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: `${gateway.gateway.url}/${accountId}/${queue}`,
      Attributes: { Policy: queuePolicy(queue, arnOf.rule(busName, rule)) },
    }),
  );
});
afterAll(() => gateway.stop());

const send = (...words: string[]): Promise<CommandResult> =>
  new OperationsCommand("send", Number(new URL(gateway.gateway.url).port), words).ended;

async function received(): Promise<Received> {
  return JSON.parse((await gateway.receive(queue)).Body ?? "") as Received;
}

describe("npm run send", () => {
  it("puts the notification's sample for whom it is told, and prints the event's id", async () => {
    const { code, output, errors } = await send("priority-alert", "--to", "a@example.com");
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(await received()).toMatchObject({
      id: output.trim(),
      source: "custom.application",
      "detail-type": "Priority Alert",
      detail: {
        priority: "high",
        emailConfig: { recipient: "a@example.com", subject: "Checkout is failing" },
        title: "Checkout is failing",
      },
    });
  });

  it("puts a detail that is given as JSON, with subject and recipients of the options", async () => {
    const detail = '{"title":"Hello","emailConfig":{"subject":"Not this"}}';
    const { code } = await send(
      ...["email-request", "--to", "a@example.com, b@example.com", "--subject", "This", "--detail", detail],
    );
    expect(code).toBe(0);
    expect((await received()).detail).toEqual({
      title: "Hello",
      emailConfig: { recipient: ["a@example.com", "b@example.com"], subject: "This" },
    });
  });

  it("puts a detail from a file", async () => {
    const file = join(temporaryFolder(), "detail.json");
    writeFileSync(file, JSON.stringify({ message: "From a file" }));
    expect(await send("email-request", "--to", "a@example.com", "--detail", file)).toMatchObject({ code: 0 });
    expect((await received()).detail).toEqual({
      message: "From a file",
      emailConfig: { recipient: "a@example.com" },
    });
  });

  it.each<[string, string[], RegExp]>([
    ["an address that is none", ["email-request", "--to", "nobody"], /Its recipient has no at sign/],
    ["a list with an address that is none", ["email-request", "--to", "a@example.com,"], /--to: number 2 is empty/],
    [
      "a subject that nobody sees",
      ["email-request", "--to", "a@example.com", "--subject", "\u200b"],
      /detail\.emailConfig\.subject: has no visible character/,
    ],
    [
      "a detail that does not fit",
      ["email-request", "--to", "a@example.com", "--detail", '{"body":"Hello"}'],
      /does not fit "email-request"\. detail\.body: is not known: did you mean detail\.message\?/,
    ],
    [
      "an alert that no rule takes",
      ["priority-alert", "--to", "a@example.com", "--detail", '{"priority":"low"}'],
      /mailed to nobody\. detail\.priority has to be "high" or "critical"; what it says is left out on purpose/,
    ],
    [
      "a detail that is no JSON, and no file",
      ["email-request", "--to", "a@example.com", "--detail", "{title}"],
      /--detail is neither a file nor JSON: \{title\}/,
    ],
    [
      "a detail that is no object",
      ["email-request", "--to", "a@example.com", "--detail", "[1]"],
      /--detail has to be a JSON object: \[1\]/,
    ],
    ["a notification that is none", ["newsletter", "--to", "a@example.com"], /No event makes "newsletter": use one of/],
    [
      "a notification that a schedule makes",
      ["daily-report", "--to", "a@example.com"],
      /No event makes "daily-report"/,
    ],
    ["nobody to mail", ["email-request"], /required option '--to <address>' not specified/],
    [
      "an event that is too large to be mailed",
      ["email-request", "--to", "a@example.com", "--detail", JSON.stringify({ message: "&".repeat(50_000) })],
      /bytes of template data and SES takes/,
    ],
    [
      "an event that is nested too deeply",
      ["email-request", "--to", "a@example.com", "--detail", `{"a":${"[".repeat(80)}${"]".repeat(80)}}`],
      /The event is nested more than \d+ levels deep/,
    ],
  ])("says no before it sends: %s", async (_, words, why) => {
    const before = ((await gateway.get("activity")) as unknown[]).length;
    const { code, output, errors } = await send(...words);
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(why);
    expect(await gateway.get("activity")).toHaveLength(before);
  });

  it("says what to do where there is no bus, for PutEvents would not", async () => {
    const port = await freePort();
    const away = await new OperationsCommand("send", port, ["email-request", "--to", "a@example.com"]).ended;
    expect(away.code).toBe(1);
    expect(away.errors).toMatch(
      /The sandbox has no bus .*: start it with npm start, and give its SANDBOX_PORT here too/,
    );
  });
});
