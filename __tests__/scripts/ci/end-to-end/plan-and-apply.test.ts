import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { CloudWatchLogsClient, PutRetentionPolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { catalogue } from "../../../../handler/notifications";
import { emailRequest } from "../../../../handler/notifications/email-request";
import { findLeftovers } from "../../../../sandbox/leftovers";
import { withTerraform } from "../../../../sandbox/synthesize";
import { Terraform } from "../../../../sandbox/terraform";
import { type Manifest } from "../../../../scripts/ci/artifact";
import { storedTemplateName } from "../../../../stacks/templates/load";
import { testState } from "../../../end-to-end/state-tests";
import { EmulatedAws } from "../../../support/emulated-aws";
import { GitHubServer, mergedPull, planRun } from "../../../support/github-server";
import { projectRoot } from "../../../support/sandbox";
import { devEnvironment } from "../../../support/stack";

/**
 * The steps of the workflows one behind the other, each in a folder of its own, as GitHub runs them: the plan of a pull
 * request, its comment, the deployment of that plan after a squash merge, and the look for drift. Terraform, the providers
 * and the synthesized JSON are the real ones; the emulator stands for AWS, and a small server for GitHub.
 */

jest.setTimeout(1_800_000);

const { AWS_REGION: region = "", STAGE: stage = "", ...variables } = devEnvironment;

let aws: EmulatedAws;
let github: GitHubServer;
/** The variables of a job. */
let jobEnvironment: Record<string, string | undefined>;

beforeAll(async () => {
  aws = await EmulatedAws.start();
  copyProject(join(aws.directory, "project"));
  github = await GitHubServer.start();
  const { apiUrl, repository, token } = github.options;
  jobEnvironment = {
    ...withTerraform(aws.tools.terraform.value, aws.terraformVariables()),
    STAGE: stage,
    CI_VARIABLES: JSON.stringify({
      ...variables,
      AWS_REGION: region,
      // A domain has more beside its identity than an address.
      SENDER_IDENTITY: "domain",
      AWS_PLAN_ROLE_ARN: "arn:aws:iam::1:role/plan",
    }),
    GITHUB_API_URL: apiUrl,
    GITHUB_REPOSITORY: repository,
    GITHUB_TOKEN: token,
    GITHUB_SERVER_URL: "https://github.example",
    GITHUB_RUN_ID: "42",
  };
  await aws.makeStateBucket();
});
afterAll(async () => {
  await github.close();
  await aws.stop();
});

const git = (folder: string, ...words: string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.example", ...words], {
    cwd: folder,
    encoding: "utf8",
  }).trim();

/** Copies the files of this checkout, as they are now: they may change while the tests run. */
function copyProject(to: string): void {
  const files = git(projectRoot, "ls-files", "--cached", "--others", "--exclude-standard").split("\n");
  for (const file of files.filter((path) => existsSync(join(projectRoot, path)))) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(to, file));
  }
}

/** A checkout with the project's files and its dependencies. */
function checkout(name: string): { readonly folder: string; readonly commit: string } {
  const folder = join(aws.directory, name);
  cpSync(join(aws.directory, "project"), folder, { recursive: true });
  git(folder, "init", "-q");
  git(folder, "add", "--all");
  git(folder, "commit", "-q", "-m", name);
  symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, ".git/info/exclude"), "/node_modules\n");
  return { folder, commit: git(folder, "rev-parse", "HEAD") };
}

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs a step as a workflow does. */
const step = (folder: string, ...words: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const command = ["run", "--silent", "ci", "--", ...words];
    const options = { cwd: folder, env: jobEnvironment as NodeJS.ProcessEnv, maxBuffer: 2 ** 26 };
    execFile("npm", command, options, (error, output, errors) => {
      resolve({ code: error === null ? 0 : 1, output, errors });
    });
  });

async function succeed(folder: string, ...words: readonly string[]): Promise<string> {
  const { code, output, errors } = await step(folder, ...words);
  if (code !== 0) throw new Error(`${words.join(" ")} failed:\n${output}${errors}`);
  return output;
}

async function refusal(folder: string, ...words: readonly string[]): Promise<string> {
  const { code, errors } = await step(folder, ...words);
  if (code === 0) throw new Error(`${words.join(" ")} was not refused.`);
  return errors.trim().split("\n").slice(-3).join("\n");
}

const nothingIsThere = async () => {
  expect(await findLeftovers(aws.client)).toEqual([]);
};

/** Carries an artifact as GitHub does: files alone, without modes and links. */
function download(from: string, to: string): void {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const copy = join(to, relative(from, file));
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, readFileSync(file));
  }
}

