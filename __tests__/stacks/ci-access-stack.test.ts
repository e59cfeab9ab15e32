import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Testing } from "cdktf";
import { callsOf } from "../../docs/generator/sdk-calls";
import { seedCatalogue } from "../../handler/notifications/seed";
import { CiAccessStack } from "../../stacks/ci-access-stack";
import { type Config, type Environment } from "../../stacks/config";
import { boundaryArn } from "../../stacks/function-boundary";
import { Arns } from "../../stacks/arns";
import { NotificationStack } from "../../stacks/notification-stack";
import { sandboxEndpoint } from "../../stacks/sandbox-endpoint";
import { stageWords } from "../../stacks/stages";
import { type AuthorizationRequest } from "../support/iam/authorization";
import { evaluate, type EvaluatedRole, grantsOf, type PolicyDocument, trusts } from "../support/iam/evaluate";
import { recordedStage, recordedZoneId } from "../support/iam/recorded-stage";
import { notRecorded, notRecordedSmoke, recordedRequests, recordedSmoke } from "../support/iam/recorded-requests";
import { smokeRole } from "../support/iam/smoke-role";
import { policyDocument } from "../support/iam/terraform-policy";
import { audit, resourcePolicyFor } from "../support/iam/terraform-record";
import { synthesized, type Synthesized, withStage } from "../support/stack";

const accountId = "123456789012";
/** A stage that CI deploys. */
const ci: Environment = { STAGE: "staging", DEPLOY_REPOSITORY: "acme/shop" };
const provider = `arn:aws:iam::${accountId}:oidc-provider/token.actions.githubusercontent.com`;

interface Access {
  readonly stack: Synthesized;
  readonly roles: Readonly<Record<"plan" | "deploy" | "smoke", EvaluatedRole>>;
  readonly trust: Readonly<Record<"plan" | "deploy" | "smoke", PolicyDocument>>;
  readonly boundary: PolicyDocument;
  readonly boundaryArn: string;
}

/** The access to the recorded stage, with other settings. */
const accessWith = (changes: Environment): Access => accessTo(recordedStage(recordedZoneId, changes));

function accessTo(config: Config): Access {
  const { ci, projectName, stage, region } = config;
  if (ci === undefined) throw new Error("No CI is configured.");
  const state = {
    bucket: `${projectName}-terraform-state-${accountId}`,
    key: `${projectName}/${stage}/${region}/terraform.tfstate`,
  };
  const stack = synthesized(new CiAccessStack(Testing.app(), "ci-access", { ...config, ci, state }));
  const documentOf = (front: string) => {
    const [, found] = Object.entries(stack.data("aws_iam_policy_document")).find(([id]) => id.startsWith(front)) ?? [];
    return policyDocument(found as never, { "aws_iam_openid_connect_provider.github.arn": provider });
  };
  const reads = documentOf("reads-document");
  const role = (kind: string, policies: readonly PolicyDocument[]) => {
    const [attributes] = stack.resources("aws_iam_role").filter(({ name }) => String(name).includes(`-ci-${kind}-`));
    return { arn: `arn:aws:iam::${accountId}:role${String(attributes?.path)}${String(attributes?.name)}`, policies };
  };
  return {
    stack,
    roles: {
      plan: role("plan", [reads]),
      deploy: role("deploy", [reads, documentOf("changes-document")]),
      smoke: role("smoke", [documentOf("trials-document")]),
    },
    trust: { plan: documentOf("plan_trust"), deploy: documentOf("deploy_trust"), smoke: documentOf("smoke_trust") },
    boundary: documentOf("function-boundary-document"),
    boundaryArn: boundaryArn(Arns.of(config)),
  };
}

const access = accessTo(recordedStage());
const { roles } = access;
const { kinds, keyPolicy } = recordedRequests();
const recorded = Object.values(kinds);

