import { runSimulation } from "@cloud-copilot/iam-simulate";
import { Testing } from "cdktf";
import { type IConstruct } from "constructs";
import { emailRequest } from "../../handler/notifications/email-request";
import { seedCatalogue } from "../../handler/notifications/seed";
import { Arns } from "../../stacks/arns";
import { CiAccessStack } from "../../stacks/ci-access-stack";
import { type Config } from "../../stacks/config";
import { boundaryStatements } from "../../stacks/function-boundary";
import { NotificationStack } from "../../stacks/notification-stack";
import { documentOf, mostManagedPolicyBytes } from "../../stacks/policy/limits";
import { exampleAccountId, type StageSettings } from "../../stacks/stages";
import { type HandledEvent, runDeployedBundle } from "../support/deployed-bundle";
import { businessEvent } from "../support/send-notification";
import { policyDocument } from "../support/iam/terraform-policy";
import { configOf, Synthesized, synthesized as synthesize, withStage } from "../support/stack";

/**
 * The list of those who may be mailed holds in the handler and in IAM. Here one table of recipients goes through both: the
 * deployed bundle makes its real requests, and an evaluator of policies reads the role's policy for each of them. It
 * refuses context keys and resources that the Service Authorization Reference does not know for the action.
 */

const allowedRecipients: StageSettings["allowedRecipients"] = {
  mode: "restricted",
  addresses: ["Jane.Doe@example.com", "ops@example.com", '"odd..one"@example.com', "kaethe@bücher.example"],
  domains: ["Shop.Example", "bücher-laden.example"],
};

/** Each recipient as an event names it, and whether it may be mailed. */
const recipients: readonly (readonly [string, boolean])[] = [
  ["Jane.Doe@example.com", true],
  ["jane.doe@EXAMPLE.com", true],
  ['"Jane.Doe"@example.com', true],
  ["ops@example.com", true],
  ["OPS@example.com", true],
  ['"odd..one"@example.com', true],
  ['"ODD..ONE"@example.com', true],
  ["kaethe@bücher.example", true],
  ["kaethe@xn--bcher-kva.example", true],
  ["anybody@shop.example", true],
  ["Any.Body+tag@SHOP.example", true],
  ["anybody@bücher-laden.example", true],
  ["anybody@xn--bcher-laden-thb.example", true],
  ["bounce@simulator.amazonses.com", true],
  ["somebody@example.com", false],
  ["xops@example.com", false],
  ["ops@example.com.evil.example", false],
  ["ops@sub.example.com", false],
  ["anybody@sub.shop.example", false],
  ["anybody@evilshop.example", false],
  ["anybody@shop.example.evil.example", false],
  ["*@shop.example.org", false],
  ["*@example.com", false],
  ["o?s@example.com", false],
  ["ops%shop.example@evil.example", false],
  ["a@b.example", false],
  ["anybody@bucher-laden.example", false],
];

const config = withStage({ allowedRecipients });
const stackOf = (config: Config) => new NotificationStack(Testing.app(), "notification", config, seedCatalogue);
const warningsOf = ({ node }: IConstruct) =>
  node
    .findAll()
    .flatMap((each) => each.node.metadata.filter(({ type }) => /warn/.test(type)))
    .map(({ data }) => String(data));
const recipientsOfLength = (count: number, length: number) =>
  Array.from({ length: count }, (_, at) => `r${at}`.padEnd(length - "@example.com".length, "x") + "@example.com");
const holdsList = (text: string) => text.includes("ForAllValues:StringLike");

/** The largest whole number that fits. Throws where the least does not fit, or where the most does. */
function largest(least: number, most: number, fits: (size: number) => boolean): number {
  if (!fits(least) || fits(most)) throw new Error(`The bound is not between ${least} and ${most}.`);
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (fits(middle)) least = middle;
    else most = middle;
  }
  return least;
}

const events = recipients.map(([recipient], at) =>
  businessEvent({ emailConfig: { recipient } }, { id: `event-${at}`, source: "custom.application" }),
);

/** The policy of a function's role, as Terraform would write it. */
function rolePolicy(stack: Synthesized, change: (statement: Record<string, unknown>) => void = () => undefined) {
  const documents = Object.values(stack.data("aws_iam_policy_document")) as { statement: Record<string, unknown>[] }[];
  const document = documents.find(({ statement }) => statement.some(({ sid }) => sid === "SendNotifications"));
  const Statement = document?.statement.map((statement) => {
    const copy = structuredClone(statement);
    change(copy);
    const condition = (copy.condition ?? []) as { test: string; variable: string; values: string[] }[];
    return {
      Sid: copy.sid,
      Effect: "Allow",
      Action: copy.actions,
      Resource: (copy.resources as string[]).map(applied),
      Condition: condition.reduce<Record<string, Record<string, string[]>>>(
        (all, { test, variable, values }) => ({ ...all, [test]: { ...all[test], [variable]: values } }),
        {},
      ),
    };
  });
  return { Version: "2012-10-17", Statement };
}