const artifact = () => join(aws.directory, "plans", stage);
const manifestIn = (folder: string) => JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;

/** A copy of the artifact whose tar was unpacked, changed, and packed again. */
function damaged(name: string, damage: (stack: string, folder: string) => void): string {
  const folder = join(aws.directory, name);
  const stack = join(aws.directory, `${name}-stack`);
  download(artifact(), folder);
  mkdirSync(stack);
  execFileSync("tar", ["-x", "-f", join(folder, "stack.tar")], { cwd: stack });
  damage(stack, folder);
  execFileSync("tar", ["-c", "-f", join(folder, "stack.tar"), "."], { cwd: stack });
  return folder;
}

const zipOf = ({ files }: Manifest): string => {
  const found = Object.keys(files).find((path) => path.endsWith(".zip"));
  if (found === undefined) throw new Error(`The artifact has no zip: ${Object.keys(files).join(", ")}`);
  return found;
};

let merged: { readonly folder: string; readonly commit: string };
let plannedHash: string;

it("plans a pull request, and writes its comment once", async () => {
  const { folder, commit } = checkout("pull-request");
  await succeed(folder, "plan", "--artifact", artifact());
  const manifest = manifestIn(artifact());
  expect(manifest).toMatchObject({ stage, commit, state: null, settings: { STAGE: stage, AWS_REGION: region } });
  expect(Object.keys(manifest.settings)).not.toContain("AWS_PLAN_ROLE_ARN");
  plannedHash = createHash("sha256")
    .update(readFileSync(join(folder, "cdktf.out/stacks", manifest.stack, zipOf(manifest))))
    .digest("base64");

  const comment = ["comment", "--stages", JSON.stringify([stage, "prod"]), "--artifacts", dirname(artifact())];
  const text = await succeed(folder, ...comment);
  expect(text).toMatch(/^## Plan of the stage .*\bdev\b/m);
  const summary = readFileSync(join(artifact(), "summary.md"), "utf8");
  expect(summary).toMatch(/^### Permissions$[^]*^### Templates$/m);
  expect(text).toContain(summary.slice(0, 10_000));
  const pages = readdirSync(join(artifact(), "mails"));
  expect(pages).toEqual(catalogue.map(({ id }) => `${id}.html`).sort());
  for (const page of pages) expect(summary).toContain(page);
  expect(text).toContain("## The stage prod was not planned");
  await succeed(folder, ...comment, "--pull-request", "7");
  await succeed(folder, ...comment, "--pull-request", "7");
  expect(github.comments.get(7)?.map(({ body }) => body?.trim())).toEqual([text.trim()]);

  github.runs.push(planRun(commit));
  github.artifacts.set(1, [{ id: 70, name: `plan-${stage}`, expired: false }]);
  // The job's machine is gone with all that was on it.
  rmSync(folder, { recursive: true });
});

it("finds that plan for the commit of a squash merge", async () => {
  merged = checkout("squash-merge");
  const { commit, tree, ...planned } = manifestIn(artifact());
  expect(planned.stage).toBe(stage);
  expect(merged.commit).not.toBe(commit);
  github.pulls.push(mergedPull(commit, merged.commit));
  for (const ref of [merged.commit, "heads/main"]) github.commits.set(ref, { sha: merged.commit, tree });
  const words = ["find-plan", "--stage", stage, "--commit", merged.commit, "--branch", "main"];
  expect(await succeed(merged.folder, ...words)).toBe("run-id=1\nartifact-id=70\n");
});

const apply = (from: string, into: string) => [
  "apply",
  "--stage",
  stage,
  "--artifact",
  from,
  "--into",
  join(aws.directory, into),
];

describe("a plan is refused before anything changes", () => {
  afterEach(nothingIsThere);

  it("where the commit has moved on", async () => {
    const { folder } = checkout("moved");
    writeFileSync(join(folder, "README.md"), "another change, which was merged in between\n");
    git(folder, "commit", "-q", "--all", "-m", "moved on");
    expect(await refusal(folder, ...apply(artifact(), "moved-stack"))).toMatch(
      /^The commit has moved on: .*make a new plan/,
    );
  });

  it("where the zip is missing, or is another one", async () => {
    const zip = zipOf(manifestIn(artifact()));
    const without = damaged("without-zip", (stack) => {
      rmSync(join(stack, zip));
    });
    expect(await refusal(merged.folder, ...apply(without, "without-zip-into"))).toContain(
      `damaged (${zip} is missing)`,
    );
    const other = damaged("other-zip", (stack) => {
      writeFileSync(join(stack, zip), "another zip");
    });
    expect(await refusal(merged.folder, ...apply(other, "other-zip-into"))).toContain(
      `damaged (${zip} is another file)`,
    );
  });

  it("where the zip is not the one of the plan itself, whatever the manifest says", async () => {
    const forged = damaged("forged", (stack, folder) => {
      const manifest = manifestIn(folder);
      const zip = zipOf(manifest);
      writeFileSync(join(stack, zip), "another zip");
      const files = { ...manifest.files, [zip]: createHash("sha256").update("another zip").digest("hex") };
      writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, files }));
    });
    const message = await refusal(merged.folder, ...apply(forged, "forged-into"));
    expect(message).toContain(`and ${plannedHash} was planned. Nothing was changed`);
  });
});

