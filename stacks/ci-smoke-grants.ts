import { type Grant, type GrantScope } from "./ci-grants";
import { laneNames, lanes } from "./lanes";
import { checkedIdentities } from "./ses-identities";

/**
 * What `npm run smoke` asks of AWS after a deployment (docs/operations.md, "After a deploy"). Tests hold it against the
 * recorded calls of the command, and its actions against the calls of its code, but for those of `--replay`, which no
 * workflow runs.
 */
export function smokeGrants({ arns, config }: Omit<GrantScope, "state">): Grant[] {
  const { names } = arns;
  const deadLetters = arns.of("sqs", names.of("dead-letters"));
  const retries = lanes.map((lane) => arns.of("sqs", names.of(laneNames(lane).retryQueue)));
  // AWS's examples name a log group with and without its streams.
  const logGroup = (name: string) => ["", ":*"].map((streams) => arns.of("logs", `log-group:${name}${streams}`));
  return [
    {
      sid: "Events",
      resources: [arns.of("events", `event-bus/${names.of("event-bus")}`)],
      read: ["events:DescribeEventBus", "events:PutEvents"],
    },
    { sid: "Rules", resources: [arns.ownRules], read: ["events:DescribeRule"] },
    {
      sid: "Functions",
      resources: lanes.map((lane) => arns.of("lambda", `function:${names.of(laneNames(lane).function)}`)),
      read: ["lambda:InvokeFunction"],
    },
    {
      sid: "FunctionsPolicies",
      resources: lanes.map((lane) => arns.inAccount("iam", `role/${names.inAccount(laneNames(lane).executionRole)}`)),
      read: ["iam:GetRolePolicy"],
    },
    {
      sid: "Feedback",
      resources: logGroup(`/aws/events/${names.of("feedback")}`),
      read: ["logs:FilterLogEvents"],
      wildcard: "It stands for the streams of this one log group, which AWS names.",
    },
    {
      // Only the function's own lines tell that it has met a duplicate and has not mailed it again.
      sid: "FunctionsLines",
      resources: lanes.flatMap((lane) => logGroup(`/aws/lambda/${names.of(laneNames(lane).function)}`)),
      read: ["logs:FilterLogEvents"],
      wildcard: "It stands for the streams of one function's log group, which AWS names.",
    },
    {
      sid: "Claims",
      resources: [arns.of("dynamodb", `table/${names.of("claims")}`)],
      read: ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:PutItem"],
    },
    {
      sid: "DeadLetters",
      resources: [deadLetters],
      read: [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
      ],
    },
    { sid: "Retries", resources: retries, read: ["sqs:GetQueueUrl", "sqs:SendMessage"] },
    { sid: "Alarms", resources: [arns.ownAlarms], read: ["cloudwatch:DescribeAlarms"] },
    {
      sid: "Identities",
      resources: checkedIdentities(config.senders).map((identity) => arns.of("ses", `identity/${identity}`)),
      read: ["ses:GetEmailIdentity"],
    },
    { sid: "Account", resources: ["*"], read: ["ses:GetAccount"], wildcard: "SES limits this action to no resource." },
  ];
}
