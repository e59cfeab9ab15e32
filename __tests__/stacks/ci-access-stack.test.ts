import { Testing } from "cdktf";
import { seedCatalogue } from "../../handler/notifications/seed";
import { CiAccessStack } from "../../stacks/ci-access-stack";
import { type Environment } from "../../stacks/config";
import { boundaryArn } from "../../stacks/function-boundary";
import { Arns } from "../../stacks/arns";
import { NotificationStack } from "../../stacks/notification-stack";
import { type AuthorizationRequest } from "../support/iam/authorization";
import { evaluate, type EvaluatedRole, type PolicyDocument, trusts } from "../support/iam/evaluate";
import { notRecorded, recordedRequests } from "../support/iam/recorded-requests";
import { policyDocument } from "../support/iam/terraform-policy";
import { audit, resourcePolicyFor } from "../support/iam/terraform-record";
import { configOf, synthesized, type Synthesized, withStage } from "../support/stack";

/** The configuration that `__tests__/end-to-end/ci-access.test.ts` records. */
const environment = { STAGE: "staging", ALARM_EMAIL: "on-call@example.com", DEPLOY_REPOSITORY: "acme/shop" };
const accountId = "123456789012";
const provider = `arn:aws:iam::${accountId}:oidc-provider/token.actions.githubusercontent.com`;

interface Access {
  readonly stack: Synthesized;
  readonly roles: Readonly<Record<"plan" | "deploy", EvaluatedRole>>;
  readonly trust: Readonly<Record<"plan" | "deploy", PolicyDocument>>;
  readonly boundary: PolicyDocument;
  readonly boundaryArn: string;
}

function accessOf(changes: Environment = {}, config = configOf({ ...environment, ...changes })): Access {
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
    roles: { plan: role("plan", [reads]), deploy: role("deploy", [reads, documentOf("changes-document")]) },
    trust: { plan: documentOf("plan_trust"), deploy: documentOf("deploy_trust") },
    boundary: documentOf("function-boundary-document"),
    boundaryArn: boundaryArn(Arns.of(config)),
  };
}

const access = accessOf();
const { roles } = access;
const { kinds, keyPolicy } = recordedRequests();
const recorded = Object.values(kinds);

const may = async (role: EvaluatedRole, request: AuthorizationRequest) =>
  (await evaluate(role, request, resourcePolicyFor(request, keyPolicy))).allowed;

describe("the permissions", () => {
  it("are what Terraform's recorded calls need, and no more", async () => {
    const { missing, unused } = await audit(roles, recorded, keyPolicy);
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
          .replaceAll("sender@", "other@"),
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
    for (const role of Object.values(roles)) expect(await may(role, { action, resource, context })).toBe(false);
  });

  it("let the plan role lock the state, and not write it", async () => {
    const resource = `${bucket}/shop/staging/eu-west-1/terraform.tfstate`;
    const put = { action: "s3:PutObject", context: {} };
    expect(await may(roles.plan, { ...put, resource: `${resource}.tflock` })).toBe(true);
    expect(await may(roles.plan, { ...put, resource })).toBe(false);
    expect(await may(roles.deploy, { ...put, resource })).toBe(true);
  });
});

