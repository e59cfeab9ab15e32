import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { LambdaEventSourceMapping } from "@cdktf/provider-aws/lib/lambda-event-source-mapping";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { type TerraformStack } from "cdktf";
import { findIamProblems, needsOf, statementsOf } from "../../../docs/generator/iam";
import { iamDocument } from "../../../docs/generator/iam-document";
import { callsOf } from "../../../docs/generator/sdk-calls";
import { synthesizeForCi, synthesizeForDocs } from "../../../docs/generator/stack";
import { type Names } from "../../../stacks/names";
import { stackWith } from "../../support/docs-stack";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const stack = synthesizeForDocs();
const ci = synthesizeForCi();
const { calls } = callsOf("handler/index.ts");

function allIn<Made>(scope: TerraformStack, isMade: (each: unknown) => each is Made): Made[] {
  return scope.node.findAll().filter((each): each is typeof each & Made => isMade(each));
}

const isDocument = (each: unknown) => each instanceof DataAwsIamPolicyDocument;
const isFunction = (each: unknown) => each instanceof LambdaFunction;
const isTopicPolicy = (each: unknown) => each instanceof SnsTopicPolicy;

function documentAt(scope: TerraformStack, path: string): DataAwsIamPolicyDocument {
  const found = allIn(scope, isDocument).find(({ node }) => node.path.endsWith(path));
  if (found === undefined) throw new Error(`There is no policy at ${path}`);
  return found;
}

type Statements = { sid: string; actions: string[] }[];

/** Changes the statements that a policy has. */
function restate(document: DataAwsIamPolicyDocument, change: (all: Statements) => Statements) {
  document.putStatement(change(document.statementInput as Statements));
}

const ofFunction = (scope: TerraformStack) => documentAt(scope, "standard-lane/function/permissions");

describe("the IAM matrix", () => {
  it("has a need for every permission, and a permission for every need", () => {
    expect(findIamProblems(stack, needsOf(stack, calls))).toEqual([]);
    // Not for want of either.
    expect(calls).toHaveLength(3);
    expect(statementsOf(stack).length).toBeGreaterThan(20);
  });

  it("says whom the boundary lets a function mail", () => {
    const [boundary = ""] = iamDocument(stack, ci).split("### The most that a function may do").slice(1);
    const mail = boundary.split("\n").find((row) => row.includes("`ses:SendTemplatedEmail`"));
    expect(mail).toContain(
      "each `ses:Recipients` is like `ops@example.com`, `*@example.org`, `*@simulator.amazonses.com`<br>`ses:Recipients` is there",
    );
  });

  it("has every statement and every permission of the stack", () => {
    const documents = Object.values(stack.data.aws_iam_policy_document ?? {});
    const sids = documents.flatMap(({ statement }) => (statement as { sid?: string }[]).map(({ sid }) => sid));
    const permissions = Object.values(stack.resources.aws_lambda_permission ?? {}).map((each) => each.statement_id);
    const told = statementsOf(stack).map(({ sid }) => sid);
    expect(told).toHaveLength(sids.length + permissions.length);
    expect(told).toEqual(expect.arrayContaining([...sids.filter((sid) => sid !== undefined), ...permissions]));
  });

  it.each<[string, (scope: TerraformStack, names: Names) => void, string]>([
    [
      "a function may do what no code does",
      (scope) => {
        restate(ofFunction(scope), (all) => [...all, { ...all[0], sid: "Audit", actions: ["dynamodb:PutItem"] }]);
      },
      "The statement Audit allows dynamodb:PutItem, which no code and no service here needs.",
    ],
    [
      "a function may read a queue that it has no mapping for",
      (scope, names) => {
        const queue = new SqsQueue(scope, "audit", { name: names.of("audit") });
        restate(ofFunction(scope), (all) => [
          ...all,
          { sid: "Audit", actions: ["sqs:ReceiveMessage"], resources: [queue.arn] },
        ]);
      },
      "The statement Audit allows sqs:ReceiveMessage, which no code and no service here needs.",
    ],
    [
      "a service may send to a queue that no rule has",
      (scope, names) => {
        const queue = new SqsQueue(scope, "audit", { name: names.of("audit") });
        const document = new DataAwsIamPolicyDocument(scope, "audit-policy", {
          statement: [
            {
              sid: "Audit",
              actions: ["sqs:SendMessage"],
              resources: [queue.arn],
              principals: [{ type: "Service", identifiers: ["events.amazonaws.com"] }],
            },
          ],
        });
        queue.policy = document.json;
      },
      "The statement Audit allows sqs:SendMessage, which no code and no service here needs.",
    ],
    [
      "another account may invoke a function",
      (scope) => {
        new LambdaPermission(scope, "audit", {
          statementId: "Audit",
          action: "lambda:InvokeFunction",
          functionName: allIn(scope, isFunction)[0]?.functionName ?? "",
          principal: "999999999999",
        });
      },
      "The statement Audit allows lambda:InvokeFunction, which no code and no service here needs.",
    ],
    [
      "a call of the code is not allowed",
      (scope) => {
        restate(ofFunction(scope), (all) => all.filter(({ sid }) => sid !== "ClaimSends"));
      },
      "handler/adapters/dynamodb-claims.ts needs dynamodb:UpdateItem, and no statement allows it to aws_iam_role.standard-lane_function_role_CABFB907.",
    ],
    [
      "a poller of a queue is not allowed",
      (scope, names) => {
        new LambdaEventSourceMapping(scope, "audit", {
          eventSourceArn: new SqsQueue(scope, "audit-queue", { name: names.of("audit") }).arn,
          functionName: allIn(scope, isFunction)[0]?.functionName ?? "",
        });
      },
      "Lambda, which polls queue audit needs sqs:ReceiveMessage on aws_sqs_queue.audit-queue, and no statement allows it",
    ],
    [
      "EventBridge may not write a log",
      (scope) => {
        restate(documentAt(scope, "event-log-access/document"), (all) =>
          all.filter(({ sid }) => sid !== "RulesMayLog"),
        );
      },
      "needs logs:PutLogEvents on aws_cloudwatch_log_group.delivery-feedback_log",
    ],
    [
      "an alarm may not use the topic's key",
      (scope) => {
        restate(documentAt(scope, "alarm-topic/key-policy"), (all) => all.slice(0, 1));
      },
      "needs kms:GenerateDataKey on aws_kms_key.monitoring_alarm-topic_key",
    ],
  ])("can't be written down where %s", (_, change, problem) => {
    const changed = stackWith(change);
    expect(findIamProblems(changed, needsOf(changed, calls)).join("\n")).toContain(problem);
    expect(() => iamDocument(changed, ci)).toThrow(problem);
  });

  it.each<[string, (scope: TerraformStack) => void, string]>([
    [
      "is no policy document",
      (scope) => {
        const [policy] = allIn(scope, isTopicPolicy);
        if (policy !== undefined) policy.policy = JSON.stringify({ Statement: [] });
      },
      "aws_sns_topic_policy.monitoring_alarm-topic_topic-policy",
    ],
    [
      "is AWS's own",
      (scope) => {
        new IamRolePolicyAttachment(scope, "audit", { role: "role", policyArn: "arn:aws:iam::aws:policy/ReadOnly" });
      },
      "aws_iam_role_policy_attachment.audit",
    ],
  ])("can't be written down where a policy %s", (_, change, address) => {
    expect(() => iamDocument(stackWith(change), ci)).toThrow(address);
  });
});