const may = async (role: EvaluatedRole, request: AuthorizationRequest) =>
  (await evaluate(role, request, resourcePolicyFor(request, keyPolicy))).allowed;

describe("the permissions", () => {
  it("are what Terraform's recorded calls need, and no more", async () => {
    const { missing, unused } = await audit({ plan: roles.plan, deploy: roles.deploy }, recorded, keyPolicy);
    expect(missing).toEqual([]);
    // The record has an example of each kind, so it does not use each of several resources of one kind.
    expect(unused.filter((grant) => !grant.includes(" on "))).toEqual(Object.keys(notRecorded).sort());
  });

  it("of the plan role hold nothing that only a deployment needs", async () => {
    const ofDeployment = recorded.filter((request) => !request.roles.includes("plan"));
    expect(ofDeployment.length).toBeGreaterThan(60);
    const allowed = [];
    for (const request of ofDeployment) if (await may(roles.plan, request)) allowed.push(request);
    expect(allowed).toEqual([]);
  });

  it("reach nothing of another stage, but for what AWS limits to no resource", async () => {
    const reached = new Set<string>();
    for (const request of recorded) {
      const foreign = JSON.parse(
        JSON.stringify(request)
          .replaceAll("shop-staging", "shop-prod")
          .replaceAll("staging", "prod")
          .replaceAll(/example\.(?:com|net|org)/g, "other.example")
          .replaceAll(recordedZoneId, "ZOTHER"),
      ) as typeof request;
      for (const role of request.roles) if (await may(roles[role], foreign)) reached.add(foreign.action);
    }
    expect([...reached].sort()).toEqual([
      "events:PutPermission",
      "events:RemovePermission",
      "kms:DescribeKey",
      "kms:ListAliases",
      "lambda:ListTags",
      "lambda:TagResource",
      "lambda:UntagResource",
      "logs:DeleteResourcePolicy",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:PutResourcePolicy",
      "route53:GetChange",
      "s3:ListBucket",
      "ses:CreateTemplate",
      "ses:DeleteTemplate",
      "ses:GetTemplate",
    ]);
  });

  it("reach no other region and no other account", async () => {
    const changed = [
      (text: string) => text.replaceAll("eu-west-1", "us-east-1"),
      (text: string) => text.replaceAll(accountId, "999999999999"),
    ];
    const reached = [];
    for (const change of changed) {
      for (const request of recorded.filter(({ resource }) => change(resource) !== resource)) {
        const elsewhere = { ...request, resource: change(request.resource) };
        for (const role of request.roles) if (await may(roles[role], elsewhere)) reached.push(elsewhere);
      }
    }
    expect(reached).toEqual([]);
  });

  const queue = `arn:aws:sqs:eu-west-1:${accountId}:shop-staging-dead-letters`;
  const logs = `arn:aws:logs:eu-west-1:${accountId}:log-group:/aws/lambda/shop-staging-email-processor`;
  const bucket = "arn:aws:s3:::shop-terraform-state-123456789012";
  const fn = `arn:aws:lambda:eu-west-1:${accountId}:function:shop-staging-email-processor`;
  it.each([
    ["dynamodb:GetItem", `arn:aws:dynamodb:eu-west-1:${accountId}:table/shop-staging-claims`],
    ["events:PutEvents", `arn:aws:events:eu-west-1:${accountId}:event-bus/shop-staging-event-bus`],
    ["kms:Decrypt", `arn:aws:kms:eu-west-1:${accountId}:key/00000000-0000-4000-8000-000000000000`],
    ["lambda:InvokeFunction", fn],
    ["logs:FilterLogEvents", logs],
    ["logs:Unmask", logs],
    ["ses:SendEmail", `arn:aws:ses:eu-west-1:${accountId}:identity/sender@example.com`],
    ["sqs:ReceiveMessage", queue],
    ["sqs:PurgeQueue", queue],
    ["s3:GetObject", `${bucket}/shop/staging/eu-west-1/ci-access.tfstate`],
    ["s3:GetObject", `${bucket}/shop/prod/eu-west-1/terraform.tfstate`],
    ["s3:PutObject", `${bucket}/shop/staging/eu-west-1/ci-access.tfstate`],
    ["s3:DeleteObject", `${bucket}/shop/staging/eu-west-1/terraform.tfstate`],
    ["s3:PutBucketPolicy", bucket],
    ["s3:GetObjectVersion", `${bucket}/shop/staging/eu-west-1/terraform.tfstate`],
  ])("allow neither role %s on %s", async (action, resource) => {
    const context = resource.includes(":key/")
      ? { "aws:ResourceTag/project": "shop", "aws:ResourceTag/stage": "staging" }
      : {};
    for (const role of [roles.plan, roles.deploy]) expect(await may(role, { action, resource, context })).toBe(false);
  });

  it("let the plan role lock the state, and not write it", async () => {
    const resource = `${bucket}/shop/staging/eu-west-1/terraform.tfstate`;
    const put = { action: "s3:PutObject", context: {} };
    expect(await may(roles.plan, { ...put, resource: `${resource}.tflock` })).toBe(true);
    expect(await may(roles.plan, { ...put, resource })).toBe(false);
    expect(await may(roles.deploy, { ...put, resource })).toBe(true);
  });
});