describe("the roles of a stage that sends from a domain", () => {
  const zone = "arn:aws:route53:::hostedzone/Z0123456789";
  const identity = `arn:aws:ses:eu-west-1:${accountId}:identity/example.com`;
  const names = (...values: readonly string[]) => ({
    "route53:ChangeResourceRecordSetsNormalizedRecordNames": [...values],
  });
  const withDomain = withStage(
    {
      senders: { default: { address: "sender@example.com", identity: "domain" } },
      sendingDomains: { "example.com": { zoneId: "Z0123456789" } },
      tracking: { domain: "click.example.com", httpsPolicy: "OPTIONAL" },
    },
    { DEPLOY_REPOSITORY: "acme/shop", EMAIL_SENDER: "" },
  );
  const domainAccess = accessOf({}, withDomain);
  const stack = synthesized(new NotificationStack(Testing.app(), "notification", withDomain, seedCatalogue));
  const { plan, deploy } = domainAccess.roles;

  it("make the records of the stack, and set its MAIL FROM and its tracking domain", async () => {
    const records = stack
      .resources("aws_route53_record")
      .map(({ name }) => String(name).replace(/\$\{[^}]*\}/, "token"));
    expect(records).toHaveLength(7);
    const needed = [
      ...records.map((name) => ({
        action: "route53:ChangeResourceRecordSets",
        resource: zone,
        context: names(name),
      })),
      { action: "route53:GetChange", resource: "arn:aws:route53:::change/C0123456789", context: {} },
      { action: "ses:PutEmailIdentityMailFromAttributes", resource: identity, context: {} },
      {
        action: "ses:PutConfigurationSetTrackingOptions",
        resource: `arn:aws:ses:eu-west-1:${accountId}:configuration-set/shop-dev-notifications`,
        context: {},
      },
    ];
    for (const request of needed) {
      expect([request, await may(deploy, request), await may(plan, request)]).toEqual([request, true, false]);
    }
    for (const action of ["route53:GetHostedZone", "route53:ListResourceRecordSets"]) {
      for (const role of [plan, deploy]) expect(await may(role, { action, resource: zone, context: {} })).toBe(true);
    }
  });

  it.each<[string, string, Record<string, string[]>]>([
    ["the name of the domain itself", zone, names("example.com")],
    ["another name", zone, names("www.example.com")],
    ["another name beside one of its own", zone, names("click.example.com", "www.example.com")],
    ["a request without names", zone, {}],
    ["another zone", zone.replace("Z0", "Z9"), names("click.example.com")],
  ])("change nothing else: %s", async (_, resource, context) => {
    expect(await may(deploy, { action: "route53:ChangeResourceRecordSets", resource, context })).toBe(false);
  });

  it("have nothing of it where another stage made the identities, but for the tracking domain", () => {
    const ofOthers = accessOf({}, { ...withDomain, manageIdentities: false, tracking: undefined });
    expect(JSON.stringify(ofOthers.roles)).not.toMatch(/route53|MailFrom|Tracking/);
    expect(JSON.stringify(roles)).not.toMatch(/route53|MailFrom|Tracking/);
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
  const config = configOf(environment);
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
        readonly condition?: readonly { readonly variable: string; readonly values: readonly string[] }[];
      }[];
    };
    return statement.flatMap(({ actions, resources, condition = [] }) =>
      actions.flatMap((action) =>
        resources.map((resource) => ({
          action,
          resource,
          context: Object.fromEntries(condition.map(({ variable, values }) => [variable, values[0] ?? ""])),
        })),
      ),
    );
  }
});

describe("the trust", () => {
  const aud = "sts.amazonaws.com";

  it.each([
    ["plan", "repo:acme/shop:environment:staging-plan"],
    ["deploy", "repo:acme/shop:environment:staging"],
  ] as const)("lets the %s role be taken on as %s", async (role, sub) => {
    expect(await trusts(access.trust[role], { provider, sub, aud })).toBe(true);
  });

  it.each([
    "repo:acme/shop:environment:prod",
    "repo:acme/shop:environment:staging:x",
    "repo:acme/shop:pull_request",
    "repo:acme/shop:ref:refs/heads/main",
    "repo:acme/shop-fork:environment:staging",
    "repo:acme2/shop:environment:staging",
    "repo:acme@1/shop@2:environment:staging",
    "*",
  ])("refuses %s", async (sub) => {
    for (const trust of Object.values(access.trust)) expect(await trusts(trust, { provider, sub, aud })).toBe(false);
  });

  it("keeps the roles apart", async () => {
    expect(await trusts(access.trust.deploy, { provider, sub: "repo:acme/shop:environment:staging-plan", aud })).toBe(
      false,
    );
    expect(await trusts(access.trust.plan, { provider, sub: "repo:acme/shop:environment:staging", aud })).toBe(false);
  });

  it("refuses a token for another audience, or of another provider", async () => {
    const sub = "repo:acme/shop:environment:staging";
    expect(await trusts(access.trust.deploy, { provider, sub, aud: "https://github.com/acme" })).toBe(false);
    expect(await trusts(access.trust.deploy, { provider: provider.replace("github", "gitlab"), sub, aud })).toBe(false);
  });

  it("takes a repository with its ids, and then none without", async () => {
    const { trust } = accessOf({ DEPLOY_REPOSITORY: "acme@123456/shop@456789" });
    const of = (repository: string) => ({ provider, sub: `repo:${repository}:environment:staging`, aud });
    expect(await trusts(trust.deploy, of("acme@123456/shop@456789"))).toBe(true);
    expect(await trusts(trust.deploy, of("acme@123456/shop@1"))).toBe(false);
    expect(await trusts(trust.deploy, of("acme/shop"))).toBe(false);
  });
});

describe("the stack", () => {
  it("makes the account's provider for GitHub, unless it exists", async () => {
    expect(access.stack.resource("aws_iam_openid_connect_provider")).toMatchObject({
      url: "https://token.actions.githubusercontent.com",
      client_id_list: ["sts.amazonaws.com"],
    });
    const existing = accessOf({ OIDC_PROVIDER: "existing" });
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
    expect(await may(accessOf({ IDENTITIES: "existing" }).roles.deploy, request)).toBe(false);
  });

  it("has the partition of its region in its ARNs", () => {
    expect(accessOf({ AWS_REGION: "us-gov-west-1" }).boundaryArn).toMatch(/^arn:aws-us-gov:iam::/);
    expect(accessOf({ AWS_REGION: "eusc-de-east-1" }).boundaryArn).toMatch(/^arn:aws-eusc:iam::/);
  });
});
