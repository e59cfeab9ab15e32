import { DeleteRuleCommand, PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Notification } from "../../handler/notifications/define";
import { emailRequest } from "../../handler/notifications/email-request";
import { patternOf } from "../../handler/notifications/patterns";
import { priorityAlert } from "../../handler/notifications/priority-alert";
import { sandboxEndpoint } from "../../stacks/sandbox-endpoint";
import { accountId, arnOf, queuePolicy, TestGateway } from "aws-emulator/testing/gateway";
import { freePort } from "aws-emulator/processes";
import { type CommandResult, OperationsProcess, runOperation, sandboxOn } from "../support/operations-command";
import { startPassage } from "../support/passage";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { emailRequestEvent, Producer } from "event-driven-email-producer";

const emailRequestSample = emailRequest.sample as { readonly emailConfig: { readonly recipient: string } };
const { names } = sandboxEndpoint({});
const busName = names.of("event-bus");

/** A notification's rule, as it is deployed. */
function ruleOf({ ruleName, trigger }: Notification) {
  if (trigger.kind !== "event") throw new Error("A schedule's rule is on another bus.");
  return { name: names.of(ruleName), pattern: patternOf(trigger) };
}

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
  for (const notification of [emailRequest, priorityAlert]) await gateway.createRule(busName, [], ruleOf(notification));
  await gateway.sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: `${gateway.gateway.url}/${accountId}/${queue}`,
      Attributes: { Policy: queuePolicy(queue, arnOf.rule(busName, rule)) },
    }),
  );
});
afterAll(() => gateway.stop());

const port = () => Number(new URL(gateway.gateway.url).port);
const place = () => `Sandbox at ${gateway.gateway.url} (the port of SANDBOX_PORT), region us-east-1, stage sandbox\n`;
const send = (...words: string[]): Promise<CommandResult> =>
  runOperation(["send", "--sandbox", ...words], sandboxOn(port()));

async function received(): Promise<Received> {
  return JSON.parse((await gateway.receive(queue)).Body ?? "") as Received;
}