describe("the permissions of a stage", () => {
  const ofDomains = ["ses:PutEmailIdentityMailFromAttributes"];
  const ofTracking = ["ses:PutConfigurationSetTrackingOptions"];
  const ofZones = [
    "route53:ChangeResourceRecordSets",
    "route53:GetChange",
    "route53:GetHostedZone",
    "route53:ListResourceRecordSets",
  ];
  const optional = [...ofZones, ...ofTracking, ...ofDomains];
  const byDomain = { default: { address: "sender@example.com", identity: "domain" } } as const;
  const tracking = { domain: "click.example.com", httpsPolicy: "OPTIONAL" } as const;
  const inZone = { "example.com": { zoneId: recordedZoneId } };

  it.each<[string, Config, readonly string[]]>([
    ["that sends from an address", withStage({}, ci), []],
    ["that sends from a domain", withStage({ senders: byDomain }, ci), ofDomains],
    [
      "whose domain has no MAIL FROM domain",
      withStage({ senders: byDomain, sendingDomains: { "example.com": { mailFrom: "none" } } }, ci),
      [],
    ],
    ["that tracks", withStage({ senders: byDomain, tracking }, ci), [...ofTracking, ...ofDomains]],
    ["with a zone", withStage({ senders: byDomain, sendingDomains: inZone }, ci), [...ofZones, ...ofDomains]],
    [
      "with a zone whose domain another stage verifies",
      withStage({ senders: byDomain, sendingDomains: inZone }, { ...ci, IDENTITIES: "existing" }),
      [],
    ],
    [
      "that tracks in the zone of a domain that another stage verifies",
      withStage({ senders: byDomain, sendingDomains: inZone, tracking }, { ...ci, IDENTITIES: "existing" }),
      [...ofZones, ...ofTracking],
    ],
  ])("%s hold what it switches on, and no more", (_, config, expected) => {
    const actions = new Set(grantsOf(accessTo(config).roles.deploy).map((grant) => grant.split(" ")[1]));
    expect(optional.filter((action) => actions.has(action))).toEqual(expected);
  });

  it("name the identity of every sender, and let its MAIL FROM domain be set where that is a domain", async () => {
    const identity = (name: string) => ({
      resource: `arn:aws:ses:eu-west-1:${accountId}:identity/${name}`,
      context: {},
    });
    const allowed = async (action: string) => {
      const names = ["example.com", "example.net", "team@example.org", "example.org", "sender@example.com"];
      const answers = await Promise.all(names.map((name) => may(roles.deploy, { action, ...identity(name) })));
      return names.filter((_, index) => answers[index]);
    };
    expect(await allowed("ses:CreateEmailIdentity")).toEqual(["example.com", "example.net", "team@example.org"]);
    expect(await allowed("ses:PutEmailIdentityMailFromAttributes")).toEqual(["example.com", "example.net"]);
  });

  describe("in Route 53", () => {
    const zone = `arn:aws:route53:::hostedzone/${recordedZoneId}`;
    const change = (names: readonly string[], types: readonly string[], resource = zone): AuthorizationRequest => ({
      action: "route53:ChangeResourceRecordSets",
      resource,
      context: {
        "route53:ChangeResourceRecordSetsActions": ["UPSERT"],
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [...names],
        "route53:ChangeResourceRecordSetsRecordTypes": [...types],
      },
    });

    it.each([
      ["DKIM", "abc._domainkey.example.com", "CNAME"],
      ["MAIL FROM", "mail-eu-west-1.example.com", "MX"],
      ["SPF", "mail-eu-west-1.example.com", "TXT"],
      ["DMARC", "_dmarc.example.com", "TXT"],
      ["tracking", "click.example.com", "CNAME"],
    ])("let the stage make its record for %s", async (_, name, type) => {
      expect(await may(roles.deploy, change([name], [type]))).toBe(true);
      expect(await may(roles.plan, change([name], [type]))).toBe(false);
    });

    it.each([
      ["the domain itself", change(["example.com"], ["TXT"])],
      ["another name", change(["www.example.com"], ["CNAME"])],
      ["another type", change(["click.example.com"], ["A"])],
      ["another name beside one of its own", change(["click.example.com", "www.example.com"], ["CNAME"])],
      ["another zone", change(["click.example.com"], ["CNAME"], zone.replace(recordedZoneId, "ZOTHER"))],
      ["names that nobody knows", { ...change([], []), context: {} }],
    ])("refuse %s", async (_, request) => {
      expect(await may(roles.deploy, request)).toBe(false);
    });

    it.each(["route53:CreateHostedZone", "route53:DeleteHostedZone", "route53:ListHostedZones"])(
      "do not allow %s",
      (action) => {
        expect(grantsOf(roles.deploy).filter((grant) => grant.split(" ")[1] === action)).toEqual([]);
      },
    );

    it("leave a DMARC record that another region's stack makes", async () => {
      const dmarc = { policy: "none", onlyIn: "us-east-1" } as const;
      const elsewhere = accessTo(
        withStage({ senders: byDomain, sendingDomains: { "example.com": { zoneId: recordedZoneId, dmarc } } }, ci),
      );
      expect(await may(elsewhere.roles.deploy, change(["_dmarc.example.com"], ["TXT"]))).toBe(false);
    });
  });
});

