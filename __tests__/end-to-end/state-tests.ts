import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { withTerraform } from "../../sandbox/synthesize";
import { Terraform } from "../../sandbox/terraform";
import { exampleAccountId } from "../../stacks/stages";
import { commandsIn } from "../support/console";
import { type EmulatedAws } from "../support/emulated-aws";
import { bareEnvironment, projectRoot } from "../support/sandbox";
import { devEnvironment } from "../support/stack";

const region = devEnvironment.AWS_REGION ?? "";
const key = `shop/dev/${region}/terraform.tfstate`;

/** A `terraform apply` that holds the state's lock while it waits for a person's yes. */
class WaitingApply {
  output = "";
  readonly child;
  readonly ended: Promise<number | null>;
  /** Resolves once it asks, or has ended. */
  readonly settled: Promise<unknown>;

  constructor(aws: EmulatedAws, folder: string, replaced: string) {
    this.child = spawn(aws.tools.terraform.value, ["apply", "-no-color", `-replace=${replaced}`], {
      cwd: folder,
      env: { ...aws.terraformVariables(), TF_INPUT: "1" },
      // A process group of its own, so that it can be killed together with its providers.
      detached: true,
    });
    this.ended = once(this.child, "close").then(([code]) => code as number | null);
    const asks = new Promise((resolve) => {
      for (const stream of [this.child.stdout, this.child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          this.output += chunk.toString();
          if (this.asks) resolve(undefined);
        });
      }
    });
    this.settled = Promise.race([asks, this.ended]);
  }

  get asks(): boolean {
    return this.output.includes("Enter a value:");
  }

  answer(text: string): void {
    this.child.stdin.end(`${text}\n`);
  }

  /** Kills it, where it still runs, as a machine that goes down does: it gives no lock back. */
  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
    await this.ended;
  }
}

/** A stage that is applied, with its state in the bucket, as people and jobs have it. */
interface AppliedStage {
  readonly aws: EmulatedAws;
  /** A checkout where the commands of the runbook find the stack's folder, which Terraform has initialized. */
  readonly project: string;
  /** Another folder of the same stack, as of another person. */
  readonly other: string;
}

/**
 * The tests of a stage's state, in the hands of the real Terraform and the real AWS provider. They belong to a test that
 * has applied a stage: to apply one takes more than a minute, and they leave the stage and its state as they were.
 * @param applied is called in the tests.
 */
