import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CloudWatchLogsClient,
  DescribeMetricFiltersCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateQueueCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type Mail } from "aws-emulator";
import { awsClientConfig } from "aws-emulator/client-config";
import { catalogue } from "../../handler/notifications";
import { type Costs } from "../../operations/smoke/report";
import { type Fact } from "../../operations/smoke/settled";
import { type TrialResult } from "../../operations/smoke/trial";
import { Arns } from "../../stacks/arns";
import { sandboxEndpoint } from "../../stacks/sandbox-endpoint";
import { launchChromium } from "../support/browser";
import { notRecordedSmoke, recordedSmoke, recordedSmokeFile } from "../support/iam/recorded-requests";
import { smokeRole } from "../support/iam/smoke-role";
import { audit, CallRecord } from "../support/iam/terraform-record";
import { type Passage, startPassage } from "../support/passage";
import { compileFilter } from "../support/metric-filter";
import { OperationsProcess, sandboxOn } from "../support/operations-command";
import { freePort } from "aws-emulator/processes";
import { bareEnvironment, projectRoot, patienceMs, SandboxProcess } from "../support/sandbox";
import { until as untilWithin } from "aws-emulator/testing/until";

/** The whole system: real Terraform, the real AWS provider, the deployed bundle. What is missing fails these tests. */

jest.setTimeout(1_800_000);

const prefix = "email-automation-sandbox";
const run = promisify(execFile);

const until: typeof untilWithin = (what, ask) => untilWithin(what, ask, patienceMs);