describe("the deploy role", () => {
  const ownRole = `arn:aws:iam::${accountId}:role/shop-staging-role-eu-west-1`;
  const boundary = { "iam:PermissionsBoundary": access.boundaryArn };
  const admin = { "iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess" };
  const toLambda = { "iam:PassedToService": "lambda.amazonaws.com" };

  it.each([
    ["makes a role within the boundary", "iam:CreateRole", ownRole, boundary],
    ["changes a policy of such a role", "iam:PutRolePolicy", ownRole, boundary],
    ["hands a role of the stage to Lambda", "iam:PassRole", ownRole, toLambda],
  ])("%s", async (_, action, resource, context) => {
    expect(await may(roles.deploy, { action, resource, context })).toBe(true);
  });

  it.each<[string, string, string, Record<string, string>]>([
    ["make a role without a boundary", "iam:CreateRole", ownRole, {}],
    ["make a role with another boundary", "iam:CreateRole", ownRole, admin],
    ["change a policy of a role without a boundary", "iam:PutRolePolicy", ownRole, {}],
    ["put another boundary on a role", "iam:PutRolePermissionsBoundary", ownRole, admin],
    ["take a boundary off", "iam:DeleteRolePermissionsBoundary", ownRole, boundary],
    ["attach a policy of AWS's", "iam:AttachRolePolicy", ownRole, boundary],
    ["change the trust of a role without a boundary", "iam:UpdateAssumeRolePolicy", ownRole, {}],
    ["hand a role to another service", "iam:PassRole", ownRole, { "iam:PassedToService": "ec2.amazonaws.com" }],
    ["hand itself to Lambda", "iam:PassRole", roles.deploy.arn, toLambda],
    ["hand another role with the prefix to Lambda", "iam:PassRole", ownRole.replace("-role-", "-admin-"), toLambda],
    ["change its own permissions", "iam:PutRolePolicy", roles.deploy.arn, boundary],
    ["change its own trust", "iam:UpdateAssumeRolePolicy", roles.deploy.arn, boundary],
    ["change the plan role's permissions", "iam:PutRolePolicy", roles.plan.arn, boundary],
    ["change the boundary", "iam:CreatePolicyVersion", access.boundaryArn, {}],
    ["delete the boundary", "iam:DeletePolicy", access.boundaryArn, {}],
    ["change the identity provider", "iam:AddClientIDToOpenIDConnectProvider", provider, {}],
    ["take on another role", "sts:AssumeRole", ownRole, {}],
    [
      "let an account invoke a function",
      "lambda:AddPermission",
      `arn:aws:lambda:eu-west-1:${accountId}:function:shop-staging-email-processor`,
      { "lambda:Principal": "999999999999" },
    ],
    [
      "read a stage's function from a queue of another function",
      "lambda:CreateEventSourceMapping",
      "*",
      { "lambda:FunctionArn": `arn:aws:lambda:eu-west-1:${accountId}:function:shop-prod-email-processor` },
    ],
    [
      "take over the key of another project by its tags",
      "kms:TagResource",
      `arn:aws:kms:eu-west-1:${accountId}:key/00000000-0000-4000-8000-000000000000`,
      {
        "aws:ResourceTag/project": "other",
        "aws:RequestTag/project": "shop",
        "aws:RequestTag/stage": "staging",
      },
    ],
  ])("can't %s", async (_, action, resource, context) => {
    expect(await may(roles.deploy, { action, resource, context })).toBe(false);
  });
});

