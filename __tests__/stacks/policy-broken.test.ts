import {
  DataAwsIamPolicyDocument,
  type DataAwsIamPolicyDocumentStatement,
} from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { Testing } from "cdktf";
import { seedCatalogue } from "../../handler/notifications/seed";
import { CiAccessStack } from "../../stacks/ci-access-stack";
import { type Config, readConfig } from "../../stacks/config";
import { exampleEnvironment } from "../../stacks/example-environment";
import { Names } from "../../stacks/names";
import { NotificationStack } from "../../stacks/notification-stack";
import { findViolations } from "../../stacks/policy";
import { rules } from "../../stacks/policy/rules";
import { type PolicySettings } from "../../stacks/policy/rule";
import { suppressionsIn } from "../../stacks/policy/suppressions";
import { type SynthesizedStack } from "../../stacks/policy/synthesized";
import { StateBackendStack } from "../../stacks/state-backend-stack";
import { defaultQuotas, exampleAccountId, type Stage, stages } from "../../stacks/stages";
import { accessBreaks } from "../support/breaks/access";
import { admissionBreaks, admissionsKept } from "../support/breaks/admission";
import { alarmBreaks, alarmsKept } from "../support/breaks/alarms";
import { deliveryBreaks } from "../support/breaks/delivery";
import { encryptionBreaks, encryptWell } from "../support/breaks/encryption";
import { readingBreaks } from "../support/breaks/reading";
import { type Break, breaks as generalBreaks, DraftStack } from "../support/broken-stacks";
import { recordedStage } from "../support/iam/recorded-stage";
import { configOf, synthesized } from "../support/stack";
import { projectStages } from "../support/stages";

/**
 * The real stacks keep every rule, and each change of production's stack breaks the rule that it is listed for. (Where
 * the limit of each rule is: `policy.test.ts` and `policy-kept.test.ts`.)
 */

function settingsOf(stage: string): PolicySettings {
  return { ...defaultQuotas("eu-west-1"), deletionProtection: stages[stage as Stage].deletionProtection };
}

function notificationStack(stage: string) {
  const stack = new NotificationStack(Testing.app(), "notification", configOf({ STAGE: stage }), seedCatalogue);
  return { text: synthesized(stack).text, suppressions: suppressionsIn(stack) };
}

const parse = (text: string) => JSON.parse(text) as SynthesizedStack;
const production = notificationStack("prod");

/** All changes by rule: several files have some of one rule. */
const breaks = new Map<string, Break[]>();
for (const [id, changes] of [
  generalBreaks,
  accessBreaks,
  admissionBreaks,
  alarmBreaks,
  deliveryBreaks,
  encryptionBreaks,
  readingBreaks,
].flatMap((each) => Object.entries(each))) {
  breaks.set(id, [...(breaks.get(id) ?? []), ...changes]);
}

it("has a change for every rule", () => {
  expect([...breaks.keys()].sort()).toEqual(rules.map(({ id }) => id).sort());
});

it.each(Object.entries(projectStages))("all rules are kept by stage %s", (stage, entry) => {
  const config = readConfig(exampleEnvironment(stage, entry), projectStages);
  const stack = new NotificationStack(Testing.app(), "notification", config, seedCatalogue);
  const { text } = synthesized(stack);
  const settings = { ...defaultQuotas(config.region), ...entry.quotas, deletionProtection: entry.deletionProtection };
  const { prefix } = new Names(config);
  expect(findViolations(parse(text), prefix, settings, suppressionsIn(stack))).toEqual([]);
});

function accessStack({ ci, ...config }: Config) {
  if (ci === undefined) throw new Error("No CI is configured.");
  const state = { bucket: "shop-terraform-state", key: "terraform.tfstate" };
  const stack = new CiAccessStack(Testing.app(), "ci-access", { ...config, ci, state });
  return { stack: parse(synthesized(stack).text), suppressions: suppressionsIn(stack) };
}

