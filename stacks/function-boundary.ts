import {
  type DataAwsIamPolicyDocumentStatement,
  type DataAwsIamPolicyDocumentStatementCondition,
} from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { type IAspect } from "cdktf";
import { type IConstruct } from "constructs";
import { type Arns } from "./arns";
import { type Config } from "./config";
import { type Names } from "./names";
import { documentOf, mostManagedPolicyBytes } from "./policy/limits";
import { recipientConditions } from "./recipient-conditions";
import { checkedIdentities, recipientIdentities } from "./ses-identities";

/**
 * The path of what only the stack `ci-access` makes. No ARN with the stage's prefix (`role/<prefix>-*`) covers what is
 * below a path, so the role that deploys the stage can't reach its own permissions.
 */
export const ciPath = "/ci/";

/** The name of the policy that limits the roles of the stage's functions. */
export const boundaryName = (names: Names): string => names.inAccount("function-boundary");

export const boundaryArn = (arns: Arns): string => arns.inAccount("iam", `policy${ciPath}${boundaryName(arns.names)}`);

/**
 * The most that a function of the stage may do, whatever its own policy says. The role that deploys the stage writes
 * those policies. Without a limit it could give a function every permission, and use them through the function's code.
 * The recipients that the stage's policy lists are a part of it where they fit (`holdsRecipients`).
 */
export function boundaryStatements(arns: Arns, config: Config): DataAwsIamPolicyDocumentStatement[] {
  const limited = statementsFor(arns, config, recipientConditions(config.recipientPolicy, recipientIdentities(config)));
  return Buffer.byteLength(documentOf(limited.map((statement) => ({ ...statement })))) <= mostManagedPolicyBytes
    ? limited
    : statementsFor(arns, config, []);
}

/** Whether the statements of the boundary name the recipients that may be mailed. */
export const holdsRecipients = (statements: readonly DataAwsIamPolicyDocumentStatement[]): boolean =>
  JSON.stringify(statements).includes('"ses:Recipients"');

function statementsFor(
  arns: Arns,
  config: Config,
  recipients: readonly DataAwsIamPolicyDocumentStatementCondition[],
): DataAwsIamPolicyDocumentStatement[] {
  const { names } = arns;
  const { senders } = config;
  const own = `${names.prefix}-*`;
  const addresses = [...new Set(senders.map(({ address }) => address))];
  const identities = new Set([...checkedIdentities(senders), ...recipientIdentities(config)]);
  return [
    {
      sid: "Logs",
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [arns.of("logs", `log-group:/aws/lambda/${own}`)],
    },
    { sid: "Failures", actions: ["events:PutEvents"], resources: [arns.of("events", `event-bus/${own}`)] },
    {
      sid: "Queues",
      actions: ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      resources: [arns.of("sqs", own)],
    },
    { sid: "Claims", actions: ["dynamodb:UpdateItem"], resources: [arns.of("dynamodb", `table/${own}`)] },
    {
      sid: "Mail",
      actions: ["ses:SendTemplatedEmail"],
      resources: [
        ...[...identities].map((identity) => arns.of("ses", `identity/${identity}`)),
        arns.of("ses", `configuration-set/${names.configurationSet}`),
        arns.of("ses", `template/${own}`),
      ],
      condition: [{ test: "StringEquals", variable: "ses:FromAddress", values: addresses }, ...recipients],
    },
  ];
}

/** Puts every role of a stack within a permissions boundary. */
export class RolesWithin implements IAspect {
  constructor(private readonly boundary: string) {}

  visit(node: IConstruct): void {
    if (node instanceof IamRole) node.permissionsBoundary = this.boundary;
  }
}