/** The text with the values that Terraform would put in place of its expressions. */
function applied(text: string): string {
  return text
    .replace(/\$\{data\.aws_partition\.[^}]*\}/g, "aws")
    .replace(/\$\{data\.aws_caller_identity\.[^}]*\}/g, exampleAccountId)
    .replace(/\$\{aws_[^}]*\.arn\}/g, `arn:aws:sqs:eu-west-1:${exampleAccountId}:other`);
}

/** The keys that SES gives for a request (Service Authorization Reference, Amazon SES). */
function contextOf(request: URLSearchParams): Record<string, string | string[]> {
  const listed = (field: string) =>
    [...request].filter(([name]) => name.startsWith(`Destination.${field}.member.`)).map(([, address]) => address);
  const to = ["ToAddresses", "CcAddresses", "BccAddresses"].flatMap(listed);
  return {
    "ses:FromAddress": request.get("Source") ?? "",
    // A key without a value is left out of a request's context.
    ...(to.length === 0 ? {} : { "ses:Recipients": to }),
  };
}

/** What a role would have that the deploy role has written itself. */
const everything = {
  Version: "2012-10-17",
  Statement: { Sid: "Everything", Effect: "Allow", Action: "*", Resource: "*" },
};

/** The boundary of the functions' roles, as the stack `ci-access` writes it. */
const boundaryOf = (of: Config) => policyDocument({ statement: boundaryStatements(Arns.of(of), of) as never });

interface Circumstances {
  /** The identity that SES checks, too, while the account is in the SES sandbox. @default none */
  readonly recipientIdentity?: string;
  /** The permissions boundary of the role. @default none */
  readonly boundary?: unknown;
}

/** Whether the policy allows the request for each resource that SES checks: aws-cdk issue 34402. */
async function isAllowed(
  policy: unknown,
  request: URLSearchParams,
  { recipientIdentity, boundary }: Circumstances = {},
): Promise<boolean> {
  const arn = (resource: string) => `arn:aws:ses:eu-west-1:${exampleAccountId}:${resource}`;
  const resources = [
    arn(`identity/${request.get("Source") ?? ""}`),
    arn(`template/${request.get("Template") ?? ""}`),
    arn(`configuration-set/${request.get("ConfigurationSetName") ?? ""}`),
    ...(recipientIdentity === undefined ? [] : [arn(`identity/${recipientIdentity}`)]),
  ];
  const results = await Promise.all(
    resources.map((resource) =>
      runSimulation(
        {
          request: {
            principal: `arn:aws:sts::${exampleAccountId}:assumed-role/shop-dev-role/function`,
            action: `ses:${request.get("Action") ?? ""}`,
            resource: { resource, accountId: exampleAccountId },
            contextVariables: contextOf(request),
          },
          identityPolicies: [{ name: "role", policy }],
          serviceControlPolicies: [],
          resourceControlPolicies: [],
          ...(boundary === undefined ? {} : { permissionBoundaryPolicies: [{ name: "boundary", policy: boundary }] }),
        },
        {},
      ),
    ),
  );
  return results.every((result) => {
    if (result.resultType === "error") throw new Error(JSON.stringify(result.errors));
    return result.overallResult === "Allowed";
  });
}

let handled: HandledEvent[];
/** The same events in a function that has lost its list. */
let unguarded: HandledEvent[];
let policy: unknown;
let synthesized: Synthesized;

beforeAll(async () => {
  const stack = stackOf(config);
  synthesized = new Synthesized(JSON.stringify(stack.toTerraform()));
  policy = rolePolicy(synthesized);
  handled = await runDeployedBundle(stack, config, events);
  unguarded = await runDeployedBundle(stack, config, events, {
    RECIPIENT_POLICY: JSON.stringify({ mode: "unrestricted", reason: "a bug" }),
  });
}, 60_000);

it("looks at every recipient", () => {
  expect(handled).toHaveLength(recipients.length);
  expect(unguarded.every(({ sends }) => sends.length === 1)).toBe(true);
});