describe("all rules are kept by the access of the CI", () => {
  it.each([
    ["to a plain stage", configOf({ STAGE: "prod", DEPLOY_REPOSITORY: "acme/shop" }), "shop-prod"],
    [
      "to a stage whose account has GitHub's provider",
      configOf({ STAGE: "prod", DEPLOY_REPOSITORY: "acme/shop", OIDC_PROVIDER: "existing" }),
      "shop-prod",
    ],
    ["to a repository with its ids", configOf({ STAGE: "prod", DEPLOY_REPOSITORY: "acme@1/shop@2" }), "shop-prod"],
    ["to a stage with everything that a stage can have", recordedStage(), "shop-staging"],
  ])("%s", (_, config, prefix) => {
    const { stack, suppressions } = accessStack(config);
    expect(findViolations(stack, prefix, undefined, suppressions)).toEqual([]);
  });

  it("and none holds for want of something to check", () => {
    const { stack, suppressions } = accessStack(recordedStage());
    const found = findViolations(stack, "shop-staging");
    expect(new Set(found.map(({ address, rule }) => `${rule} ${address}`))).toEqual(
      new Set(suppressions.map(({ address, rule }) => `${rule} ${address}`)),
    );
    expect(found.map(({ appliesTo }) => appliesTo)).toContain("condition *._domainkey.example.com");
  });
});

