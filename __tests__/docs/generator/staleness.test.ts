import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { join } from "node:path";
import { documents, type Subject } from "../../../docs/generator/documents";
import { synthesizeForCi } from "../../../docs/generator/stack";
import { seedCatalogue } from "../../../handler/notifications/seed";
import { prices } from "../../../stacks/costs/prices";
import { stackWith } from "../../support/docs-stack";

const ci = synthesizeForCi();
const folder = join(__dirname, "..", "..", "..", "docs");
/** The same stage as `stackWith` changes, so that only the change makes a difference. */
const subject: Subject = { notifications: seedCatalogue, stack: stackWith(() => undefined), ci, folder };

/** The documents as they are, each written once. */
const unchanged = new Map<string, Promise<string>>();
function unchangedText(path: string): Promise<string> {
  const text = unchanged.get(path) ?? textOf(path, subject);
  unchanged.set(path, text);
  return text;
}

/** What the document becomes: its text, or why it can't be written. */
async function textOf(path: string, of: Subject): Promise<string> {
  const document = documents.find((each) => each.path === path);
  if (document === undefined) throw new Error(`There is no document ${path}`);
  try {
    return await document.generate(of);
  } catch (error) {
    return (error as Error).message;
  }
}

const withThreshold = () =>
  stackWith((scope) => {
    const alarm = scope.node.findAll().find((each) => each instanceof CloudwatchMetricAlarm);
    if (alarm !== undefined) alarm.threshold = 4711;
  });
const withQueue = () =>
  stackWith((scope, names) => {
    new SqsQueue(scope, "audit", { name: names.of("audit") });
  });
const withRule = () =>
  stackWith((scope, names) => {
    new CloudwatchEventRule(scope, "audit", { name: names.of("audit"), eventBusName: names.of("event-bus") });
  });
const withStatement = () =>
  stackWith((scope) => {
    const document = scope.node
      .findAll()
      .find(
        (each): each is DataAwsIamPolicyDocument =>
          each instanceof DataAwsIamPolicyDocument && each.node.path.endsWith("standard-lane/function/permissions"),
      );
    document?.putStatement([{ sid: "Audit", actions: ["sns:Publish"], resources: ["arn:aws:sns:::audit"] }]);
  });
/** The stack `ci-access` with other statements of the plan role, as if somebody had changed stacks/ci-grants.ts. */
const withGrant = (change: (text: string) => string): Subject["ci"] => ({
  ...ci,
  ciAccess: JSON.parse(change(JSON.stringify(ci.ciAccess))) as Subject["ci"]["ciAccess"],
});
const withSubject = () => seedCatalogue.map((each) => ({ ...each, subject: `Audit: ${each.subject}` }));

const changes: [path: string, what: string, change: () => Partial<Subject>][] = [
  ["alarms.md", "an alarm's threshold", () => ({ stack: withThreshold() })],
  ["loss-map.md", "a queue", () => ({ stack: withQueue() })],
  ["costs.md", "a resource", () => ({ stack: withQueue() })],
  ["iam.md", "a statement of a function's role", () => ({ stack: withStatement() })],
  [
    "iam.md",
    "an action of a role of ci-access",
    () => ({ ci: withGrant((t) => t.replace("sqs:TagQueue", "sqs:PurgeQueue")) }),
  ],
  [
    "iam.md",
    "a resource of a role of ci-access",
    () => ({ ci: withGrant((t) => t.replaceAll("alias/project-prod-*", "alias/*")) }),
  ],
  [
    "iam.md",
    "the subject of a role's trust",
    () => ({ ci: withGrant((t) => t.replaceAll("environment:prod-plan", "*")) }),
  ],
  [
    "iam.md",
    "the branch of a role's trust",
    () => ({ ci: withGrant((t) => t.replaceAll("refs/heads/main", "refs/heads/x")) }),
  ],
  [
    "iam.md",
    "the audience of a role's trust",
    () => ({ ci: withGrant((t) => t.replaceAll("sts.amazonaws.com", "x")) }),
  ],
  ["policy.md", "a suppression", () => ({ ci: { ...ci, notification: { ...ci.notification, suppressions: [] } } })],
  [
    "policy.md",
    "a suppression of ci-access",
    () => ({ ci: { ...ci, ciAccess: { ...ci.ciAccess, suppressions: [] } } }),
  ],
  ["catalogue.md", "a notification's subject", () => ({ notifications: withSubject() })],
  ["architecture.md", "a resource", () => ({ stack: withRule() })],
  ["images/architecture-light.svg", "a resource", () => ({ stack: withRule() })],
  ["images/architecture-dark.svg", "a resource", () => ({ stack: withRule() })],
];

describe("a generated document changes with its source:", () => {
  it.each(changes)("%s with %s", async (path, _, change) => {
    expect(await textOf(path, { ...subject, ...change() })).not.toBe(await unchangedText(path));
  });

  it.each(["key", "bucketWrite", "mailEssentials"] as const)("costs.md with the price %s", async (name) => {
    const price = prices[name] as { usd: number };
    const before = await unchangedText("costs.md");
    const { usd } = price;
    try {
      price.usd = usd * 2;
      expect(await textOf("costs.md", subject)).not.toBe(before);
    } finally {
      price.usd = usd;
    }
  });

  it.each([
    [
      "a permission that Terraform never used",
      "sqs:TagQueue",
      "sqs:PurgeQueue",
      "The permission sqs:PurgeQueue by Queues",
    ],
    ["a permission that Terraform used", "sqs:TagQueue", "sqs:PurgeQueue", "Terraform needed sqs:TagQueue by Queues"],
    [
      "a call that npm run smoke never makes",
      'events:DescribeEventBus","events:PutEvents',
      'events:DescribeEventBus","events:TestEventPattern',
      "The smoke role allows events:TestEventPattern, which operations/commands/smoke.ts never calls",
    ],
    [
      "a call of npm run smoke that its role may not make",
      'events:DescribeEventBus","events:PutEvents',
      'events:DescribeEventBus","events:TestEventPattern',
      "operations/commands/smoke.ts calls events:PutEvents, and the smoke role does not allow it",
    ],
    [
      "a call that it lists as one of no workflow, and that the role has",
      'events:DescribeEventBus","events:PutEvents',
      'events:DescribeEventBus","events:StartReplay","events:PutEvents',
      "In the list notInWorkflows, events:StartReplay of --replay is allowed",
    ],
    [
      "what no function needs, in the boundary",
      'sqs:SendMessage","sqs:ReceiveMessage',
      'sqs:PurgeQueue","sqs:ReceiveMessage',
      "The boundary of the functions allows sqs:PurgeQueue",
    ],
  ])("iam.md tells of %s", async (_, from, to, told) => {
    const text = await textOf("iam.md", { ...subject, ci: withGrant((t) => t.replace(from, to)) });
    expect(text).toContain(told);
  });

  it("and every document is among these", () => {
    expect([...new Set(changes.map(([path]) => path))].sort()).toEqual(documents.map(({ path }) => path).sort());
  });
});
