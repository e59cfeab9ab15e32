import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeArtifact } from "../../../scripts/ci/artifact";
import { planComment, shorten } from "../../../scripts/ci/comment";
import { driftReport } from "../../../scripts/ci/drift";
import { deployableStages, selectStages } from "../../../scripts/ci/stages";
import { type Plan } from "../../../scripts/ci/terraform";
import { withVariables } from "../../../scripts/ci/variables";

const run = "https://github.example/acme/mail/actions/runs/1";

function planWith(changes: Readonly<Record<string, string[]>>, rest: Partial<Plan> = {}): Plan {
  return {
    terraform_version: "1.11.4",
    resource_drift: [],
    output_changes: {},
    resource_changes: Object.entries(changes).map(([address, actions]) => ({
      address,
      mode: address.startsWith("data.") ? "data" : "managed",
      type: "aws_sqs_queue",
      change: { actions },
    })),
    ...rest,
  };
}

describe("the stages of the workflows", () => {
  it("are those of CI_STAGES, in the order of stacks/stages.ts", () => {
    expect(selectStages(deployableStages.join(" "))).toEqual(deployableStages);
    expect(selectStages([...deployableStages].reverse().join(", "))).toEqual(deployableStages);
    expect(selectStages(deployableStages.at(-1))).toEqual(deployableStages.slice(-1));
  });

  it("are none in a repository that is not set up", () => {
    expect(selectStages(undefined)).toEqual([]);
    expect(selectStages(" ")).toEqual([]);
  });

  it("are never the sandbox, nor one that is unknown", () => {
    expect(() => selectStages(`${deployableStages.join(" ")} sandbox prd`)).toThrow(
      `CI_STAGES has "sandbox", "prd": name stages of stacks/stages.ts that can be deployed (${deployableStages.join(", ")}). CI_STAGES is a variable of the repository: on GitHub, Settings, Secrets and variables, Actions, Variables (https://docs.github.com/`,
    );
  });
});

describe("the variables of a GitHub environment", () => {
  it("become the stage's environment, without those of the workflow", () => {
    const CI_VARIABLES = JSON.stringify({ EMAIL_SENDER: "a@b.example", AWS_PLAN_ROLE_ARN: "arn:..", CI_STAGES: "dev" });
    expect(withVariables({ CI_VARIABLES, STAGE: "dev", PATH: "/bin" })).toEqual({
      environment: { EMAIL_SENDER: "a@b.example", STAGE: "dev", PATH: "/bin" },
      settings: { EMAIL_SENDER: "a@b.example", STAGE: "dev" },
    });
  });

  it("can't replace what the job itself says", () => {
    const { environment, settings } = withVariables({
      CI_VARIABLES: '{"PROJECT_NAME":"evil","STAGE":"prod","AWS_REGION":"eu-west-1"}',
      STAGE: "dev",
      PROJECT_NAME: "shop",
      AWS_REGION: "eu-west-1",
    });
    expect(environment).toEqual({ STAGE: "dev", PROJECT_NAME: "shop", AWS_REGION: "eu-west-1" });
    // The steps after the apply export these.
    expect(settings).toEqual({ STAGE: "dev", AWS_REGION: "eu-west-1" });
  });

  it("are none that a program of the job would obey", () => {
    const CI_VARIABLES = JSON.stringify({ NODE_OPTIONS: "--require /evil", LD_PRELOAD: "/evil", BACKEND: "s3" });
    expect(withVariables({ CI_VARIABLES, STAGE: "dev" })).toEqual({
      environment: { STAGE: "dev", BACKEND: "s3" },
      settings: { STAGE: "dev", BACKEND: "s3" },
    });
  });

  it("may have several lines, and are no setting of the stage then", () => {
    const CI_VARIABLES = JSON.stringify({ EMAIL_REPLY_TO: "one\ntwo", EMAIL_SENDER: "a@b.example" });
    expect(withVariables({ CI_VARIABLES, STAGE: "dev" }).settings).toEqual({
      STAGE: "dev",
      EMAIL_SENDER: "a@b.example",
    });
  });

  it.each(["no JSON", "[]", '{"A":1}'])("are refused where they are %s", (CI_VARIABLES) => {
    expect(() => withVariables({ CI_VARIABLES })).toThrow("${{ toJSON(vars) }}");
  });
});

