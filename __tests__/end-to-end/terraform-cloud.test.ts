import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { findLeftovers } from "../../sandbox/leftovers";
import { until } from "aws-emulator/testing/until";
import { withTerraform } from "../../sandbox/synthesize";
import { cloneTo } from "../support/clone";
import { scriptIn } from "../support/console";
import { EmulatedAws } from "../support/emulated-aws";
import { bareEnvironment, patienceMs, projectRoot } from "../support/sandbox";
import { devEnvironment } from "../support/stack";
import { TerraformCloud } from "../support/terraform-cloud/server";
import { Worker } from "../support/terraform-cloud/worker";

/**
 * The stack's folder alone, in the hands of the real Terraform with its real `cloud` block, the real AWS provider and a
 * stand-in of HCP Terraform's API; and this project's own commands against the same workspace. docs/terraform-cloud.md
 * says what this proves, and what it does not.
 */

jest.setTimeout(1_800_000);

const cloud = new TerraformCloud({
  organization: "acme",
  workspace: "mail-dev",
  token: "a-token",
  executionMode: "remote",
});

/** The variables of a stage whose state is in a workspace. */
const stage = { ...devEnvironment, BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail-dev" };

let aws: EmulatedAws;
let environment: Readonly<Record<string, string>>;
/** Nothing but a copy of the stack's folder. */
let folder: string;
/** Where this project's own commands run. */
let checkout: string;
/** Where the scripts of the document find that folder. */
let project: string;

beforeAll(async () => {
  aws = await EmulatedAws.start();
  await cloud.start();
  const ofTerraform = aws.terraformVariables();
  const configuration = join(aws.directory, "cloud.tfrc");
  const providers = readFileSync(ofTerraform.TF_CLI_CONFIG_FILE ?? "", "utf8");
  writeFileSync(configuration, providers + cloud.cliConfiguration);
  environment = {
    ...ofTerraform,
    TF_CLI_CONFIG_FILE: configuration,
  };
  const workDirectory = join(aws.directory, "worker");
  mkdirSync(workDirectory);
  cloud.worker = new Worker({ terraform: aws.tools.terraform.value, workDirectory, environment });

  checkout = cloneTo(join(aws.directory, "a-checkout"));
  const synth = join(aws.directory, "synth");
  execFileSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: projectRoot,
    env: { ...bareEnvironment, ...stage, CDKTF_OUTDIR: synth },
  });
  project = join(aws.directory, "project");
  folder = join(project, "cdktf.out", "stacks", "notification-dev");
  cpSync(join(synth, "stacks", "notification-dev"), folder, { recursive: true });
  rmSync(synth, { recursive: true });
});
afterAll(async () => {
  await cloud.stop();
  await aws.stop();
});

/** Runs Terraform as a person does, with no variable of this project. @returns its output. */
function terraform(...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      aws.tools.terraform.value,
      words,
      { cwd: folder, env: environment, maxBuffer: 2 ** 26 },
      (error, out, errors) => {
        const output = stripVTControlCharacters(out + errors);
        if (error === null) resolve(output);
        else reject(new Error(`terraform ${words.join(" ")} failed:\n${output}`, { cause: error }));
      },
    );
  });
}

it("is all that Terraform needs: no modules of Node, no source, no variable", async () => {
  expect(readdirSync(folder).sort()).toEqual(["assets", "cdk.tf.json"]);
  const output = await terraform("init");
  expect(output).toContain("HCP Terraform has been successfully initialized!");
  expect(await terraform("validate")).toContain("Success! The configuration is valid.");
});

it("is uploaded by npm run deploy, planned by a worker in an empty folder, and applied in another", async () => {
  // The registry of providers may be out of reach, and cdktf would ask it for their hashes.
  const output = await npmRun("deploy", "--", "--auto-approve", "--skip-provider-lock");
  expect(output).toContain("Running apply in HCP Terraform.");
  expect(output).toMatch(/Plan: [1-9]\d+ to add, 0 to change, 0 to destroy\./);
  expect(output).toContain("event_bus_name = shop-dev-event-bus");
  // cdktf leaves out the end of a log that comes all at once.
  expect(cloud.lastRun).toMatchObject({
    status: "applied",
    logs: {
      apply: expect.stringMatching(/Apply complete! Resources: [1-9]\d+ added, 0 changed, 0 destroyed\./) as string,
    },
  });
  expect(cloud.state?.resources.length).toBeGreaterThan(50);
  expect(cloud.requests).toContain("POST /api/v2/workspaces/ws-1/configuration-versions");
});

/**
 * Runs a command of this project as a person does in a checkout. It synthesizes, and hands on to cdktf, and that to the
 * same Terraform. @returns its output.
 */