describe("npm start", () => {
  let sandbox: SandboxProcess;

  beforeAll(async () => {
    sandbox = new SandboxProcess(await freePort());
    await sandbox.prints("Ctrl-C stops it");
  });
  afterAll(async () => {
    sandbox.interrupt();
    await sandbox.end();
  });

  async function put(detailType: string, detail: object): Promise<string> {
    const client = new EventBridgeClient(awsClientConfig(sandbox.url, "us-east-1"));
    const { Entries } = await client.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: `${prefix}-event-bus`,
            Source: "custom.application",
            DetailType: detailType,
            Detail: JSON.stringify(detail),
          },
        ],
      }),
    );
    return Entries?.[0]?.EventId ?? "";
  }

  const mailOf = (eventId: string) =>
    until(`mail of event ${eventId}`, async () =>
      ((await sandbox.get("messages")) as Mail[]).find((mail) => mail.eventId === eventId),
    );

  it("is healthy once a mail of each notification is in", async () => {
    expect((await fetch(`${sandbox.url}/_sandbox/health`)).status).toBe(200);
    const mails = (await sandbox.get("messages")) as Mail[];
    // All samples are sent at once, and a team has more of them.
    const subjects = ["Daily report", "Checkout is failing", "Your export is ready"];
    expect(mails.map(({ subject }) => subject)).toEqual(expect.arrayContaining(subjects));
  });

  it("mails the recipe's events, raw in the text and escaped in the HTML", async () => {
    const mail = await mailOf(
      await put("Priority Alert", {
        priority: "high",
        emailConfig: { recipient: "test-recipient@example.com", subject: "High Priority Alert" },
        title: "Critical <System> Issue",
        message: "Immediate attention required & more.",
      }),
    );
    expect(mail).toMatchObject({ subject: "High Priority Alert", to: ["test-recipient@example.com"] });
    expect(mail.configurationSet).toBe(`${prefix}-notifications`);
    expect(mail.text).toContain("Critical <System> Issue");
    expect(mail.html).toContain("Critical &lt;System&gt; Issue");
    expect(mail.html).toContain("required &amp; more.");
  });

  it("routes no alert of low priority", async () => {
    const eventId = await put("Priority Alert", { priority: "low", emailConfig: { recipient: "a@example.com" } });
    const event = await until("event in the activity", async () =>
      ((await sandbox.get("activity")) as { id: string; deliveries: unknown[] }[]).find(({ id }) => id === eventId),
    );
    expect(event.deliveries).toEqual([]);
  });

  it("parks the recipe's invalid event with its reason, in its first run", async () => {
    const eventId = await put("Email Notification Request", { invalidField: "test" });
    const client = new SQSClient(awsClientConfig(sandbox.url, "us-east-1"));
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: `${prefix}-dead-letters` }));
    const body = await until("dead letter", async () => {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));
      return Messages.map((message) => message.Body ?? "").find((text) => text.includes(eventId));
    });
    expect(JSON.parse(body)).toMatchObject({
      requestContext: { condition: "Parked", approximateInvokeCount: 1 },
      requestPayload: { id: eventId, detail: { invalidField: "test" } },
      responsePayload: {
        errorType: "InvalidEvent",
        errorMessage: expect.stringContaining("detail.emailConfig") as string,
      },
    });
    expect(((await sandbox.get("messages")) as Mail[]).some((mail) => mail.eventId === eventId)).toBe(false);

    // As a person reads it. AWS CLI 1 asks for SQS at AWS where only AWS_ENDPOINT_URL names the sandbox.
    const { stdout } = await run(
      "aws",
      [
        ...["sqs", "receive-message", "--endpoint-url", sandbox.url, "--region", "us-east-1"],
        ...["--queue-url", QueueUrl ?? "", "--max-number-of-messages", "10", "--visibility-timeout", "0"],
      ],
      { env: { ...bareEnvironment, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" } },
    );
    expect(stdout).toContain(eventId);

    const logs = new CloudWatchLogsClient(awsClientConfig(sandbox.url, "us-east-1"));
    const logGroupName = `/aws/lambda/${prefix}-email-processor`;
    const { metricFilters: [filter] = [] } = await logs.send(new DescribeMetricFiltersCommand({ logGroupName }));
    // The run's lines come with its end, and it had not ended yet when it parked the event.
    const counted = await until("line of the run in the log", async () => {
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
      const lines = events.map(({ message = "" }) => message).filter(compileFilter(filter?.filterPattern ?? ""));
      return lines.some((line) => line.includes(eventId)) ? lines : undefined;
    });
    expect(counted.filter((line) => line.includes(eventId))).toHaveLength(1);
  });

  it("takes an event from the command line, and refuses one that does not fit", async () => {
    const send = (...words: string[]) =>
      run(process.execPath, ["--import", "tsx", "operations/cli.ts", "send", ...words, "--sandbox"], {
        cwd: projectRoot,
        env: { ...bareEnvironment, SANDBOX_PORT: String(sandbox.port) },
      });
    const { stdout } = await send("email-request", "--to", "b@example.com,c@example.com", "--subject", "By hand");
    expect(await mailOf(stdout.trim())).toMatchObject({ subject: "By hand" });
    await expect(send("email-request", "--to", "nobody")).rejects.toThrow(/Its recipient has no at sign/);
  });

  it("stores the templates of this checkout, and no other", async () => {
    const { stdout } = await run(
      process.execPath,
      ["--import", "tsx", "operations/cli.ts", "templates", "--sandbox", "--json"],
      { cwd: projectRoot, env: { ...bareEnvironment, SANDBOX_PORT: String(sandbox.port) } },
    );
    const { stored, missing, left } = JSON.parse(stdout) as Record<
      "stored" | "missing" | "left",
      { notification: string }[]
    >;
    expect(new Set(stored.map(({ notification }) => notification))).toEqual(new Set(catalogue.map(({ id }) => id)));
    expect({ missing, left }).toEqual({ missing: [], left: [] });
  });

  it("prints commands that work as they stand: npm run send, and the AWS CLI in a shell of the sandbox", async () => {
    const [send = "", ...aws] =
      /Send a mail:\n {2}(.*)\n[\s\S]*Put an event .*:\n {2}(source .*)\n {2}(aws .*)\n/
        .exec(sandbox.output)
        ?.slice(1) ?? [];
    const shell = async (...lines: string[]) =>
      (await run("bash", ["-c", lines.join("\n")], { cwd: projectRoot, env: bareEnvironment })).stdout;
    const sent = (await shell(send)).trim().split("\n").at(-1) ?? "";
    const mail = await mailOf(sent);
    expect(mail).toMatchObject({ subject: "Your export is ready", to: ["you@example.com"] });
    const { Entries } = JSON.parse(await shell(...aws)) as { Entries: [{ EventId: string }] };
    // The two events differ only in their times.
    const contentOf = ({ subject, to, text }: Mail) => ({ subject, to, text: text.replace(/^Timestamp: .*$/m, "") });
    expect(contentOf(await mailOf(Entries[0].EventId))).toEqual(contentOf(mail));
    expect(await shell(aws[0] ?? "", "deactivate", "env")).not.toMatch(/^(?:AWS|TF)_/m);
  });

  it("shows the mail, the event behind it and the failed event in the inbox", async () => {
    const eventId = await put("Email Notification Request", {
      emailConfig: { recipient: "reader@example.com", subject: "Read me in Chromium" },
      title: "Title of the mail",
      message: "<script>document.title = 'hacked'</script>",
    });
    await mailOf(eventId);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(`${sandbox.url}/_sandbox/`);
      await page.getByRole("option", { name: /Read me in Chromium/ }).click();
      const frame = page.frameLocator("iframe");
      await frame.getByText("Title of the mail").waitFor();
      await frame.getByText("<script>document.title").waitFor();
      await page.getByRole("tab", { name: /Event/ }).click();
      const reader = page.getByRole("region", { name: "Reading pane" });
      // The tab of the headers, which is hidden now, tells the id too.
      await reader.getByText(eventId).filter({ visible: true }).first().waitFor();
      await reader.getByText(`${prefix}-email-rule`).filter({ visible: true }).first().waitFor();
      await page.goto(`${sandbox.url}/_sandbox/#/events`);
      await page.getByText("InvalidEvent").first().waitFor();
      expect(await page.title()).not.toContain("hacked");
    } finally {
      await browser.close();
    }
  });

  describe("npm run smoke", () => {
    interface Report {
      readonly run: string;
      readonly trials: readonly TrialResult[];
      readonly facts: readonly Fact[];
      readonly costs: Costs;
    }

    const record = new CallRecord<"smoke">();
    record.role = "smoke";
    let passage: Passage;

    const start = (words: readonly string[] = [], port = sandbox.port) =>
      new OperationsProcess(["smoke", "--sandbox", "--json", ...words], sandboxOn(port));

    async function smoke(words: readonly string[], port?: number) {
      const { code, output, errors } = await start(words, port).ended;
      if (output === "") throw new Error(errors);
      return { code, report: JSON.parse(output) as Report };
    }

    const trialsOf = ({ trials }: Report, status: TrialResult["status"]) =>
      trials.filter((each) => each.status === status).map(({ trial }) => trial);

    async function claims() {
      const dynamoDb = new DynamoDBClient(awsClientConfig(sandbox.url, "us-east-1"));
      const { Items = [] } = await dynamoDb.send(new ScanCommand({ TableName: `${prefix}-claims` }));
      return Items.map(({ id }) => id?.S).sort();
    }

    let before: Awaited<ReturnType<typeof claims>>;
    beforeAll(async () => {
      before = await claims();
      passage = await startPassage(sandbox.url, (call) => {
        // The sandbox's own addresses are no calls to AWS.
        if (!call.path.startsWith("/_sandbox/")) record.take(call);
        return undefined;
      });
    });
    afterAll(async () => {
      await passage.close();
    });

    it("cleans up after an interrupt, and leaves what is under way to the next run", async () => {
      const command = start();
      await new Promise<void>((resolve) => {
        command.child.stderr.on("data", (text: Buffer) => {
          if (text.includes("held")) resolve();
        });
      });
      command.kill("SIGINT");
      const { code, output } = await command.ended;
      const report = JSON.parse(output) as Report;
      expect({ code, failed: trialsOf(report, "failed") }).toEqual({ code: 130, failed: [] });
      expect(trialsOf(report, "unseen").length).toBeGreaterThan(1);
      expect(trialsOf(report, "held")).toContain("cleaning up");
    });

    it("sees every mail and SES's events, mails the simulator alone, and leaves nothing", async () => {
      const { code, report } = await smoke(["--replay"]);
      expect({ code, failed: trialsOf(report, "failed") }).toEqual({ code: 0, failed: [] });
      expect(trialsOf(report, "unseen")).toEqual(["alarms"]);
      expect(trialsOf(report, "held")).toEqual([
        ...catalogue.map(({ id }) => id),
        ...["bounce", "complaint", "suppression", "duplicate", "bad event", "bad event, redriven"],
        ...["parked by EventBridge, redriven", "cleaning up"],
      ]);
      const [replay] = report.facts;
      expect(replay).toMatchObject({ status: "open", answer: expect.stringContaining("It keeps its id") as string });
      // The emulator is no witness for AWS.
      expect(report.facts.filter(({ status }) => status === "settled")).toEqual([]);

      // As many mails as recipients: the duplicate and the replay made none.
      const mails = ((await sandbox.get("messages")) as Mail[]).flatMap(({ to }) => to);
      const own = mails.filter((address) => address.includes(`smoke-${report.run}-`));
      expect(own).toHaveLength(catalogue.length + 4);
      expect(own.every((address) => address.endsWith("@simulator.amazonses.com"))).toBe(true);
      expect(new Set(own).size).toBe(own.length);
      expect(report.costs).toMatchObject({ mails: own.length });

      expect(await claims()).toEqual(before);
      const { stdout } = await run(
        process.execPath,
        ["--import", "tsx", "operations/cli.ts", "dead-letters", "--sandbox", "--json", "--show-recipients"],
        { cwd: projectRoot, env: { ...bareEnvironment, SANDBOX_PORT: String(sandbox.port) } },
      );
      expect(stdout).toContain("invalidField");
      expect(stdout).not.toContain(report.run);
    });

    it("fails where SES's events do not come back, and cleans up all the same", async () => {
      const events = new EventBridgeClient(awsClientConfig(sandbox.url, "us-east-1"));
      const rule = { Name: `${prefix}-feedback-rule` };
      await events.send(new DisableRuleCommand(rule));
      try {
        // This run is the one that is recorded. It goes through every trial, as the CI's does, and without a replay.
        const { code, report } = await smoke(["--wait", "3s"], passage.port);
        expect(code).toBe(1);
        expect(trialsOf(report, "failed")).toEqual([
          ...catalogue.map(({ id }) => id),
          ...["bounce", "complaint", "suppression", "duplicate", "parked by EventBridge, redriven"],
        ]);
        expect(report.trials[0]?.finding).toContain("Mailed, and Email Sent, Email Delivered did not come");
        expect(trialsOf(report, "held")).toEqual(["bad event", "bad event, redriven", "cleaning up"]);
      } finally {
        await events.send(new EnableRuleCommand(rule));
      }
    });

    it("calls what its role in the CI is granted, and nothing else", async () => {
      const { config } = sandboxEndpoint({});
      const requests = await record.requests({
        ...{ partition: Arns.of(config).partition, region: config.region, accountId: config.accountId },
        ...{ functionOfMapping: {}, keyTags: {}, boundary: "" },
      });
      const { missing, unused, kinds } = await audit({ smoke: smokeRole(config) }, requests);
      expect(missing).toEqual([]);
      expect([...unused].sort()).toEqual(Object.keys(notRecordedSmoke).sort());
      if (process.env.UPDATE_FIXTURES) writeFileSync(recordedSmokeFile, `${JSON.stringify(kinds, null, 2)}\n`);
      // UPDATE_FIXTURES=1 npx jest __tests__/end-to-end/sandbox.test.ts writes it anew.
      expect(Object.keys(kinds)).toEqual(Object.keys(recordedSmoke()));
    });
  });

  it("can be changed, destroyed and deployed with cdktf, its state in the sandbox's S3", async () => {
    const exports = readFileSync(join(projectRoot, ".sandbox", "environment.sh"), "utf8");
    const settings = Object.fromEntries(
      [...exports.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
    ) as Record<string, string>;
    const cdktf = (...words: string[]) =>
      run(join(projectRoot, "node_modules", ".bin", "cdktf"), words, {
        cwd: projectRoot,
        env: { ...bareEnvironment, ...settings, CI: "true" },
        maxBuffer: 64 * 1024 * 1024,
      });
    const stack = [`notification-sandbox`, "--auto-approve", "--skip-provider-lock"];
    await cdktf("synth");
    await cdktf("destroy", ...stack);
    const { stdout } = await cdktf("deploy", ...stack);
    expect(stdout).toMatch(/Apply complete! Resources: [1-9]\d* added, 0 changed, 0 destroyed/);
    const eventId = await put("Email Notification Request", { emailConfig: { recipient: "again@example.com" } });
    expect(await mailOf(eventId)).toMatchObject({ to: ["again@example.com"] });
  });

  it("destroys everything on Ctrl-C, and stops what it started", async () => {
    sandbox.interrupt();
    expect(await sandbox.end()).toBe(0);
    expect(sandbox.output).toContain("Stopping: what was made is destroyed first.");
    expect(sandbox.output).toMatch(/✔ Nothing of ours is left/);
    await expect(fetch(`${sandbox.url}/_sandbox/health`)).rejects.toThrow();
    expect(existsSync(join(projectRoot, ".sandbox", "environment.sh"))).toBe(false);
  });
});