describe("the boundary of the functions", () => {
  const config = recordedStage();
  const statements = Object.entries(
    synthesized(new NotificationStack(Testing.app(), "notification", config, seedCatalogue)).data(
      "aws_iam_policy_document",
    ),
  ).filter(([id]) => /_function_permissions_/.test(id));
  const asFunction = (policies: readonly PolicyDocument[]) => ({
    arn: `arn:aws:iam::${accountId}:role/shop-staging-role-eu-west-1`,
    policies,
    boundary: access.boundary,
  });
  const everything: PolicyDocument = {
    Version: "2012-10-17",
    Statement: { Sid: "Everything", Effect: "Allow", Action: "*", Resource: "*" },
  };

  it("allows what the functions' own policies do", async () => {
    expect(statements).toHaveLength(2);
    const refused = [];
    for (const [, document] of statements) {
      for (const { action, resource, context } of requestsOf(document as never)) {
        const { allowed } = await evaluate(asFunction([everything]), { action, resource, context });
        if (!allowed) refused.push(`${action} on ${resource}`);
      }
    }
    expect(refused).toEqual([]);
  });

  it.each([
    ["iam:CreateUser", `arn:aws:iam::${accountId}:user/shop-staging-x`],
    ["sts:AssumeRole", roles.deploy.arn],
    ["s3:GetObject", "arn:aws:s3:::shop-terraform-state-123456789012/shop/staging/eu-west-1/terraform.tfstate"],
    ["dynamodb:Scan", `arn:aws:dynamodb:eu-west-1:${accountId}:table/shop-staging-claims`],
    ["lambda:UpdateFunctionCode", `arn:aws:lambda:eu-west-1:${accountId}:function:shop-staging-email-processor`],
    ["dynamodb:UpdateItem", `arn:aws:dynamodb:eu-west-1:${accountId}:table/shop-prod-claims`],
  ])("refuses a function with every permission %s on %s", async (action, resource) => {
    expect(await may(asFunction([everything]), { action, resource, context: {} })).toBe(false);
  });

  /** The requests that a function's policy allows, with names where Terraform would fill in ARNs. */
  function requestsOf(document: { readonly statement: readonly Record<string, unknown>[] }): AuthorizationRequest[] {
    const text = JSON.stringify(document)
      .replace(/\$\{data\.aws_partition\.[^}]*\}/g, "aws")
      .replace(/\$\{data\.aws_caller_identity\.[^}]*\}/g, accountId)
      .replace(
        /\$\{aws_cloudwatch_log_group\.[^}]*\}/g,
        `arn:aws:logs:eu-west-1:${accountId}:log-group:/aws/lambda/shop-staging-x`,
      )
      .replace(
        /\$\{aws_cloudwatch_event_bus\.[^}]*\}/g,
        `arn:aws:events:eu-west-1:${accountId}:event-bus/shop-staging-x`,
      )
      .replace(/\$\{aws_dynamodb_table\.[^}]*\}/g, `arn:aws:dynamodb:eu-west-1:${accountId}:table/shop-staging-x`)
      .replace(/-\*"/g, '-x"')
      .replace(/:\*"/g, ':log-stream:x"');
    const { statement } = JSON.parse(text) as {
      readonly statement: readonly {
        readonly actions: readonly string[];
        readonly resources: readonly string[];
        readonly condition?: readonly {
          readonly test: string;
          readonly variable: string;
          readonly values: readonly string[];
        }[];
      }[];
    };
    return statement.flatMap(({ actions, resources, condition = [] }) =>
      actions.flatMap((action) =>
        resources.map((resource) => ({
          action,
          resource,
          context: Object.fromEntries(
            condition
              .filter(({ test }) => test !== "Null")
              .map(({ test, variable, values }) => [variable, /^ForAll/.test(test) ? [...values] : (values[0] ?? "")]),
          ),
        })),
      ),
    );
  }
});