function npmRun(...words: readonly string[]): Promise<string> {
  const env = withTerraform(aws.tools.terraform.value, { ...bareEnvironment, ...environment, ...stage, CI: "true" });
  return new Promise((resolve, reject) => {
    execFile("npm", ["run", ...words], { cwd: checkout, env, maxBuffer: 2 ** 26 }, (error, out, errors) => {
      const output = stripVTControlCharacters(out + errors);
      if (error === null) resolve(output);
      else reject(new Error(`npm run ${words.join(" ")} failed:\n${output}`, { cause: error }));
    });
  });
}

/** Runs a script of docs/terraform-cloud.md in a project's folder, as it stands there. @returns its last line. */
function runScript(heading: string): Promise<string> {
  const script = scriptIn("docs/terraform-cloud.md", heading).replaceAll("https://app.terraform.io", cloud.url);
  const variables = { STAGE: "dev", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail-dev" };
  const git = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_AUTHOR_NAME: "a", GIT_COMMITTER_NAME: "a", EMAIL: "a@example.com" };
  const env = { ...bareEnvironment, ...variables, ...git, TF_TOKEN_app_terraform_io: "a-token" };
  return new Promise((resolve, reject) => {
    execFile("bash", ["-euc", `${prelude}\n${script}`], { cwd: project, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trimEnd().split("\n").at(-1) ?? "");
      else reject(new Error(`The script failed:\n${stdout}${stderr}`, { cause: error }));
    });
  });
}

/** A repository with a remote one, which has no branch for the synthesized folders yet. */
const prelude = `[ -d .git ] || {
  git init --quiet --initial-branch main && git init --quiet --bare ../remote.git && git remote add origin ../remote.git
  echo cdktf.out > .gitignore && git add .gitignore && git commit --quiet --message source && git push --quiet -u origin main
}`;

it("is planned again without a change, by npm run plan", async () => {
  const output = await npmRun("plan");
  expect(output).toContain("Running plan in HCP Terraform.");
  expect(output).toContain("No changes. Your infrastructure matches the configuration.");
});

it("is planned again without a change, by the API alone, as docs/terraform-cloud.md shows it", async () => {
  const run = await runScript("### By the API");
  expect(run).toMatch(/^run-\d+$/);
  const statusOf = async () => {
    const headers = { Authorization: "Bearer a-token" };
    const response = await fetch(`${cloud.url}/api/v2/runs/${run}`, { headers });
    return ((await response.json()) as { data: { attributes: { status: string } } }).data.attributes.status;
  };
  expect(
    await until(
      "end of the plan",
      async () => {
        const status = await statusOf();
        return status === "planning" ? undefined : status;
      },
      patienceMs,
    ),
  ).toBe("planned_and_finished");
});

it("gets into a branch as docs/terraform-cloud.md shows it, whole and again", async () => {
  for (const message of ["first", "second"]) {
    writeFileSync(join(folder, "left-out.txt"), message);
    await runScript("### From a repository");
  }
  const cloned = join(aws.directory, "cloned");
  execFileSync("git", ["clone", "--quiet", "--branch", "synthesized", join(aws.directory, "remote.git"), cloned]);
  expect(readdirSync(join(cloned, "dev")).sort()).toEqual(
    readdirSync(folder)
      .filter((name) => name !== ".terraform")
      .sort(),
  );
  expect(readFileSync(join(cloned, "dev", "left-out.txt"), "utf8")).toBe("second");
  expect(readFileSync(join(cloned, "dev", "cdk.tf.json"))).toEqual(readFileSync(join(folder, "cdk.tf.json")));
  rmSync(join(folder, "left-out.txt"));
});

describe("with the workspace's execution mode local", () => {
  beforeAll(() => {
    cloud.options = { ...cloud.options, executionMode: "local" };
  });

  it("keeps the state in the workspace, and runs here", async () => {
    const output = await npmRun("plan");
    expect(output).toContain("No changes. Your infrastructure matches the configuration.");
    expect(output).not.toContain("in HCP Terraform.");
    expect(JSON.parse(await terraform("output", "-json"))).toMatchObject({
      function_name: { value: "shop-dev-email-processor" },
    });
  });

  it("is refused while the workspace is locked, and says by what name to unlock it", async () => {
    const lock = (action: string) =>
      fetch(`${cloud.url}/api/v2/workspaces/ws-1/actions/${action}`, {
        method: "POST",
        headers: { Authorization: "Bearer a-token" },
      });
    await lock("lock");
    await expect(terraform("plan")).rejects.toThrow(/workspace already locked \(lock ID: "acme\/mail-dev"\)/);
    await terraform("force-unlock", "-force", "acme/mail-dev");
    expect(await terraform("plan")).toContain("No changes.");
  });

  it("destroys what the worker has made", async () => {
    await terraform("destroy", "-auto-approve");
    expect(cloud.state?.resources).toEqual([]);
    expect(await findLeftovers(aws.client)).toEqual([]);
  });
});
