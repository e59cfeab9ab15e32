import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { Listr, PRESET_TIMER } from "listr2";
import { inheritedBy } from "./child-environment";
import { type Door, startDoor } from "./door";
import { environmentScript } from "./environment-script";
import { findLeftovers } from "./leftovers";
import { type RunningMoto, startMoto } from "./moto";
import { type DeliveredSample, sendSamples } from "./samples";
import { stages } from "../stacks/stages";
import { sandboxSettings } from "./settings";
import { Progress, sandboxEnvironment, Terraform, terraformEnvironment } from "./terraform";
import { findTools, prepareTools, type Tools } from "./tools";

/** `npm start`: the whole system on this machine. See "The sandbox" in README.md. */

/** Lambda waits about 1 and 2 minutes. */
const retryDelaysMs = [1000, 2000];
const projectRoot = join(__dirname, "..");

/** For a shell that talks to the running sandbox with cdktf, Terraform or the AWS CLI. */
const environmentFile = join(projectRoot, ".sandbox", "environment.sh");

interface Sandbox {
  tools?: Tools;
  moto?: RunningMoto;
  door?: Door;
  terraform?: Terraform;
  applied?: boolean;
  wroteEnvironment?: boolean;
  delivered?: DeliveredSample[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: "boolean", default: false } } });
  const { port, endpoint, region, config, names, client } = sandboxSettings();
  if (config.backend.kind !== "s3") throw new Error("The sandbox keeps its state in its own S3.");
  const { bucket } = config.backend;
  const stackName = `notification-${config.stage}`;
  const workDirectory = mkdtempSync(join(tmpdir(), "email-sandbox-"));
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener("abort", () => {
      resolve();
    });
  });
  // The last: somebody closed the terminal. What is printed after that has nowhere to go.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (!stopping.signal.aborted) console.log("\nStopping: what was made is destroyed first.");
      stopping.abort();
    });
  }
  const sandbox: Sandbox = {};
  const goOn = () => {
    if (stopping.signal.aborted) throw new Error("Stopped before the sandbox was up.");
  };
  const terraformOf = (state: Sandbox) => {
    if (state.terraform === undefined)
      throw new Error("Terraform has not been set up; this is a bug in sandbox/start.ts.");
    return state.terraform;
  };

  const up = new Listr<Sandbox>(
    [
      {
        title: "Find Terraform, its providers and moto",
        // What was fetched stays on the screen.
        rendererOptions: { persistentOutput: true, outputBar: Infinity },
        task: async (context, task) => {
          const tools = await prepareTools({ onFetch: (line) => (task.output = line), signal: stopping.signal });
          context.tools = tools;
          const aws = tools.awsProvider?.by ?? "registry";
          const archive = tools.archiveProvider?.by ?? "registry, or the stand-in";
          task.title = `Found Terraform (${tools.terraform.by}), moto (${tools.moto.by}), AWS provider (${aws}), archive provider (${archive})`;
        },
      },
      {
        title: `Start AWS on ${endpoint}`,
        task: async (context) => {
          goOn();
          context.moto = await startMoto(context.tools ?? findTools());
          context.door = await startDoor({
            port,
            motoSocket: context.moto.socket,
            region,
            accountId: config.accountId,
            workDirectory: join(workDirectory, "functions"),
            retryDelaysMs,
            assetsDirectory: join(__dirname, "inbox"),
          });
          await new S3Client(client).send(new CreateBucketCommand({ Bucket: bucket }));
        },
      },
      {
        title: `Synthesize ${stackName}`,
        task: async () => {
          goOn();
          await synthesize(join(workDirectory, "synth"), region);
        },
      },
      {
        title: "terraform init",
        task: async (context) => {
          goOn();
          const tools = context.tools ?? findTools();
          const environment = {
            ...terraformEnvironment(tools, workDirectory),
            ...sandboxEnvironment(endpoint, region),
          };
          mkdirSync(dirname(environmentFile), { recursive: true });
          const script = environmentScript({ ...environment, STAGE: config.stage, ...stages.sandbox.defaults });
          writeFileSync(environmentFile, script, { mode: 0o600 });
          context.wroteEnvironment = true;
          context.terraform = new Terraform({
            binary: tools.terraform.value,
            directory: join(workDirectory, "synth", "stacks", stackName),
            environment,
            signal: stopping.signal,
          });
          await context.terraform.init();
        },
      },
      {
        title: "terraform apply",
        task: async (context, task) => {
          goOn();
          context.applied = true;
          const progress = new Progress();
          await terraformOf(context).apply({
            onLine: (line) => {
              if (progress.take(line)) task.output = progress.toString();
            },
          });
        },
      },
      {
        title: "Send a sample of each notification",
        task: async (context) => {
          goOn();
          context.delivered = await sendSamples({
            endpoint,
            client,
            busName: names.of("event-bus"),
            namePrefix: names.prefix,
          });
          context.door?.markReady();
        },
      },
      {
        title: "A second plan shows no changes",
        enabled: values.once,
        task: async (context) => {
          goOn();
          const changes = await terraformOf(context).findChanges();
          if (changes !== undefined) throw new Error(`The second plan shows changes:\n${changes}`);
        },
      },
    ],
    {
      rendererOptions: { timer: PRESET_TIMER },
      fallbackRendererOptions: { timer: PRESET_TIMER },
      ctx: sandbox,
      registerSignalListeners: false,
    },
  );

  let failure: unknown;
  let isWanted = false;
  try {
    await up.run();
    for (const { notification, subject, to } of sandbox.delivered ?? []) {
      console.log(`  ${notification.padEnd(16)} "${subject}" to ${to}`);
    }
    if (!values.once) {
      console.log(usage(endpoint, region, names.of("event-bus")));
      await stopped;
    }
  } catch (error) {
    failure = error;
    // Who stopped it knows that it did not come up; that it does not go down is news.
    isWanted = stopping.signal.aborted && !values.once;
  }

  const down = new Listr(
    [
      {
        title: "terraform destroy",
        enabled: sandbox.applied === true,
        task: async () => {
          await terraformOf(sandbox).destroy();
        },
      },
      {
        title: "Nothing of ours is left in the emulator",
        enabled: sandbox.applied === true,
        task: async () => {
          const leftovers = await findLeftovers(client);
          if (leftovers.length > 0) throw new Error(`Left behind: ${leftovers.join(", ")}`);
        },
      },
    ],
    {
      exitOnError: false,
      // Without it, a failed task is shown and forgotten.
      collectErrors: "minimal",
      rendererOptions: { timer: PRESET_TIMER },
      fallbackRendererOptions: { timer: PRESET_TIMER },
      registerSignalListeners: false,
    },
  );
  try {
    await down.run();
  } finally {
    await sandbox.door?.close();
    await sandbox.moto?.stop();
    rmSync(workDirectory, { recursive: true, force: true });
    // Another sandbox, on another port, may have written it.
    if (sandbox.wroteEnvironment) rmSync(environmentFile, { force: true });
  }
  const failures = [...(failure === undefined || isWanted ? [] : [failure]), ...down.errors];
  if (failures.length > 0) throw new Error(failures.map(messageOf).join("\n\n"));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** In a process of its own, as `cdktf synth` does it. */
function synthesize(outdir: string, region: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "main.ts"], {
      cwd: projectRoot,
      env: { ...inheritedBy("any"), STAGE: "sandbox", AWS_REGION: region, CDKTF_OUTDIR: outdir },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The synth failed:\n${errors}`));
    });
  });
}

function usage(endpoint: string, region: string, bus: string): string {
  const detail = {
    emailConfig: { recipient: "you@example.com", subject: "Hello" },
    title: "Hello",
    message: "From the sandbox.",
  };
  const entry = {
    Source: "custom.application",
    DetailType: "Email Notification Request",
    EventBusName: bus,
    Detail: JSON.stringify(detail),
  };
  return `
Inbox: ${endpoint}/_sandbox/

Put an event:
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  aws events put-events --region ${region} --endpoint-url ${endpoint} --entries '${JSON.stringify([entry])}'

Ctrl-C stops it and removes everything.`;
}

main().catch((error: unknown) => {
  console.error(`\n${messageOf(error)}`);
  process.exitCode = 1;
});