describe("the trust", () => {
  const main = "refs/heads/main";
  const token = (sub: string, ref = main) => ({ provider, sub, ref, aud: "sts.amazonaws.com" });
  const ofStage = token("repo:acme/shop:environment:staging");
  const ofPlan = token("repo:acme/shop:environment:staging-plan", "refs/pull/7/merge");
  const { trust } = access;

  it("lets each role be taken on in its environment", async () => {
    expect(await trusts(trust.plan, ofPlan)).toBe(true);
    expect(await trusts(trust.deploy, ofStage)).toBe(true);
    expect(await trusts(trust.smoke, ofStage)).toBe(true);
  });

  it.each([
    "repo:acme/shop:environment:prod",
    "repo:acme/shop:environment:staging:x",
    // GitHub writes a colon in a name like this.
    "repo:acme/shop:environment:staging%3Ax",
    "repo:acme/shop:environment:staging ",
    // Names of environments are the same to GitHub in upper and lower case, and are not to IAM.
    "repo:acme/shop:environment:Staging",
    "repo:acme/shop:environment:STAGING-PLAN",
    "repo:ACME/shop:environment:staging",
    "repo:acme/shop:environment:*",
    "repo:acme/shop:environment:stagin?",
    "repo:acme/shop:pull_request",
    "repo:acme/shop:ref:refs/heads/main",
    "repo:acme/shop:ref:refs/tags/environment:staging",
    "repo:acme/shop-fork:environment:staging",
    "repo:mallory/shop:environment:staging",
    "repo:acme2/shop:environment:staging",
    "repo:acme@1/shop@2:environment:staging",
    // What a repository can make of its subjects with `include_claim_keys`.
    "environment:staging",
    "repository:acme/shop:environment:staging",
    "repo:acme/shop:environment:staging:actor:mallory",
    "*",
    "",
  ])("refuses %p", async (sub) => {
    for (const each of Object.values(trust)) expect(await trusts(each, token(sub))).toBe(false);
  });

  it.each(["refs/heads/feature", "refs/heads/main2", "refs/tags/main", "refs/pull/7/merge", "refs/heads/*", undefined])(
    "lets nobody deploy from %p, whatever GitHub protects",
    async (ref) => {
      const { ref: _, ...rest } = ofStage;
      const from = ref === undefined ? rest : { ...rest, ref };
      expect(await trusts(trust.deploy, from)).toBe(false);
      expect(await trusts(trust.smoke, from)).toBe(false);
    },
  );

  it("is of the branch that deploy.yml deploys", () => {
    const workflow = readFileSync(join(__dirname, "..", "..", ".github", "workflows", "deploy.yml"), "utf8");
    const [, branch] = /^ {2}push:\n {4}branches: \[(.+)\]$/m.exec(workflow) ?? [];
    expect(`refs/heads/${branch}`).toBe(main);
  });

  it("leaves the branch to GitHub where AWS does not read it from the token", async () => {
    const elsewhere = accessTo(withStage({}, { ...ci, AWS_REGION: "us-gov-west-1" })).trust;
    const { ref: _, ...withoutRef } = ofStage;
    expect(await trusts(elsewhere.deploy, withoutRef)).toBe(true);
    expect(await trusts(elsewhere.smoke, withoutRef)).toBe(true);
  });

  it("keeps the roles apart, and the environments of all stages", async () => {
    expect(await trusts(trust.deploy, { ...ofPlan, ref: main })).toBe(false);
    expect(await trusts(trust.smoke, { ...ofPlan, ref: main })).toBe(false);
    expect(await trusts(trust.plan, ofStage)).toBe(false);
    const environments = stageWords.flatMap((stage) => [stage, `${stage}-plan`]);
    expect(new Set(environments).size).toBe(environments.length);
    // So GitHub's tokens have the name as it stands here, whichever case GitHub writes.
    expect(environments.filter((name) => !/^[a-z-]+$/.test(name))).toEqual([]);
  });

  it("refuses a token for another audience, or of another provider", async () => {
    expect(await trusts(trust.deploy, { ...ofStage, aud: "https://github.com/acme" })).toBe(false);
    expect(await trusts(trust.deploy, { ...ofStage, provider: provider.replace("github", "gitlab") })).toBe(false);
    expect(await trusts(trust.deploy, { ...ofStage, provider: `${provider}/acme` })).toBe(false);
  });

  it("takes a repository with its ids, and then none without", async () => {
    const withIds = accessWith({ DEPLOY_REPOSITORY: "acme@123456/shop@456789" }).trust;
    const of = (repository: string) => token(`repo:${repository}:environment:staging`);
    expect(await trusts(withIds.deploy, of("acme@123456/shop@456789"))).toBe(true);
    expect(await trusts(withIds.deploy, of("acme@123456/shop@1"))).toBe(false);
    expect(await trusts(withIds.deploy, of("acme@1/shop@456789"))).toBe(false);
    expect(await trusts(withIds.deploy, of("acme/shop"))).toBe(false);
  });
});