describe.each(recipients.map(([recipient, isListed], at) => [recipient, isListed ? "may" : "may not", at] as const))(
  "%s %s be mailed",
  (_, may, at) => {
    it("by the deployed handler", () => {
      expect(handled[at]?.sends).toHaveLength(may === "may" ? 1 : 0);
      expect(handled[at]?.answer).toMatchObject(
        may === "may" ? { messageIds: ["m-1"] } : { parked: "RecipientRefused" },
      );
    });

    it("by the role's policy", async () => {
      const [request] = (may === "may" ? handled : unguarded)[at]?.sends ?? [];
      expect(await isAllowed(policy, request ?? new URLSearchParams())).toBe(may === "may");
    });

    it("by a role that has every permission within the boundary of the functions", async () => {
      const [request] = (may === "may" ? handled : unguarded)[at]?.sends ?? [];
      const within = boundaryOf(config);
      expect(await isAllowed(everything, request ?? new URLSearchParams(), { boundary: within })).toBe(may === "may");
    });
  },
);

describe("the boundary of the functions", () => {
  it("denies a request that names no recipient at all, and a mail of which one recipient is not listed", async () => {
    const boundary = boundaryOf(config);
    const request = new URLSearchParams(handled[0]?.sends[0]);
    expect(await isAllowed(everything, request, { boundary })).toBe(true);
    request.set("Destination.BccAddresses.member.1", "evil@evil.example");
    expect(await isAllowed(everything, request, { boundary })).toBe(false);
    request.delete("Destination.BccAddresses.member.1");
    request.delete("Destination.ToAddresses.member.1");
    expect(await isAllowed(everything, request, { boundary })).toBe(false);
  });

  it("names nobody where the stage may mail everybody", () => {
    expect(JSON.stringify(boundaryOf(configOf({ STAGE: "prod" })))).not.toContain("ses:Recipients");
  });

  // Where the identities exist, the other policies of the stack name none, so that the boundary is full first.
  const withRecipients = (count: number, sesSandbox: boolean) => {
    const addresses = recipientsOfLength(count, 39);
    return withStage(
      { sesSandbox, allowedRecipients: { mode: "restricted", addresses, domains: [] } },
      { EMAIL_RECIPIENT: addresses[0], IDENTITIES: "existing", DEPLOY_REPOSITORY: "acme/shop" },
    );
  };
  /** The stack `ci-access`, whose policies are checked against AWS's limits, and the warnings of its synth. */
  const accessOf = (of: Config) => {
    if (of.ci === undefined) throw new Error("No CI is configured.");
    const state = { bucket: "states", key: "key" };
    const stack = new CiAccessStack(Testing.app(), "ci-access", { ...of, ci: of.ci, state });
    return { text: synthesize(stack).text, warnings: warningsOf(stack) };
  };

  it("names every list that the stage may have outside the SES sandbox, up to the longest", () => {
    const stackFor = (count: number) => () => synthesize(stackOf(withRecipients(count, false)));
    const most = largest(1, 200, (count) => {
      try {
        return stackFor(count)() instanceof Synthesized;
      } catch {
        return false;
      }
    });
    expect(stackFor(most + 1)).toThrow("environment-fits");
    const { text, warnings } = accessOf(withRecipients(most, false));
    expect(holdsList(text)).toBe(true);
    expect(warnings).toEqual([]);
    expect(holdsList(stackFor(most)().text)).toBe(true);
  });

  it("leaves out a list with one recipient more than fits beside the identities in the SES sandbox, and the synth says so", () => {
    const most = largest(1, 50, (count) => holdsList(accessOf(withRecipients(count, true)).text));
    expect(accessOf(withRecipients(most, true)).warnings).toEqual([]);
    // One more would be too much for IAM, and not for us alone.
    const bytesOf = (count: number) => {
      const of = withRecipients(count, true);
      return Buffer.byteLength(documentOf(boundaryStatements(Arns.of(of), of).map((each) => ({ ...each }))));
    };
    const ofEach = bytesOf(most) - bytesOf(most - 1);
    expect(bytesOf(most)).toBeLessThanOrEqual(mostManagedPolicyBytes);
    expect(bytesOf(most) + ofEach).toBeGreaterThan(mostManagedPolicyBytes);
    expect(accessOf(withRecipients(most + 1, true)).warnings).toEqual([
      expect.stringMatching(/^The allowed recipients don't fit into the boundary of the/),
    ]);
  });
});

describe("the role's policy", () => {
  const changed = (name: string, value: string | undefined) => {
    const request = new URLSearchParams(handled[0]?.sends[0]);
    if (value === undefined) request.delete(name);
    else request.set(name, value);
    return request;
  };

  it("denies a mail of which one recipient is not listed", async () => {
    expect(await isAllowed(policy, changed("Destination.CcAddresses.member.1", "ops@example.com"))).toBe(true);
    expect(await isAllowed(policy, changed("Destination.BccAddresses.member.1", "evil@evil.example"))).toBe(false);
  });

  it("denies a request that names no recipient at all", async () => {
    const nobody = changed("Destination.ToAddresses.member.1", undefined);
    expect(await isAllowed(policy, nobody)).toBe(false);
    const withoutNull = rolePolicy(synthesized, (statement) => {
      const conditions = statement.condition as { test: string }[] | undefined;
      if (conditions !== undefined) statement.condition = conditions.filter(({ test }) => test !== "Null");
    });
    // ForAllValues alone would let it through.
    expect(await isAllowed(withoutNull, nobody)).toBe(true);
  });

  it("denies another sender, another template and another configuration set", async () => {
    for (const [name, value] of [
      ["Source", "other@example.com"],
      ["Template", "other-dev-email-request-00000000"],
      ["ConfigurationSetName", "other"],
    ] as const) {
      expect(await isAllowed(policy, changed(name, value))).toBe(false);
    }
  });

  it("lists nobody where the stage may mail everybody, and then any recipient is allowed", async () => {
    const stack = new Synthesized(JSON.stringify(stackOf(configOf({ STAGE: "prod" })).toTerraform()));
    expect(stack.text).not.toContain("ses:Recipients");
    const request = changed("Template", `shop-prod-${emailRequest.id}-00000000`);
    request.set("ConfigurationSetName", "shop-prod-notifications");
    request.set("Destination.ToAddresses.member.1", "anybody@customer.example");
    expect(await isAllowed(rolePolicy(stack), request)).toBe(true);
  });
});

describe("in the SES sandbox, where SES checks the identity of the recipient, too", () => {
  const requestTo = (recipient: string) => {
    const request = new URLSearchParams(handled[0]?.sends[0]);
    request.set("Destination.ToAddresses.member.1", recipient);
    return request;
  };

  it.each([
    ["a recipient of the stage", "ops@example.com", "ops@example.com"],
    ["a listed address that a person has verified", "Jane.Doe@example.com", "Jane.Doe@example.com"],
    ["a listed address whose domain a person has verified", "Jane.Doe@example.com", "example.com"],
    ["an address of a listed domain", "anybody@shop.example", "shop.example"],
  ])("the role's policy and the boundary allow %s", async (_, recipient, identity) => {
    expect(config.sesSandbox).toBe(true);
    const [request, recipientIdentity] = [requestTo(recipient), identity];
    expect(await isAllowed(policy, request, { recipientIdentity })).toBe(true);
    expect(await isAllowed(everything, request, { recipientIdentity, boundary: boundaryOf(config) })).toBe(true);
    expect(boundaryIdentities(config)).toContain(identity);
  });

  it("neither names an identity of recipients outside the SES sandbox, nor one that the stack makes in vain", () => {
    expect(boundaryIdentities(withStage({ allowedRecipients, sesSandbox: false }))).toEqual([
      "sender@example.com",
      "example.com",
    ]);
    expect(synthesized.resources("aws_sesv2_email_identity").map(({ email_identity: name }) => name)).toEqual(
      expect.not.arrayContaining(["Jane.Doe@example.com", "shop.example"]),
    );
  });

  const boundaryIdentities = (of: Config) =>
    boundaryStatements(Arns.of(of), of)
      .flatMap(({ resources }) => resources ?? [])
      .flatMap((resource) => resource.split(":identity/")[1] ?? []);
});

describe("a list of recipients", () => {
  const synthesizedFor = (EMAIL_RECIPIENT: string) => {
    // Nothing else has more names in a policy: the longest project, and the SES sandbox with its identities.
    const longest = { PROJECT_NAME: "p".repeat(31), AWS_REGION: "ap-southeast-1", EMAIL_RECIPIENT };
    const stack = stackOf(configOf(longest));
    stack.runAllValidations();
    return { text: JSON.stringify(stack.toTerraform()), warnings: warningsOf(stack) };
  };

  it("is in the policy of a role up to the longest that fits, and from then on the synth says that it is not", () => {
    // Fifty recipients are all that a stage takes, so what grows is the length of each.
    const listOf = (length: number) => synthesizedFor(recipientsOfLength(50, length).join());
    const longest = largest(20, 60, (length) => holdsList(listOf(length).text));
    expect(listOf(longest).warnings).toEqual([]);
    expect(listOf(longest + 1).warnings).toHaveLength(1);
  });

  it("that is too long for the policy of a role stays out of it, and the synth says what holds instead", () => {
    const { text, warnings } = synthesizedFor(recipientsOfLength(50, 44).join());
    expect(text).not.toContain("ses:Recipients");
    expect(warnings).toEqual([
      expect.stringMatching(
        /^The 51 allowed recipients don't fit into the policy of a role, .*: the function alone does\. /,
      ),
    ]);
  });
});
