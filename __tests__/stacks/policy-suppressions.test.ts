import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformOutput, TerraformStack, Testing } from "cdktf";
import { Construct } from "constructs";
import { synthesize } from "../../main";
import { enforcePolicy, suppress } from "../../stacks/policy";
import { suppressionsIn } from "../../stacks/policy/suppressions";

const reason = "These two calls have no resource-level permissions in IAM.";

/** A stack with a document that allows these actions on everything, in a construct of its own. */
function stackWith(actions: readonly string[], scope: Construct = Testing.app()) {
  const stack = new TerraformStack(scope, "it");
  new AwsProvider(stack, "aws", { region: "eu-west-1" });
  const document = new DataAwsIamPolicyDocument(new Construct(stack, "part"), "reads", {
    statement: [{ actions: [...actions], resources: ["*"] }],
  });
  enforcePolicy(stack, "shop-dev");
  return { stack, document };
}

const problemsOf = (stack: TerraformStack) => stack.node.validate();
const address = "data.aws_iam_policy_document.part_reads_5DC05A20";

it("exempts what it names: this rule, at this resource, for these findings", () => {
  const { stack, document } = stackWith(["ses:GetAccount", "ses:ListIdentities"]);
  expect(problemsOf(stack).map((problem) => problem.split(". ")[0])).toEqual([
    `no-wildcard: ${address} allows "ses:GetAccount" on "*" [ses:GetAccount on *]`,
    `no-wildcard: ${address} allows "ses:ListIdentities" on "*" [ses:ListIdentities on *]`,
  ]);
  suppress(document, {
    rule: "no-wildcard",
    appliesTo: ["ses:GetAccount on *", "ses:ListIdentities on *"],
    reason,
  });
  expect(problemsOf(stack)).toEqual([]);
});

it("covers no action that is added to the statement later", () => {
  const { stack, document } = stackWith(["ses:GetAccount", "iam:PassRole"]);
  suppress(document, { rule: "no-wildcard", appliesTo: ["ses:GetAccount on *"], reason });
  expect(problemsOf(stack)).toEqual([expect.stringContaining('allows "iam:PassRole" on "*"')]);
});

it("has to name the findings of a rule that distinguishes them", () => {
  const { stack, document } = stackWith(["ses:GetAccount"]);
  suppress(document, { rule: "no-wildcard", reason });
  expect(problemsOf(stack)).toEqual([
    expect.stringContaining(
      'no-wildcard: data.aws_iam_policy_document.part_reads_5DC05A20 allows "ses:GetAccount" on "*"',
    ),
    expect.stringContaining(`suppression-needed: ${address} suppresses no-wildcard, and there is no such violation`),
  ]);
});

it("exempts a resource whose rule has one kind of finding", () => {
  const { stack } = stackWith([]);
  const group = new CloudwatchLogGroup(stack, "logs", { name: "shop-dev-logs" });
  expect(problemsOf(stack)).toEqual([
    expect.stringContaining("log-retention: aws_cloudwatch_log_group.logs has no retention"),
  ]);
  suppress(group, { rule: "log-retention", reason });
  expect(problemsOf(stack)).toEqual([]);
});

it.each([
  ["of another rule", { rule: "policy-as-data", appliesTo: ["ses:GetAccount on *"], reason }],
  ["of a rule that does not exist", { rule: "no-wildcards", appliesTo: ["ses:GetAccount on *"], reason }],
  ["for another action", { rule: "no-wildcard", appliesTo: ["ses:GetAccounts on *"], reason }],
])("is itself a violation where it exempts from nothing: %s", (_, suppression) => {
  const { stack, document } = stackWith(["ses:GetAccount"]);
  suppress(document, suppression);
  expect(problemsOf(stack)).toEqual([
    expect.stringContaining("no-wildcard: "),
    `suppression-needed: ${address} suppresses ${suppression.rule} for [${suppression.appliesTo.join()}], and there is no such violation. A suppression that nothing needs would silently hide the next violation: remove it, or correct its rule or its appliesTo.`,
  ]);
});