describe("the stack", () => {
  it("makes the account's provider for GitHub, unless it exists", async () => {
    expect(access.stack.resource("aws_iam_openid_connect_provider")).toMatchObject({
      url: "https://token.actions.githubusercontent.com",
      client_id_list: ["sts.amazonaws.com"],
    });
    const existing = accessWith({ OIDC_PROVIDER: "existing" });
    expect(existing.stack.resources("aws_iam_openid_connect_provider")).toEqual([]);
    expect(
      await trusts(existing.trust.plan, {
        provider,
        sub: "repo:acme/shop:environment:staging-plan",
        aud: "sts.amazonaws.com",
      }),
    ).toBe(true);
  });

  it("grants no identity where another stage makes the identities", async () => {
    const request = kinds["ses:CreateEmailIdentity on identity by Identities"];
    if (request === undefined) throw new Error("The record has no identity.");
    expect(await may(roles.deploy, request)).toBe(true);
    expect(await may(accessWith({ IDENTITIES: "existing" }).roles.deploy, request)).toBe(false);
  });

  it("has the partition of its region in its ARNs", () => {
    const boundaryIn = (region: string) => accessTo(withStage({}, { ...ci, AWS_REGION: region })).boundaryArn;
    expect(boundaryIn("us-gov-west-1")).toMatch(/^arn:aws-us-gov:iam::/);
    expect(boundaryIn("eusc-de-east-1")).toMatch(/^arn:aws-eusc:iam::/);
  });
});

