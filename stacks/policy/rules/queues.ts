import { sendActions } from "../admission";
import { missing, problems } from "../findings";
import { type Rule } from "../rule";
import {
  addressBehind,
  all,
  type Attributes,
  block,
  everything,
  type Found,
  resourceBehind,
  roleMay,
  strings,
  type SynthesizedStack,
} from "../synthesized";
import { jsonOf, leaves } from "../values";

export const queueRules: readonly Rule[] = [
  {
    id: "queue-redrive",
    checks:
      "Each queue has a dead-letter queue, or is one. A dead-letter queue is in the stack, is of the same kind (standard or FIFO), takes messages of the queue before it, and keeps a message at least as long as that. The policy is on the queue itself, and counts 1 to 1000 receives.",
    why: "A message that always fails would be tried until it expires, unseen. SQS refuses a dead-letter queue of another kind, and counts the age of a message from the first send (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html).",
    check: (stack) => {
      const terminal = deadLetterQueues(stack);
      return [
        ...["aws_sqs_queue_redrive_policy", "aws_sqs_queue_redrive_allow_policy"].flatMap((type) =>
          missing(stack, type, "is apart from its queue, where no rule reads it", () => false),
        ),
        ...problems(stack, "aws_sqs_queue", (queue, id) => {
          const target = redriveTarget(queue);
          if (target === undefined) {
            return terminal.includes(`aws_sqs_queue.${id}`)
              ? []
              : ["has no redrive_policy, and is no dead-letter queue"];
          }
          const deadLetters = resourceBehind(stack, `\${${target.address}.arn}`);
          const { maxReceiveCount: count } = target;
          return [
            ...(Number.isInteger(count) && count >= 1 && count <= 1000
              ? []
              : ["has a redrive_policy without maxReceiveCount of 1 to 1000"]),
            ...(deadLetters?.type === "aws_sqs_queue"
              ? deadLetterProblems(queue, `aws_sqs_queue.${id}`, deadLetters)
              : [`has the dead-letter queue ${target.address}, which is not in the stack`]),
          ];
        }),
      ];
    },
  },
  {
    id: "queue-consumed-safely",
    checks:
      "A function that reads a queue reports the failed messages of a batch, may read it, and has a sixth of the queue's visibility timeout at most. One that reads a stream bounds its retries, and has a destination of its failures. Its role may write to such a destination.",
    why: "Otherwise one bad message repeats its whole batch, a slow run is repeated while it still goes on, and a bad record holds up its shard (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).",
    check: (stack) =>
      problems(stack, "aws_lambda_event_source_mapping", (mapping) => {
        const fn = resourceBehind(stack, mapping.function_name);
        const source = resourceBehind(stack, mapping.event_source_arn);
        const isStream = mapping.starting_position !== undefined || source?.type === "aws_dynamodb_table";
        const partial = strings(mapping.function_response_types).includes("ReportBatchItemFailures")
          ? []
          : ["does not have ReportBatchItemFailures in its function_response_types"];
        const { destination_arn: destination } = block(block(mapping.destination_config).on_failure);
        const failures = resourceBehind(stack, destination);
        const action = sendActions[failures?.type ?? ""];
        const refused =
          failures === undefined ||
          action === undefined ||
          fn === undefined ||
          roleMay(stack, fn.attributes.role, [action], failures)
            ? []
            : [
                `has a function whose role may not do ${action} on ${failures.address}, the destination of its failures`,
              ];
        if (isStream) {
          const isBounded = ["maximum_retry_attempts", "maximum_record_age_in_seconds"].some(
            (name) => Number(mapping[name] ?? -1) >= 0,
          );
          return [
            ...partial,
            ...refused,
            ...(destination === undefined ? ["has no destination of its failures"] : []),
            ...(isBounded ? [] : ["tries a bad record until it expires"]),
          ];
        }
        if (source?.type !== "aws_sqs_queue") return [...partial, ...refused];
        const { visibility_timeout_seconds: visibility = 30 } = source.attributes;
        const { timeout = 3 } = fn?.attributes ?? {};
        const least = 6 * Number(timeout) + Number(mapping.maximum_batching_window_in_seconds ?? 0);
        return [
          ...partial,
          ...(Number(visibility) < least
            ? [`reads ${source.address}, whose visibility timeout of ${String(visibility)} s is below ${least} s`]
            : []),
          ...(redriveTarget(source.attributes) === undefined
            ? [`reads ${source.address}, which has no redrive_policy`]
            : []),
          ...(fn === undefined || roleMay(stack, fn.attributes.role, consumeActions, source)
            ? []
            : [`has a function whose role may not do ${consumeActions.join(", ")} on ${source.address}`]),
        ];
      }),
  },
];

function deadLetterProblems(queue: Attributes, own: string, { address, attributes }: Found): string[] {
  const seconds = ({ message_retention_seconds: retention }: Attributes) => Number(retention ?? 345_600);
  const { redrivePermission, sourceQueueArns } = block(jsonOf(attributes.redrive_allow_policy));
  const takes =
    redrivePermission === "byQueue"
      ? strings(sourceQueueArns).map(addressBehind).includes(own)
      : redrivePermission !== "denyAll";
  return [
    ...(seconds(attributes) < seconds(queue) ? [`keeps a message longer than its dead-letter queue ${address}`] : []),
    ...(isFifo(attributes) === isFifo(queue) ? [] : [`has the dead-letter queue ${address}, which is of another kind`]),
    ...(takes ? [] : [`has the dead-letter queue ${address}, whose redrive_allow_policy refuses it`]),
  ];
}

/** Whether a queue is a FIFO queue: SQS wants that in its name, too. */
export function isFifo(queue: Attributes | undefined): boolean {
  return queue?.fifo_queue === true || String(queue?.name).endsWith(".fifo");
}

/** Whether the dead letters of a queue come back to it, over other queues or at once. */
export function isOwnDeadLetterQueue(stack: SynthesizedStack, queue: string): boolean {
  const seen = new Set<string>();
  for (let next: string | undefined = queue; next !== undefined && !seen.has(next);) {
    seen.add(next);
    next = redriveTarget(resourceBehind(stack, `\${${next}.arn}`)?.attributes ?? {})?.address;
    if (next === queue) return true;
  }
  return false;
}

/** What Lambda does with a queue on behalf of the function. */
const consumeActions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/**
 * Terraform's addresses of what gets the failures of another resource: of a queue, a subscription, a target of a rule or of a
 * schedule, a pipe, a function, or a mapping.
 */
export function deadLetterQueues(stack: SynthesizedStack): string[] {
  const redriven = ["aws_sqs_queue", "aws_sns_topic_subscription"]
    .flatMap((type) => all(stack.resource, type))
    .flatMap(([, resource]) => redriveTarget(resource)?.address ?? []);
  const named = everything(stack)
    .flatMap(({ attributes }) => leaves(attributes))
    .filter(({ path }) =>
      /(?:^|\.)(?:dead_letter_config\.(?:target_)?arn|on_failure\.destination(?:_arn)?)$/.test(path),
    )
    .map(({ value }) => addressBehind(value));
  return [...redriven, ...named];
}

/** The redrive policy is JSON in which the ARN is an expression. */
export function redriveTarget({
  redrive_policy: policy,
}: Attributes): { readonly address: string; readonly maxReceiveCount: number } | undefined {
  if (typeof policy !== "string") return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = block(jsonOf(policy));
  return deadLetterTargetArn === undefined
    ? undefined
    : { address: addressBehind(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount ?? 0) };
}