describe("the calls of a program", () => {
  const write = (files: Record<string, string>) => writeFiles(temporaryFolder(), files);

  it("are the commands and pages that its files import by name, wherever they are", () => {
    const root = write({
      "index.ts": `import { a } from "./a"; export { b } from "./b"; import { type C } from "./c"; void import("./d");`,
      "a/index.ts": `import { GetEmailIdentityCommand as G, type SendEmailCommand } from "@aws-sdk/client-sesv2"; export const a = G;`,
      "b.ts": `import { paginateDescribeAlarms, CloudWatchClient } from "@aws-sdk/client-cloudwatch"; export const b = 1;`,
      "c.ts": `import { DeleteQueueCommand } from "@aws-sdk/client-sqs"; export type C = 1; void DeleteQueueCommand;`,
      "d.ts": `import { ChangeMessageVisibilityBatchCommand } from "@aws-sdk/client-sqs"; void ChangeMessageVisibilityBatchCommand;`,
    });
    expect(callsOf("index.ts", root)).toEqual({
      calls: [
        { action: "cloudwatch:DescribeAlarms", file: "b.ts" },
        { action: "ses:GetEmailIdentity", file: "a/index.ts" },
        { action: "sqs:ChangeMessageVisibility", file: "d.ts" },
      ],
      problems: [],
    });
  });

  it.each([
    [`import * as ses from "@aws-sdk/client-ses"; void ses;`, "all of @aws-sdk/client-ses"],
    [`void import("@aws-sdk/client-ses");`, "all of @aws-sdk/client-ses"],
    [`import { SES } from "@aws-sdk/client-ses"; void SES;`, "SES of @aws-sdk/client-ses"],
    [
      `import { waitUntilIdentityExists } from "@aws-sdk/client-ses"; void waitUntilIdentityExists;`,
      "waitUntilIdentityExists of @aws-sdk/client-ses",
    ],
    [`import { PutCommand } from "@aws-sdk/lib-dynamodb"; void PutCommand;`, "PutCommand of @aws-sdk/lib-dynamodb"],
  ])("can't hide behind %s", (text, what) => {
    expect(callsOf("index.ts", write({ "index.ts": text })).problems).toEqual([
      `index.ts imports ${what}, which hides its calls: import each command by its name.`,
    ]);
  });
});