describe("federation-is-bound is broken in the access of the CI by", () => {
  const host = "token.actions.githubusercontent.com";
  type Trust = { principals: [{ identifiers: string[] }]; condition: { [name: string]: unknown }[] };
  const on = (trust: Trust, claim: string) =>
    trust.condition.find(({ variable }) => variable === `${host}:${claim}`) as { [name: string]: unknown };
  const subs =
    (...values: string[]) =>
    (trust: Trust) => {
      on(trust, "sub").values = values;
    };
  const without = (claim: string) => (trust: Trust) => {
    trust.condition.splice(trust.condition.indexOf(on(trust, claim)), 1);
  };
  const own = "repo:acme/shop:environment:prod";
  it.each<[string, (trust: Trust) => void, RegExp]>([
    [
      "another repository",
      subs("repo:evil/shop:environment:prod"),
      /trusts repo:evil\/shop:environment:prod, and the stage's workflows are repo:acme\/shop:environment:prod and /,
    ],
    ["another environment", subs("repo:acme/shop:environment:dev"), /trusts repo:acme\/shop:environment:dev, and/],
    ["a branch, which no environment protects", subs("repo:acme/shop:ref:refs/heads/main"), /trusts repo:\S+main, and/],
    ["every repository", subs("repo:*"), /sub to one environment or ref/],
    ["every repository of an owner", subs("repo:acme/*:*"), /sub to one environment or ref/],
    [
      "another branch",
      (trust) => (on(trust, "ref").values = ["refs/heads/x"]),
      /without holding \S+:ref to refs\/heads\/main/,
    ],
    ["any branch", without("ref"), /without holding \S+:ref to refs\/heads\/main/],
    ["any subject", without("sub"), /sub to one environment or ref/],
    ["any audience", without("aud"), /aud to sts/],
    ["pull requests", subs("repo:acme/shop:pull_request"), /sub to one environment or ref/],
    ["a second subject", subs(own, "repo:acme/shop:environment:dev"), /sub to one environment or ref/],
    ["a wildcard in the middle", subs("repo:acme/*:environment:prod"), /sub to one environment or ref/],
    ["a wildcard at the end", subs("repo:acme/shop:environment:pro?"), /sub to one environment or ref/],
    ["a pattern", (trust) => (on(trust, "sub").test = "StringLike"), /sub to one environment or ref/],
    [
      "a condition that holds without a subject",
      (trust) => (on(trust, "sub").test = "ForAllValues:StringEquals"),
      /sub to one environment or ref/,
    ],
    [
      "a second condition, whose values Terraform adds",
      (trust) => trust.condition.push({ ...on(trust, "sub"), values: ["repo:acme/shop:ref:refs/heads/x"] }),
      /sub to one environment or ref/,
    ],
    ["another audience", (trust) => (on(trust, "aud").values = ["https://github.com/evil"]), /aud to sts/],
    ["a pattern of audiences", (trust) => (on(trust, "aud").test = "StringLike"), /aud to sts/],
    [
      "a provider of another host",
      (trust) => (trust.principals[0].identifiers = [`arn:aws:iam::${exampleAccountId}:oidc-provider/evil.example`]),
      /does not hold evil\.example:aud by StringEquals/,
    ],
    [
      "a provider of another account",
      (trust) => (trust.principals[0].identifiers = [`arn:aws:iam::999999999999:oidc-provider/${host}`]),
      /which is no OIDC provider of this account/,
    ],
    [
      "a provider that is not there",
      (trust) => (trust.principals[0].identifiers = ["${aws_iam_openid_connect_provider.gone.arn}"]),
      /which is no OIDC provider of this account/,
    ],
  ])("%s", (_, change, says) => {
    const { stack, suppressions } = accessStack(configOf({ STAGE: "prod", DEPLOY_REPOSITORY: "acme/shop" }));
    const github = { repository: "acme/shop", stage: "prod", ref: "refs/heads/main" };
    change(new DraftStack(stack).statements("smoke_trust")[0] as never);
    const found = findViolations(stack, "shop-prod", { github }, suppressions);
    expect(found.filter(({ rule }) => rule === "federation-is-bound").map(({ where }) => where)).toContainEqual(
      expect.stringMatching(says),
    );
  });

  it("another repository beside the first, in a stack of a team's that names none", () => {
    const { stack } = accessStack(configOf({ STAGE: "prod", DEPLOY_REPOSITORY: "acme/shop" }));
    subs("repo:evil/shop:environment:prod")(new DraftStack(stack).statements("smoke_trust")[0] as never);
    expect(findViolations(stack, "shop-prod")).toContainEqual(
      expect.objectContaining({
        problem: "trusts evil/shop beside acme/shop",
        appliesTo: "repo:evil/shop:environment:prod",
      }),
    );
  });

  it("another repository in every role, at the synth", () => {
    const { ci = { repository: "", manageProvider: true }, ...config } = configOf({
      STAGE: "prod",
      DEPLOY_REPOSITORY: "acme/shop",
    });
    const state = { bucket: "shop-terraform-state", key: "terraform.tfstate" };
    const stack = new CiAccessStack(Testing.app(), "ci-access", { ...config, ci, state });
    const trusts = stack.node
      .findAll()
      .filter((each): each is DataAwsIamPolicyDocument => each instanceof DataAwsIamPolicyDocument)
      .filter(({ node }) => node.id === "trust");
    expect(trusts).toHaveLength(3);
    for (const trust of trusts) {
      const given = JSON.stringify(trust.statementInput).replaceAll("acme/shop", "evil/shop");
      trust.putStatement(JSON.parse(given) as DataAwsIamPolicyDocumentStatement[]);
    }
    expect(() => Testing.synth(stack, true)).toThrow(
      /federation-is-bound: data\.aws_iam_policy_document\.deploy_trust\S* trusts repo:evil\/shop:environment:prod, and/,
    );
  });

  it("what a suppression has not named, condition for condition", () => {
    const { stack } = accessStack(configOf({ STAGE: "prod", DEPLOY_REPOSITORY: "acme/shop" }));
    const [trust] = new DraftStack(stack).statements("smoke_trust") as unknown as Trust[];
    if (trust === undefined) throw new Error("The role smoke has no trust.");
    const ofTrust = () => findViolations(stack, "shop-prod").filter(({ rule }) => rule === "federation-is-bound");
    Object.assign(on(trust, "sub"), { test: "StringLike", values: ["repo:acme/shop:ref:refs/tags/v*"] });
    const [violation] = ofTrust();
    expect(violation?.appliesTo).toContain(`StringLike ${host}:sub repo:acme/shop:ref:refs/tags/v*`);
    const suppression = {
      rule: "federation-is-bound",
      address: violation?.address ?? "",
      reason: "A release is made by a protected tag, whose name has the version.",
      appliesTo: [violation?.appliesTo ?? ""],
    };
    const remaining = () => findViolations(stack, "shop-prod", {}, [suppression]).map(({ rule }) => rule);
    expect(remaining()).not.toContain("federation-is-bound");
    on(trust, "sub").values = ["repo:acme/*"];
    expect(remaining()).toContain("federation-is-bound");
  });

  it.each([
    ["host", { url: "https://evil.example" }],
    ["audience", { client_id_list: ["sts.amazonaws.com", "other"] }],
  ])("another %s of the provider", (_, change) => {
    const { stack, suppressions } = accessStack(configOf({ STAGE: "prod", DEPLOY_REPOSITORY: "acme/shop" }));
    Object.assign(new DraftStack(stack).the("aws_iam_openid_connect_provider"), change);
    const found = findViolations(stack, "shop-prod", undefined, suppressions);
    expect(found.map(({ rule }) => rule)).toContain("federation-is-bound");
  });
});

