import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { type Gateway, inboxDirectory, startGateway } from "aws-emulator";
import { inheritedBy } from "./child-environment";
import { type EnvironmentFile, writeEnvironmentFile } from "./environment-file";
import { environmentScript } from "./environment-script";
import { findLeftovers } from "./leftovers";
import { catalogue } from "../handler/notifications";
import { writeGallery } from "./preview/gallery";
import { previewsOf } from "./preview/previews";
import { startMoto } from "aws-emulator/processes";
import { failureActionsOf } from "./redrive-action";
import { type SampleDelivered, sendSamples } from "./samples";
import { type SandboxSettings } from "./settings";
import { type Step, type Steps } from "./steps";
import { asOneWord, synthesize } from "./synthesize";
import { Progress, sandboxEnvironment, Terraform, terraformEnvironment } from "./terraform";
import { prepareTools, type Tools } from "./tools";
import { exampleEventOf, sendCommandOf } from "./usage";

const projectRoot = join(__dirname, "..");

/** How long the sandbox waits before it repeats a failed invocation. Lambda itself waits for about 1 and 2 minutes. */
const retryDelaysMs = [1000, 2000];

/** How long Terraform's provider may take to read an answer, in milliseconds. */
const settlingMs = 250;

export interface SampleReport {
  readonly delivered: readonly SampleDelivered[];
  /** A sentence for each notification whose mail did not arrive as it should have. */
  readonly problems: readonly string[];
}

/** A sandbox that has started. */
export interface RunningSandbox {
  readonly environmentFile: EnvironmentFile;
  readonly samples: SampleReport;
  /** @throws Error with the plan's text where a second plan would change something. */
  expectNoChanges(): Promise<void>;
}

export interface SandboxOptions {
  readonly settings: SandboxSettings;
  readonly steps: Steps;
  /** Interrupts `up`. */
  readonly stopping: AbortSignal;
}

/** The whole system on this machine: an emulator of AWS, and the stack that Terraform applies to it. */
export class Sandbox {
  /** Functions that undo what `up` has done so far. The last one runs first. */
  private readonly undoing: (() => void | Promise<void>)[] = [];

  constructor(private readonly options: SandboxOptions) {}

  /**
   * Starts everything. Call `down` afterwards, also after an error.
   * @throws Error of the step that failed.
   */
  async up(): Promise<RunningSandbox> {
    const workDirectory = mkdtempSync(join(tmpdir(), "email-sandbox-"));
    this.undoing.push(() => {
      rmSync(workDirectory, { recursive: true, force: true });
    });
    const tools = await this.find();
    const gateway = await this.startAws(tools, workDirectory);
    const stackFolder = await this.synthesize(tools, join(workDirectory, "synth"));
    const environment = this.environmentOf(tools, workDirectory);
    const environmentFile = await this.writeEnvironment(environment, tools, workDirectory);
    const terraform = new Terraform({
      binary: tools.terraform.value,
      directory: stackFolder,
      environment,
      signal: this.options.stopping,
      beforeInterrupt: async () => {
        await gateway.hold();
        // The provider needs a moment to read the answers that it has got, and to tell Terraform.
        await setTimeout(settlingMs);
      },
    });
    await this.apply(terraform, gateway);
    const samples = await this.sendSamples();
    gateway.markReady();
    return { environmentFile, samples, expectNoChanges: () => this.expectNoChanges(terraform) };
  }