it("is a violation for each part of it that exempts from nothing", () => {
  const { stack, document } = stackWith(["ses:GetAccount"]);
  suppress(document, { rule: "no-wildcard", appliesTo: ["ses:GetAccount on *", "ses:Gone on *"], reason });
  expect(problemsOf(stack)).toEqual([expect.stringContaining("suppresses no-wildcard for [ses:Gone on *]")]);
});

it("belongs to its own resource: another one with the same problem stays a violation", () => {
  const { stack } = stackWith([]);
  const [first] = ["one", "two"].map((id) => new CloudwatchLogGroup(stack, id, { name: `shop-dev-${id}` }));
  suppress(first as CloudwatchLogGroup, { rule: "log-retention", reason });
  expect(problemsOf(stack)).toEqual([expect.stringContaining("aws_cloudwatch_log_group.two has no retention")]);
});

it.each(["", " ".repeat(40), "not needed", `${"a".repeat(29)}   `])("has a reason, and not %j", (blank) => {
  const { document } = stackWith(["ses:GetAccount"]);
  expect(() => {
    suppress(document, { rule: "no-wildcard", reason: blank });
  }).toThrow(
    `The suppression of no-wildcard at ${address} is refused: its reason "${blank}" has fewer than 30 characters. Write why the rule need not hold for this resource.`,
  );
});

it("names something where it has an appliesTo, and all problems are told at once", () => {
  const { document } = stackWith([]);
  expect(() => {
    suppress(document, { rule: "no-wildcard", reason: "", appliesTo: [] });
  }).toThrow(/fewer than 30 characters\..*its appliesTo is empty/);
});

it("belongs to a resource, a data source or a provider, and to nothing else", () => {
  const { stack } = stackWith([]);
  const output = new TerraformOutput(stack, "output", { value: "x" });
  expect(() => {
    suppress(output, { rule: "no-wildcard", reason });
  }).toThrow("it/output is no resource, data source or provider: a suppression belongs to one.");
});

it("knows a resource by the id that it has in Terraform", () => {
  const { stack } = stackWith([]);
  const group = new CloudwatchLogGroup(stack, "logs", { name: "shop-dev-logs" });
  group.overrideLogicalId("renamed");
  suppress(group, { rule: "log-retention", reason });
  expect(problemsOf(stack)).toEqual([]);
  expect(suppressionsIn(stack)).toEqual([
    { address: "aws_cloudwatch_log_group.renamed", rule: "log-retention", reason },
  ]);
});

describe("at synth", () => {
  const sentence = `The rule no-wildcard is suppressed at ${address} [ses:GetAccount on *]: ${reason}`;
  const synthWith = (variables: Readonly<Record<string, string>>) => {
    const outdir = mkdtempSync(join(tmpdir(), "suppressions-"));
    const app = new App({ outdir });
    const { stack, document } = stackWith(["ses:GetAccount"], app);
    suppress(document, { rule: "no-wildcard", appliesTo: ["ses:GetAccount on *"], reason });
    const printed: unknown[] = [];
    const spy = jest.spyOn(console, "error").mockImplementation((line) => printed.push(line));
    const before = process.env;
    process.env = { ...before, ...variables };
    try {
      synthesize(app);
    } finally {
      process.env = before;
      spy.mockRestore();
    }
    return { outdir, stack, printed };
  };

  it("is printed once", () => {
    expect(synthWith({}).printed).toEqual([sentence]);
  });

  it("is left to cdktf's command line where that runs the synth: it prints the manifest's annotations", () => {
    const { outdir, printed } = synthWith({ CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS: "true" });
    expect(printed).toEqual([]);
    const { stacks } = JSON.parse(readFileSync(join(outdir, "manifest.json"), "utf8")) as {
      stacks: Record<string, { annotations: readonly unknown[] }>;
    };
    expect(stacks.it?.annotations).toEqual([expect.objectContaining({ level: "@cdktf/info", message: sentence })]);
  });

  it("changes nothing in the Terraform JSON", () => {
    const { outdir } = synthWith({});
    expect(readFileSync(join(outdir, "stacks", "it", "cdk.tf.json"), "utf8")).not.toContain("suppress");
  });
});