describe("the report of a drift", () => {
  it("tells what was changed outside from what is not applied yet", () => {
    const plan = planWith(
      { "aws_sqs_queue.a": ["update"], "aws_sns_topic.b": ["create"], "aws_kms_key.c": ["no-op"], "data.d": ["read"] },
      {
        resource_drift: [
          { address: "aws_sqs_queue.a", change: { actions: ["update"] } },
          // Terraform noticed this one, and would not change it back.
          { address: "aws_kms_key.c", change: { actions: ["update"] } },
        ],
        output_changes: { url: { actions: ["update"] }, same: { actions: ["no-op"] } },
      },
    );
    expect(driftReport("dev", plan)).toBe(
      [
        "The stage `dev` is not what the default branch says.",
        "### Changed outside Terraform",
        "- `aws_sqs_queue.a`: differs, and would be changed",
        "### Not applied yet, or changed because of the above",
        "- `aws_sns_topic.b`: is missing, and would be created\n- `output url`: differs, and would be changed",
        "Where the change outside was meant, put it into the code. Otherwise make a plan and deploy it, which takes it back.",
      ].join("\n\n"),
    );
  });

  it("is none where a plan changes nothing", () => {
    const resource_drift = [{ address: "a", change: { actions: ["update"] } }];
    expect(driftReport("dev", planWith({ a: ["no-op"] }, { resource_drift }))).toBeUndefined();
  });
});

describe("a comment", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ci-comment-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  async function planned(stage: string, text: string) {
    const summary = `## Plan of ${stage}\n\n${text}`;
    const stack = join(folder, "stack");
    mkdirSync(stack, { recursive: true });
    for (const file of ["cdk.tf.json", "plan.tfplan", ".terraform.lock.hcl"]) writeFileSync(join(stack, file), "{}");
    const manifest = {
      stage,
      stack: `notification-${stage}`,
      commit: "c0ffee",
      tree: "7ree",
      state: null,
      settings: {},
    };
    await writeArtifact(join(folder, stage), stack, { manifest, summary }, process.env);
  }

  it("has each stage, and says where a job has failed", async () => {
    await planned("dev", "everything new");
    await planned("staging", "nothing");
    const { body: text, problems } = planComment({ stages: ["dev", "staging", "prod"], folder, run });
    // The job of its plan is red already.
    expect(problems).toEqual([]);
    expect(text).toMatch(/^<!-- event-driven-email: plan -->\n/);
    expect(text.split("\n").filter((line) => line.startsWith("## "))).toEqual([
      "## Plan of dev",
      "## Plan of staging",
      "## The stage prod was not planned",
    ]);
    expect(text).toContain("everything new");
    expect(text).toContain(`The job failed; [its log](${run}) says why.`);
  });

  it.each([
    ["cut off", (manifest: string) => manifest.slice(0, 40), "can't be read"],
    ["of another stage", (manifest: string) => manifest.replaceAll("staging", "dev"), 'for the stage "dev"'],
    ["missing", undefined, "is not there"],
  ])("tells of a manifest that is %s, and has the other stages all the same", async (_, damage, why) => {
    for (const stage of ["dev", "staging", "prod"]) await planned(stage, `new in ${stage}`);
    const manifest = join(folder, "staging", "manifest.json");
    if (damage === undefined) rmSync(manifest);
    else writeFileSync(manifest, damage(readFileSync(manifest, "utf8")));
    const { body, problems } = planComment({ stages: ["dev", "staging", "prod"], folder, run });
    expect(problems).toEqual([expect.stringMatching(/^staging: /)]);
    expect(body).toMatch(/new in dev[^]*## The plan of the stage staging can't be used\n\n[^]*new in prod/);
    expect(body).toContain(why);
    expect(body).not.toContain("new in staging");
  });

  it("says that a stage was not planned where its summary is empty", async () => {
    await planned("dev", "");
    writeFileSync(join(folder, "dev", "summary.md"), "\n");
    expect(planComment({ stages: ["dev"], folder, run }).body).toContain("## The stage dev was not planned");
  });

  it("keeps below the 65,536 characters that GitHub takes, and shows each stage", async () => {
    const stages = ["dev", "staging", "prod"];
    for (const stage of stages) await planned(stage, `\`\`\`\n${`${stage} ${"x".repeat(99)}\n`.repeat(2000)}\n\`\`\``);
    const { body: text } = planComment({ stages, folder, run });
    expect(text.length).toBeLessThan(65_536);
    for (const stage of stages) expect(text).toContain(`${stage} xxx`);
    expect(text.match(/The rest does not fit here/g)).toHaveLength(3);
    expect(text.match(/^```$/gm)).toHaveLength(6);
  });

  it("is cut at the end of a line, with everything closed", () => {
    const text = [
      "<details>",
      "<summary>a</summary>",
      "",
      "````diff",
      "```",
      ..."b,".repeat(300).split(","),
      "````",
      "</details>",
    ].join("\n");
    const cut = shorten(text, 400, run).split("\n");
    expect(cut.slice(0, 5)).toEqual(text.split("\n").slice(0, 5));
    expect(cut.slice(-4)).toEqual([
      "````",
      "</details>",
      "",
      `The rest does not fit here: [the run](${run}) has all of it in its summary.`,
    ]);
    expect(shorten(text, text.length, run)).toBe(text);
    expect(shorten(`<details>\nc\n</details>\n${"d\n".repeat(300)}`, 400, run)).not.toMatch(/d\n<\/details>/);
  });
});