  /**
   * Destroys and stops what `up` has started. If one part fails, the others are still tried.
   * @returns the errors.
   */
  async down(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (const undo of this.undoing.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  private find(): Promise<Tools> {
    const { steps, stopping } = this.options;
    return steps.run("Find Terraform, its providers and moto", async (step) => {
      const tools = await prepareTools({
        onFetch: (line) => {
          step.note(line);
        },
        signal: stopping,
      });
      const aws = tools.awsProvider?.by ?? "registry";
      const archive = tools.archiveProvider?.by ?? "registry, or the stand-in";
      step.rename(
        `Found Terraform (${tools.terraform.by}), moto (${tools.moto.by}), AWS provider (${aws}), archive provider (${archive})`,
      );
      return tools;
    });
  }

  private startAws(tools: Tools, folder: string): Promise<Gateway> {
    const { settings, steps } = this.options;
    const { port, endpoint, region, config, names, client } = settings;
    return steps.run(`Start AWS on ${endpoint}`, async () => {
      const previewFolder = join(folder, "preview");
      writeGallery(previewFolder, previewsOf(catalogue), { home: { address: "../../", title: "Inbox" } });
      const moto = await startMoto(tools.moto.value);
      this.undoing.push(() => moto.stop());
      const gateway = await startGateway({
        port,
        motoSocket: moto.socket,
        region,
        accountId: config.accountId,
        workDirectory: join(folder, "functions"),
        retryDelaysMs,
        assetsDirectory: inboxDirectory,
        failureActions: failureActionsOf({ port }),
        sendCommand: sendCommandOf(port),
        exampleEvent: exampleEventOf(names),
        pages: [{ name: "preview", title: "Preview", directory: previewFolder }],
      }).catch((error: unknown) => {
        throw isPortInUse(error)
          ? new Error(`${error.message} Set SANDBOX_PORT=<n> to choose one.`, { cause: error })
          : error;
      });
      this.undoing.push(() => gateway.close());
      if (config.backend.kind === "s3") {
        await new S3Client(client).send(new CreateBucketCommand({ Bucket: config.backend.bucket }));
      }
      return gateway;
    });
  }

  /** @returns the stack's folder. */
  private async synthesize(tools: Tools, outdir: string): Promise<string> {
    const { settings, steps } = this.options;
    const stackName = `notification-${settings.config.stage}`;
    await steps.run(`Synthesize ${stackName}`, () =>
      synthesize(projectRoot, {
        terraform: tools.terraform.value,
        environment: {
          ...inheritedBy("any"),
          STAGE: settings.config.stage,
          AWS_REGION: settings.region,
          CDKTF_OUTDIR: outdir,
        },
      }),
    );
    return join(outdir, "stacks", stackName);
  }

  private environmentOf(tools: Tools, workDirectory: string): Record<string, string> {
    const { endpoint, region } = this.options.settings;
    return { ...terraformEnvironment(tools, workDirectory), ...sandboxEnvironment(endpoint, region) };
  }

  private async writeEnvironment(
    environment: Readonly<Record<string, string>>,
    tools: Tools,
    workDirectory: string,
  ): Promise<EnvironmentFile> {
    const { port, config } = this.options.settings;
    // Without a cache of its own, cdktf would put the providers of this sandbox into a cache of the whole machine. The
    // stand-in of the archive provider has other bytes in each sandbox, so the lock files of another sandbox's stacks
    // would no longer fit.
    const pluginCache = join(workDirectory, "terraform-plugins");
    mkdirSync(pluginCache);
    const owner = { pid: process.pid, port };
    const script = environmentScript(
      {
        TF_PLUGIN_CACHE_DIR: pluginCache,
        ...environment,
        TERRAFORM_BINARY_NAME: asOneWord(tools.terraform.value, workDirectory),
        SANDBOX_PORT: String(port),
        STAGE: config.stage,
        // What the shell has exported for another stage would win over the sandbox's own settings.
        PROJECT_NAME: config.projectName,
        AWS_ACCOUNT_ID: config.accountId,
        AWS_REGION: config.region,
        EMAIL_SENDER: config.senders[0].address,
        EMAIL_RECIPIENT: config.recipients.join(","),
      },
      owner,
    );
    const file = await writeEnvironmentFile({
      folder: join(projectRoot, ".sandbox"),
      spareFolder: workDirectory,
      owner,
      script,
    });
    this.undoing.push(() => {
      file.remove();
    });
    return file;
  }

  private async apply(terraform: Terraform, gateway: Gateway): Promise<void> {
    const { steps } = this.options;
    await steps.run("terraform init", () => terraform.init());
    await steps.run("terraform apply", async (step) => {
      this.undoing.push(() => {
        gateway.resume();
        return this.destroy(terraform);
      });
      const progress = new Progress();
      await terraform.apply({ onLine: reportTo(step, progress) });
      step.rename(`terraform apply: ${progress.toString()}`);
    });
  }

  private async destroy(terraform: Terraform): Promise<void> {
    const { settings, steps } = this.options;
    await steps.runAlways("terraform destroy", async (step) => {
      const progress = new Progress();
      await terraform.destroy(reportTo(step, progress));
      step.rename(`terraform destroy: ${progress.toString()}`);
    });
    await steps.runAlways("Nothing of ours is left in the emulator", async () => {
      const leftovers = await findLeftovers(settings.client);
      if (leftovers.length > 0) throw new Error(`Left behind: ${leftovers.join(", ")}`);
    });
  }

  /**
   * Sends the samples. A sample that fails is reported and does not end the sandbox, because the inbox shows the cause.
   */
  private sendSamples(): Promise<SampleReport> {
    const { settings, steps } = this.options;
    const { endpoint, client, config, names } = settings;
    const title = "Send a sample of each notification";
    return steps.run(title, async (step) => {
      const results = await sendSamples({
        endpoint,
        client,
        busName: names.of("event-bus"),
        namePrefix: names.prefix,
        recipients: config.recipients,
      });
      const delivered = results.filter((result) => result.kind === "delivered");
      const problems = results
        .filter((result) => result.kind === "failed")
        .map(({ notification, reason }) => `The sample of "${notification}" was not delivered: ${reason}`);
      if (problems.length > 0) step.rename(`${title}: ${delivered.length} of ${results.length} arrived`);
      return { delivered, problems };
    });
  }

  private expectNoChanges(terraform: Terraform): Promise<void> {
    return this.options.steps.run("A second plan shows no changes", async () => {
      const changes = await terraform.findChanges();
      if (changes !== undefined) throw new Error(`The second plan shows changes:\n${changes}`);
    });
  }
}

/** The emulator reports a port that is in use, but it does not know how a person chooses another one here. */
function isPortInUse(error: unknown): error is Error {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";
}

/** Shows how far Terraform is. Each quarter of the resources is a milestone. */
function reportTo(step: Step, progress: Progress): (line: string) => void {
  return (line) => {
    const before = progress.quarters;
    if (progress.take(line)) step.progress(progress.toString(), progress.quarters > before && !progress.isThrough);
  };
}