describe("npm start, stopped while Terraform applies", () => {
  interface Stopped {
    readonly sandbox: SandboxProcess;
    readonly code: number | null;
  }
  let interrupted: Stopped;
  let hungUp: Stopped;
  let littered: Stopped;
  /** The files for the shells of sandboxes that run already. */
  let before: string[];

  const files = join(projectRoot, ".sandbox");
  const readEnvironmentFiles = () =>
    existsSync(files) ? readdirSync(files).filter((name) => name.endsWith(".sh")) : [];

  /** @returns the sandbox once it has ended. */
  async function startAndStop(stop: (sandbox: SandboxProcess) => unknown): Promise<Stopped> {
    const sandbox = new SandboxProcess(await freePort());
    await sandbox.prints(" done");
    await stop(sandbox);
    return { sandbox, code: await sandbox.end() };
  }

  // They run at the same time, because most of it is a wait for the AWS provider.
  beforeAll(async () => {
    before = readEnvironmentFiles();
    [interrupted, hungUp, littered] = await Promise.all([
      startAndStop((sandbox) => {
        sandbox.interrupt();
      }),
      startAndStop((sandbox) => {
        sandbox.hangUp();
      }),
      startAndStop(async (sandbox) => {
        await new SQSClient(awsClientConfig(sandbox.url, "us-east-1")).send(
          new CreateQueueCommand({ QueueName: "stray" }),
        );
        sandbox.interrupt();
      }),
    ]);
  });

  it("destroys what it has made", async () => {
    const { sandbox, code } = interrupted;
    expect(code).toBe(0);
    expect(sandbox.output).toContain("✖ terraform apply: stopped");
    expect(sandbox.output).toMatch(/✔ terraform destroy: (\d+) of \1 done/);
    expect(sandbox.output).toMatch(/✔ Nothing of ours is left/);
    expect(sandbox.output).not.toMatch(/Error|halted|interrupted/);
    await expect(fetch(`${sandbox.url}/_sandbox/health`)).rejects.toThrow();
  });

  it("does so where the terminal is closed, and nobody can read what it says", async () => {
    expect(hungUp.code).toBe(0);
    await expect(fetch(`${hungUp.sandbox.url}/_sandbox/health`)).rejects.toThrow();
    expect(readEnvironmentFiles()).toEqual(before);
  });

  it("fails where something is left, and names it", () => {
    expect(littered.code).toBe(1);
    expect(littered.sandbox.output).toMatch(/\nLeft behind: queue \S+\/stray\n/);
  });
});

it("names a port that is in use, and the way out", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  try {
    const sandbox = new SandboxProcess(port);
    expect(await sandbox.end()).toBe(1);
    expect(sandbox.output).toMatch(new RegExp(`Port ${port} .*is in use[\\s\\S]*SANDBOX_PORT=`));
  } finally {
    server.close();
  }
});

it("names every tool that is missing, and how to get it", async () => {
  const sandbox = new SandboxProcess(await freePort(), [], { PATH: "/nonexistent", HOME: "/nonexistent" });
  expect(await sandbox.end()).toBe(1);
  expect(sandbox.output).toMatch(/Terraform[\s\S]*install/);
  expect(sandbox.output).toMatch(/moto[\s\S]*pip install/);
});