export function testState(applied: () => AppliedStage): void {
  let aws: EmulatedAws;
  let s3: S3Client;
  let project: string;
  let otherFolder: string;
  let stageFolder: string;

  beforeAll(() => {
    ({ aws, project, other: otherFolder } = applied());
    stageFolder = join(project, "cdktf.out", "stacks", "notification-dev");
    s3 = new S3Client(aws.client);
  });

  /** A test that fails leaves them, and jest would wait for them. */
  const waiting: WaitingApply[] = [];
  afterAll(() => Promise.all(waiting.map((apply) => apply.kill())));

  /** @returns the folder of the stage's stack. */
  function synthesizeTo(outdir: string, environment: Readonly<Record<string, string>>): string {
    execFileSync(process.execPath, ["--import", "tsx", "main.ts"], {
      cwd: projectRoot,
      env: { ...bareEnvironment, ...devEnvironment, ...environment, CDKTF_OUTDIR: outdir },
    });
    return join(outdir, "stacks", "notification-dev");
  }

  const terraformIn = (folder: string, inRegion = region) =>
    new Terraform({
      binary: aws.tools.terraform.value,
      directory: folder,
      environment: aws.terraformVariables({ region: inRegion }),
    });

  async function storedState(): Promise<{ lineage: string; serial: number; resources: unknown[] }> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: aws.stateBucket, Key: key }));
    return JSON.parse((await Body?.transformToString()) ?? "") as Awaited<ReturnType<typeof storedState>>;
  }

  const addressOf = async (type: string) =>
    (await terraformIn(stageFolder).stateList()).find((address) => address.startsWith(`${type}.`)) ?? "";

  /** Runs commands as a person does in a shell of the project's folder. @returns what they print. */
  function shell(commands: readonly string[]): Promise<string> {
    const env = withTerraform(aws.tools.terraform.value, {
      ...bareEnvironment,
      ...aws.terraformVariables(),
      ...devEnvironment,
      AWS_ACCOUNT_ID: exampleAccountId,
    });
    // The stack's folder is there, so nothing has to make it.
    const script = ["npm() { :; }", ...commands].join("\n");
    return new Promise((resolve) => {
      execFile("bash", ["-c", script], { cwd: project, env }, (_, stdout, stderr) => {
        resolve(stdout + stderr);
      });
    });
  }

  it("lets one of two applies at once through, and names it to the other", async () => {
    const before = await storedState();
    const replaced = await addressOf("aws_cloudwatch_dashboard");
    const applies = [stageFolder, otherFolder].map((folder) => new WaitingApply(aws, folder, replaced));
    waiting.push(...applies);
    await Promise.all(applies.map(({ settled }) => settled));
    const [winner, ...others] = applies.filter(({ asks }) => asks);
    const loser = applies.find(({ asks }) => !asks);
    // Without the lock, both would have planned, and would wait for their yes.
    expect(others.map(({ output }) => output)).toEqual([]);
    expect(await loser?.ended).toBe(1);
    expect(loser?.output).toContain("Error acquiring the state lock");
    expect(loser?.output).toMatch(
      new RegExp(`Path: +${aws.stateBucket}/${key}\\n.*Operation: +OperationTypeApply\\n.*Who: +\\S+@\\S+`),
    );
    expect(await storedState()).toEqual(before);

    winner?.answer("yes");
    expect([winner?.output, await winner?.ended]).toEqual([expect.anything(), 0]);
    const { lineage, serial, resources } = await storedState();
    expect([lineage, resources.length]).toEqual([before.lineage, before.resources.length]);
    expect(serial).toBeGreaterThan(before.serial);
  });

  it("gets rid of the lock of a killed deployment as the runbook says", async () => {
    const killed = new WaitingApply(aws, otherFolder, await addressOf("aws_cloudwatch_dashboard"));
    waiting.push(killed);
    await killed.settled;
    // The two applies of the test above have left nothing to do but what this one was told.
    expect(killed.output).toContain("Plan: 1 to add, 0 to change, 1 to destroy.");
    expect(killed.output).not.toContain("Changes to Outputs");
    await killed.kill();
    const failure: unknown = await terraformIn(stageFolder)
      .plan()
      .catch((error: unknown) => error);
    const [, id = ""] = /Error acquiring the state lock[\s\S]*ID: +(\S+)/.exec(String(failure)) ?? [];
    expect([String(failure), id]).toEqual([expect.anything(), expect.stringMatching(/^[\da-f-]{36}$/)]);

    const shown = commandsIn("docs/runbook.md", "## A deployment left its lock");
    const commands = shown.map(({ command }) => command.replace(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/, id));
    expect(commands.at(-1)).toContain(id);
    expect(await shell(commands)).toContain(shown.at(-1)?.output ?? "no output");
    expect(await terraformIn(stageFolder).findChanges()).toBeUndefined();
  });

  it("restores an older state as the runbook says", async () => {
    // The mistake: somebody takes resources out of the state that are in AWS.
    const before = await storedState();
    await shell([`cd cdktf.out/stacks/notification-$STAGE`, `terraform state rm ${await addressOf("aws_sqs_queue")}`]);
    expect((await terraformIn(stageFolder).plan()).text).toMatch(/Plan: [1-9]\d* to add/);

    const shown = commandsIn("docs/runbook.md", "## Restore an older state");
    const listing = shown.findIndex(({ command }) => command.includes("list-object-versions"));
    const ids = (output: string) => output.split("\n").map((line) => line.split("\t")[1] ?? "");
    const [, documented = ""] = ids(shown[listing]?.output ?? "");
    const upToListing = shown.slice(0, listing + 1).map(({ command }) => command);
    const [, older = ""] = ids(await shell(upToListing));
    const commands = shown.map(({ command }) => command.replace(documented, older));
    expect(commands.filter((command) => command.includes(older))).toHaveLength(1);
    const output = await shell(commands);
    for (const text of ["cannot import state with serial", "found no differences, so no changes are needed"]) {
      expect(output).toContain(text);
      expect(shown.some((each) => each.output.includes(text))).toBe(true);
    }
    const { lineage, resources } = await storedState();
    expect([lineage, resources]).toEqual([before.lineage, before.resources]);
  });

  it("plans a second region without an edit, with a state of its own in the same bucket", async () => {
    const outdir = join(aws.directory, "second-region");
    const folder = synthesizeTo(outdir, { AWS_REGION: "us-west-2", STATE_REGION: region });
    const terraform = terraformIn(folder, "us-west-2");
    await terraform.init();
    expect(await terraform.stateList()).toEqual([]);
    expect((await terraform.plan()).text).toMatch(/Plan: [1-9]\d+ to add, 0 to change, 0 to destroy\./);
  });

  it("refuses credentials of another account than the stage's", async () => {
    const outdir = join(aws.directory, "second-account");
    const folder = synthesizeTo(outdir, { AWS_ACCOUNT_ID: "210987654321" });
    await expect(terraformIn(folder).init()).rejects.toThrow(/AWS account ID not allowed: 123456789012/i);
  });
}