it("does not suppress a wildcard whose conditions are gone", () => {
  const { stack, suppressions } = accessStack(recordedStage());
  const statement = new DraftStack(stack).statement("changes-document", "Key");
  expect(statement.condition).toHaveLength(2);
  (statement.condition as unknown[]).pop();
  const found = findViolations(stack, "shop-staging", undefined, suppressions);
  expect(found.map(({ appliesTo }) => appliesTo)).toContainEqual(
    expect.stringMatching(/^kms:PutKeyPolicy on \S+ where StringEquals aws:ResourceTag\/project$/),
  );
});

it("all rules are kept by the state's bucket", () => {
  const stack = new StateBackendStack(Testing.app(), "state", {
    projectName: "shop",
    accountId: exampleAccountId,
    region: "eu-west-1",
    bucket: "shop-terraform-state",
  });
  const state = parse(synthesized(stack).text);
  expect(findViolations(state, "shop")).toEqual([]);
  const draft = new DraftStack(state);
  draft.the("aws_s3_bucket_public_access_block").restrict_public_buckets = false;
  expect(findViolations(state, "shop").map(({ rule }) => rule)).toEqual(["bucket-closed"]);
});

describe.each([...breaks])("%s is broken by", (id, changes) => {
  it.each(changes)("%s", (_, change, says) => {
    const stack = parse(production.text);
    change(new DraftStack(stack));
    const found = findViolations(stack, "shop-prod", settingsOf("prod"), production.suppressions).filter(
      ({ rule }) => rule === id,
    );
    expect(found.map(({ where }) => where)).toContainEqual(expect.stringMatching(says));
  });
});

it.each([["kms:Decrypt", "kms:GenerateDataKey"], ["kms:Decrypt", "kms:GenerateDataKey*"], ["kms:*"]])(
  "lets a queue have a key of ours that lets EventBridge in, by %s",
  (...actions) => {
    const stack = parse(production.text);
    encryptWell(new DraftStack(stack), "events.amazonaws.com", actions);
    const found = findViolations(stack, "shop-prod", settingsOf("prod"), production.suppressions).map(
      ({ rule }) => rule,
    );
    expect(found.filter((rule) => ["queue-encrypted", "key-usable", "deletion-protected"].includes(rule))).toEqual([]);
  },
);

it.each(admissionsKept)("lets a stack have %s: %s", (_, id, change) => {
  const stack = parse(production.text);
  change(new DraftStack(stack));
  const found = findViolations(stack, "shop-prod", settingsOf("prod"), production.suppressions);
  expect(found.filter(({ rule }) => rule === id)).toEqual([]);
});

it.each(alarmsKept)("lets an alarm or a dashboard have %s", (_, change) => {
  const stack = parse(production.text);
  change(new DraftStack(stack));
  const found = findViolations(stack, "shop-prod", settingsOf("prod"), production.suppressions);
  expect(found.filter(({ rule }) => /alarm-|dashboard-/.test(rule))).toEqual([]);
});

it.each([
  ["a rule's target", "aws_cloudwatch_event_target", (arn: string) => ({ dead_letter_config: [{ arn }] })],
  ["a schedule", "aws_scheduler_schedule", (arn: string) => ({ target: { dead_letter_config: { arn } } })],
  [
    "a pipe",
    "aws_pipes_pipe",
    (arn: string) => ({ source_parameters: { dynamodb_stream_parameters: { dead_letter_config: { arn } } } }),
  ],
  [
    "a subscription",
    "aws_sns_topic_subscription",
    (arn: string) => ({ redrive_policy: JSON.stringify({ deadLetterTargetArn: arn }) }),
  ],
  ["a function", "aws_lambda_function", (arn: string) => ({ dead_letter_config: { target_arn: arn } })],
  [
    "a mapping",
    "aws_lambda_event_source_mapping",
    (arn: string) => ({ destination_config: { on_failure: { destination_arn: arn } } }),
  ],
])("lets a queue that gets the failures of %s be the last one", (_, type, attributes) => {
  const stack = parse(production.text);
  const draft = new DraftStack(stack);
  draft.add("aws_sqs_queue", { ...draft.the("aws_sqs_queue", "dead-letters"), name: "shop-prod-more" });
  const last = () =>
    findViolations(stack, "shop-prod", settingsOf("prod")).filter(
      ({ rule, address }) => rule === "queue-redrive" && address === "aws_sqs_queue.added",
    );
  expect(last()).not.toEqual([]);
  draft.add(type, attributes("${aws_sqs_queue.added.arn}"));
  expect(last()).toEqual([]);
});