describe("the role of the acceptance test", () => {
  const { smoke } = roles;

  it("is what the recorded calls of npm run smoke need, and no more", async () => {
    const requests = Object.values(recordedSmoke());
    const { missing, unused } = await audit({ smoke: smokeRole(sandboxEndpoint({}).config) }, requests);
    expect(missing).toEqual([]);
    expect(unused).toEqual(expect.arrayContaining(Object.keys(notRecordedSmoke)));
    // The record has an example of each kind, so it does not use each of several resources of one kind.
    const notExplained = unused.filter((grant) => notRecordedSmoke[grant] === undefined);
    expect(notExplained.filter((grant) => !grant.includes(" on "))).toEqual([]);
  });

  // The sandbox does not see what the command asks of AWS alone, and the code shows it.
  it("allows the calls in the code of npm run smoke, and no others", () => {
    const { calls } = callsOf("operations/commands/smoke.ts");
    // `--replay` is for a person, and only `npm run dead-letters -- --resend-unknown` updates a claim.
    const ofOthers = ["events:DescribeReplay", "events:StartReplay", "dynamodb:UpdateItem"];
    const called = new Set(calls.map(({ action }) => action).filter((action) => !ofOthers.includes(action)));
    const allowed = new Set(
      grantsOf(smoke)
        .filter((grant) => !grant.includes(" on "))
        .map((grant) => grant.split(" ")[1]),
    );
    expect([...allowed].sort()).toEqual([...called].sort());
  });

  it.each([
    ["events:PutEvents", `arn:aws:events:eu-west-1:${accountId}:event-bus/shop-staging-event-bus`],
    ["lambda:InvokeFunction", `arn:aws:lambda:eu-west-1:${accountId}:function:shop-staging-email-processor`],
    ["iam:GetRolePolicy", `arn:aws:iam::${accountId}:role/shop-staging-role-eu-west-1`],
    ["logs:FilterLogEvents", `arn:aws:logs:eu-west-1:${accountId}:log-group:/aws/events/shop-staging-feedback:*`],
    ["logs:FilterLogEvents", `arn:aws:logs:eu-west-1:${accountId}:log-group:/aws/lambda/shop-staging-email-processor`],
    ["dynamodb:DeleteItem", `arn:aws:dynamodb:eu-west-1:${accountId}:table/shop-staging-claims`],
    ["sqs:SendMessage", `arn:aws:sqs:eu-west-1:${accountId}:shop-staging-retries`],
    ["sqs:DeleteMessage", `arn:aws:sqs:eu-west-1:${accountId}:shop-staging-dead-letters`],
  ])("allows %s on what is the stage's, and on nothing of another stage", async (action, resource) => {
    const context = {};
    expect(await may(smoke, { action, resource, context })).toBe(true);
    expect(await may(smoke, { action, resource: resource.replace("shop-staging", "shop-prod"), context })).toBe(false);
  });
});