it("applies the plan in a clean folder, with the function that was planned", async () => {
  const downloaded = join(aws.directory, "downloaded");
  download(artifact(), downloaded);
  await succeed(merged.folder, ...apply(downloaded, "clean"));
  const lambda = new LambdaClient(aws.client);
  for (const FunctionName of ["shop-dev-email-processor", "shop-dev-priority-email-processor"]) {
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName }));
    expect([FunctionName, Configuration?.CodeSha256]).toEqual([FunctionName, plannedHash]);
  }
  // docs/ci.md says that an artifact holds no secret.
  expect(sensitiveIn(await terraformIn("clean").show("plan.tfplan"))).toEqual([]);
  expect(await terraformIn("clean").outputs()).toMatchObject({
    event_bus_name: "shop-dev-event-bus",
    function_name: "shop-dev-email-processor",
    template_names: { "email-request": storedTemplateName("shop-dev", emailRequest) },
    dns_zone_file: expect.stringMatching(
      /^\w+\._domainkey\.example\.com\. 600 IN CNAME \w+\.dkim\.amazonses\.com\.$/m,
    ) as string,
  });
});

it("refuses the same plan a second time, because the state has moved on", async () => {
  const message = await refusal(merged.folder, ...apply(artifact(), "second"));
  expect(message).toMatch(
    /The state has moved on: the plan was made for no state, and now there is serial \d+ of .*make a new plan/,
  );
});

it("is refused by Terraform itself, too, for whoever applies it without the step", async () => {
  const words = { planFile: "plan.tfplan" };
  await expect(terraformIn("clean").apply(words)).rejects.toThrow("Saved plan is stale");
});

it("opens an issue for a change by hand, and closes it where the change is taken back", async () => {
  const logs = new CloudWatchLogsClient(aws.client);
  const logGroupName = "/aws/lambda/shop-dev-email-processor";
  const look = async () => {
    await succeed(merged.folder, "drift", "--report", join(aws.directory, "drift", stage, "report.md"));
    const reports = ["--stages", JSON.stringify([stage]), "--reports", join(aws.directory, "drift")];
    await succeed(merged.folder, "drift-issues", ...reports);
  };
  await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 }));
  await look();
  expect(github.issues).toMatchObject([{ title: `The stage ${stage} has drifted`, state: "open" }]);
  const body = github.issues[0]?.body ?? "";
  const [outside] = body.split("### Not applied yet");
  expect(outside?.match(/^- .*/gm)).toEqual([
    expect.stringMatching(/^- `aws_cloudwatch_log_group\.[\w-]+`: differs, and would be changed$/),
  ]);
  await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 }));
  await look();
  expect(github.issues).toMatchObject([{ state: "closed" }]);
});

// The stage goes on in the hands of people.
describe("the state of the deployed stage", () => {
  testState(() => ({ aws, project: merged.folder, other: join(aws.directory, "clean") }));
});

it("leaves nothing behind that the plan's folder can't destroy", async () => {
  await terraformIn("clean").destroy();
  await nothingIsThere();
});

interface ShownPlan {
  readonly resource_changes: readonly {
    readonly address: string;
    readonly change: { readonly after: unknown; readonly after_sensitive: unknown };
  }[];
}

/** The addresses of resources with a value that the providers call sensitive, and that is set. */
function sensitiveIn(plan: unknown): string[] {
  const isSet = (marks: unknown, value: unknown): boolean => {
    if (marks === true) return value !== null && value !== undefined;
    if (typeof marks !== "object" || marks === null) return false;
    return Object.entries(marks).some(([key, mark]) =>
      isSet(mark, (value as Record<string, unknown> | undefined)?.[key]),
    );
  };
  return (plan as ShownPlan).resource_changes
    .filter(({ change }) => isSet(change.after_sensitive, change.after))
    .map(({ address }) => address);
}

function terraformIn(folder: string): Terraform {
  return new Terraform({
    binary: aws.tools.terraform.value,
    directory: join(aws.directory, folder),
    environment: aws.terraformVariables(),
  });
}