describe("npm run send", () => {
  it("puts the notification's sample for whom it is told, and prints the event's id", async () => {
    const command = new OperationsProcess(
      ["send", "--sandbox", "priority-alert", "--to", "a@example.com"],
      sandboxOn(port()),
    );
    const { code, output, errors } = await command.ended;
    expect({ code, errors }).toEqual({ code: 0, errors: place() });
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
    [
      "a notification that is none",
      ["newsletter", "--to", "a@example.com"],
      /There is no notification "newsletter": use one of email-request, priority-alert/,
    ],
    [
      "a notification that a schedule makes",
      ["daily-report", "--to", "a@example.com"],
      /A schedule makes "daily-report", and no event: use one of email-request, priority-alert/,
    ],
    ["no notification", [], /The notification's name is missing: use one of email-request, priority-alert/],
    ["an option that it does not know", ["email-request", "--too", "a@example.com"], /unknown option '--too'/],
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
    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toMatch(why);
    expect(await gateway.get("activity")).toHaveLength(before);
  });

  it("answers with one JSON document", async () => {
    const { code, output } = await send("email-request", "--to", "a@example.com", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({
      eventId: (await received()).id,
      notification: "email-request",
      bus: busName,
    });
  });

  it("mails the sample's own recipient in the sandbox, where nobody is named", async () => {
    expect(await send("email-request")).toMatchObject({ code: 0 });
    expect((await received()).detail).toMatchObject({
      emailConfig: { recipient: emailRequestSample.emailConfig.recipient },
    });
  });

  it("mails whom the detail names, where it is not told otherwise", async () => {
    const detail = { emailConfig: { recipient: "b@example.com", subject: "Hello" }, title: "Hello" };
    expect(await send("email-request", "--detail", JSON.stringify(detail))).toMatchObject({ code: 0 });
    expect((await received()).detail).toEqual(detail);
  });

  /** What EventBridge would say of the bus; that is all that is asked for. */
  async function sendWhereBusIs(status: number, answer: object): Promise<CommandResult> {
    const targets: string[] = [];
    const passage = await startPassage(gateway.gateway.url, ({ target }) => {
      targets.push(target);
      return { status, type: "application/x-amz-json-1.1", body: JSON.stringify(answer) };
    });
    const words = ["send", "--sandbox", "email-request", "--to", "a@example.com"];
    const result = await runOperation(words, sandboxOn(passage.port));
    await passage.close();
    expect(targets).toEqual(["AWSEvents.DescribeEventBus"]);
    return result;
  }

  it("says what to do where there is no bus, for PutEvents would not", async () => {
    const { code, output, errors } = await sendWhereBusIs(400, { __type: "ResourceNotFoundException", message: "x" });
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(/The sandbox has no bus .*: wait until npm start has deployed/);
  });

  it("does not take a bus for missing that it may not look at", async () => {
    const { code, output, errors } = await sendWhereBusIs(400, { __type: "AccessDeniedException", message: "No." });
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(/The bus .* could not be looked at, .* \(AccessDeniedException: No\.\)\. Check your cred/);
  });

  it("puts nothing into another account than the stage's", async () => {
    const Arn = `arn:aws:events:us-east-1:999999999999:event-bus/${busName}`;
    const { code, output, errors } = await sendWhereBusIs(200, { Name: busName, Arn });
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toContain(`The credentials are of account 999999999999, and the stage is in ${accountId}`);
  });

  describe("of a notification whose rule", () => {
    const rule = ruleOf(priorityAlert);
    const otherRule = `The rule ${rule.name} of the bus ${busName}`;
    const put = (state?: "DISABLED", pattern = rule.pattern) =>
      gateway.createRule(busName, [], { ...rule, pattern, ...(state === undefined ? {} : { state }) });
    const sendAlert = () => send("priority-alert", "--to", "a@example.com");
    afterEach(() => put());

    it("is not there puts nothing, and says what to do", async () => {
      await gateway.events.send(new DeleteRuleCommand({ Name: rule.name, EventBusName: busName }));
      const before = ((await gateway.get("activity")) as unknown[]).length;
      expect(await sendAlert()).toEqual({
        code: 1,
        output: "",
        errors: `${place()}"priority-alert" is not deployed: the bus ${busName} has no rule ${rule.name}. No mail would come, so nothing was put. Restart npm start, which deploys this checkout, or deploy it to the running sandbox: source .sandbox/environment.sh, then npm run deploy.\n`,
      });
      expect(await gateway.get("activity")).toHaveLength(before);
    });

    it("is disabled puts nothing, and says what to do", async () => {
      await put("DISABLED");
      const before = ((await gateway.get("activity")) as unknown[]).length;
      const { code, output, errors } = await sendAlert();
      expect({ code, output }).toEqual({ code: 1, output: "" });
      expect(errors).toContain(
        `"priority-alert" is switched off: the rule ${rule.name} of the bus ${busName} is disabled`,
      );
      const where = `--endpoint-url ${gateway.gateway.url} --region us-east-1`;
      expect(errors).toContain(`aws events enable-rule ${where} --name ${rule.name} --event-bus-name ${busName}\n`);
      expect(await gateway.get("activity")).toHaveLength(before);
    });

    it("takes other events is put with a note", async () => {
      await put(undefined, { source: ["elsewhere"] });
      const { code, output, errors } = await sendAlert();
      expect(errors).toBe(
        `${place()}${otherRule} takes other events than this checkout's "priority-alert": if no mail comes, that is why. Restart npm start, which deploys this checkout, or deploy it to the running sandbox: source .sandbox/environment.sh, then npm run deploy.\n`,
      );
      expect({ code, id: output.trim() }).toEqual({ code: 0, id: (await received()).id });
    });

    it("can't be looked at is put with a note", async () => {
      const body = JSON.stringify({ __type: "AccessDeniedException", message: "No." });
      const passage = await startPassage(gateway.gateway.url, ({ target }) =>
        target === "AWSEvents.DescribeRule" ? { status: 400, type: "application/x-amz-json-1.1", body } : undefined,
      );
      const words = ["send", "--sandbox", "priority-alert", "--to", "a@example.com"];
      const { code, output, errors } = await runOperation(words, sandboxOn(passage.port));
      await passage.close();
      expect(errors).toMatch(
        /Whether "priority-alert" is deployed could not be seen: .* \(AccessDeniedException: No\.\)\. The event is put all the same\.\n$/,
      );
      expect({ code, id: output.trim() }).toEqual({ code: 0, id: (await received()).id });
    });
  });

  it("needs no address in a shell of the sandbox, as with --sandbox", async () => {
    const { code } = await runOperation(["send", "priority-alert"], { ...sandboxOn(port()), STAGE: "sandbox" });
    expect(code).toBe(0);
    expect(await received()).toMatchObject({ detail: priorityAlert.sample });
  });

  it("says what to do where nothing listens", async () => {
    const words = ["send", "--sandbox", "email-request", "--to", "a@example.com"];
    const away = await runOperation(words, sandboxOn(await freePort()));
    expect(away).toMatchObject({ code: 1, output: "" });
    expect(away.errors).toMatch(/\nNothing answers\. Start the sandbox: npm start\. /);
  });
});

describe("the package for producers", () => {
  const root = join(__dirname, "..", "..");

  it("has a program as an example, whose events reach the bus with a key each, and with the same where an answer is lost", async () => {
    const match = { operation: "PutEvents" };
    await gateway.setFaults({ service: "events", kind: "reset", accepts: true, times: 1, match });
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "packages/producer/examples/put.ts"],
      {
        cwd: root,
        env: {
          PATH: process.env.PATH,
          EVENT_BUS_NAME: busName,
          AWS_ENDPOINT_URL: gateway.gateway.url,
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: "test",
          AWS_SECRET_ACCESS_KEY: "test",
        },
      },
    );
    expect(await gateway.hits()).toEqual([1]);
    await gateway.setFaults();
    // The first one was taken twice. It is mailed once, because the function claims its key.
    const events = [await received(), await received(), await received(), await received()];
    const keys = events.map(({ detail }) => (detail as { readonly idempotencyKey: string }).idempotencyKey);
    expect(keys.filter((key) => key === "export-4711-ready")).toHaveLength(2);
    expect(new Set(keys).size).toBe(3);
    const printed = stdout.match(/(?<=^put )[0-9a-f-]{36}/gm) ?? [];
    expect(printed).toHaveLength(3);
    expect(events.map(({ id }) => id)).toEqual(expect.arrayContaining(printed));
    for (const { source, "detail-type": detailType, detail, id } of events) {
      const notification = [emailRequest, priorityAlert].find(({ trigger }) => trigger.detailType === detailType);
      const { idempotencyKey } = detail as { readonly idempotencyKey: string };
      const event = { id, source, "detail-type": detailType, time: "2026-11-27T09:00:00Z", detail: { ...detail } };
      expect(notification?.prepare(event)).toMatchObject({
        recipients: ["success@simulator.amazonses.com"],
        idempotencyKey,
      });
      expect(idempotencyKey).not.toBe(id);
    }
  });

  it.each(["email-request", "priority-alert"])("has entries of %s for the AWS CLI that the bus takes", async (id) => {
    const file = readFileSync(join(root, `packages/producer/examples/${id}.json`), "utf8");
    const Entries = JSON.parse(file) as PutEventsRequestEntry[];
    expect(await gateway.events.send(new PutEventsCommand({ Entries }))).toMatchObject({ FailedEntryCount: 0 });
    expect((await received()).detail).toEqual(JSON.parse(Entries[0]?.Detail ?? ""));
  });

  it("puts smaller requests where the bus takes less than AWS says", async () => {
    const producer = new Producer({ eventBusName: await gateway.createBus(), client: gateway.events });
    const event = emailRequestEvent({ emailConfig: { recipient: "a@example.com" }, message: "x".repeat(200_000) });
    expect(await producer.put([event, event, event])).toHaveLength(3);
  });
});
