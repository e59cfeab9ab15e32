import { scheduleProblem } from "../../schedule-expression";
import { problems } from "../findings";
import { admissionProblems, deadLetterAdmission, roleProblems, sendActions } from "../admission";
import { type Rule } from "../rule";
import {
  addressBehind,
  all,
  type Attributes,
  block,
  isReference,
  resourceBehind,
  roleMay,
  type SynthesizedStack,
} from "../synthesized";
import { jsonOf, numberOf } from "../values";
import { isFifo, isOwnDeadLetterQueue, redriveTarget } from "./queues";

export const deliveryRules: readonly Rule[] = [
  {
    id: "target-retry-and-dead-letters",
    checks:
      "Each target of a rule or of a schedule says how often and how long EventBridge tries, at least once more, and has a dead-letter queue, which is no FIFO queue.",
    why: "By default EventBridge drops an event after 24 hours, without a trace, and a single try ends at the first throttling. It writes dead letters to standard queues only (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html and https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html).",
    check: (stack) => {
      const problemsOf = (target: Attributes): string[] => {
        const retry = block(target.retry_policy);
        const { arn } = block(target.dead_letter_config);
        return [
          ...["maximum_retry_attempts", "maximum_event_age_in_seconds"]
            .filter((name) => !(numberOf(retry[name]) >= 1))
            .map((name) =>
              retry[name] === undefined
                ? `has no retry_policy.${name}`
                : `has retry_policy.${name} ${JSON.stringify(retry[name])}, and should try once more`,
            ),
          ...(arn === undefined ? ["has no dead_letter_config"] : []),
          ...(isFifo(resourceBehind(stack, arn)?.attributes) ? ["has a FIFO queue for its dead letters"] : []),
        ];
      };
      return [
        ...problems(stack, "aws_cloudwatch_event_target", problemsOf),
        ...problems(stack, "aws_scheduler_schedule", ({ target }) => problemsOf(block(target))),
      ];
    },
  },
  {
    id: "target-lets-rule-in",
    checks:
      "The policy of each target, and of its dead-letter queue, lets the rule in: a queue's, a topic's or a log group's policy, a function's permission. Any other target has a role, and so has a schedule. A role is of this stack, trusts the service, and may write to the target; a schedule's may write to its dead-letter queue, too.",
    why: "EventBridge puts an event that it may not deliver into the dead-letter queue without a second try, and drops it where it may not do that either (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).",
    check: (stack) => [
      ...problems(stack, "aws_cloudwatch_event_target", (target) => {
        const source = resourceBehind(stack, target.rule);
        if (source?.type !== "aws_cloudwatch_event_rule") return ["has a rule that is not in the stack"];
        const rule = { service: "events.amazonaws.com", source, takesRole: true };
        return [
          ...admissionProblems(stack, target, rule),
          ...deadLetterAdmission(stack, block(target.dead_letter_config).arn, rule),
        ];
      }),
      // The scheduler takes on the one role for the target and for the dead letters.
      ...problems(stack, "aws_scheduler_schedule", ({ target }) => {
        const { arn, role_arn: role, dead_letter_config: dead } = block(target);
        const written = [arn, block(dead).arn].filter((each) => each !== undefined);
        const service = "scheduler.amazonaws.com";
        return [...new Set(written.flatMap((each) => roleProblems(stack, role, service, each)))];
      }),
    ],
  },
  {
    id: "subscription-lets-topic-in",
    checks:
      "Each subscription of a queue or a function to a topic of the stack (one of another stack is suppressed with a reason) has a redrive policy with a queue of the stack, of the topic's kind (standard or FIFO), and the policies of both let the topic in.",
    why: "SNS drops a message that it can't deliver, without a trace, and where it has no permission, it does not even try again (https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html).",
    check: (stack) =>
      problems(stack, "aws_sns_topic_subscription", (subscription) => {
        const { protocol, endpoint, topic_arn: arn } = subscription;
        if (!["sqs", "lambda"].includes(String(protocol))) return [];
        const source = resourceBehind(stack, arn);
        if (source?.type !== "aws_sns_topic") return ["has a topic that is not in the stack"];
        const topic = { service: "sns.amazonaws.com", source, takesRole: false };
        const dead = redriveTarget(subscription)?.address;
        const queue = dead?.includes(":") === false ? `\${${dead}.arn}` : dead;
        const deadLetters = resourceBehind(stack, queue);
        return [
          ...admissionProblems(stack, { arn: endpoint }, topic),
          ...(dead === undefined ? ["has no redrive_policy"] : []),
          ...deadLetterAdmission(stack, queue, topic),
          ...(deadLetters === undefined || isFifo(deadLetters.attributes) === isFifo(source.attributes)
            ? []
            : [`has dead letters at ${deadLetters.address}, which is of another kind than ${source.address}`]),
        ];
      }),
  },
  {
    id: "target-input-once",
    checks: "A target has at most one of `input`, `input_path` and `input_transformer`.",
    why: "EventBridge refuses a second one at the deployment (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html).",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_target", (target) => {
        const given = ["input", "input_path", "input_transformer"].filter((name) => target[name] !== undefined);
        return given.length > 1 ? [`has ${given.join(" and ")}`] : [];
      }),
  },
  {
    id: "no-event-loop",
    checks:
      "No rule has its own bus as its target, over other buses either; no queue is its own dead-letter queue, over other queues either; and no function is the destination of its own results.",
    why: "Each round of a loop costs money, and it ends only when somebody notices.",
    check: (stack) => [
      ...problems(stack, "aws_cloudwatch_event_target", (target) => {
        const rule = resourceBehind(stack, target.rule);
        const from = rule === undefined ? undefined : busOf(rule.attributes);
        const to = busTarget(target);
        return from !== undefined && to !== undefined && reaches(stack, to, from)
          ? [`brings the events of ${from} back to it`]
          : [];
      }),
      ...problems(stack, "aws_sqs_queue", (_, id) =>
        isOwnDeadLetterQueue(stack, `aws_sqs_queue.${id}`) ? ["is its own dead-letter queue"] : [],
      ),
      ...problems(stack, "aws_lambda_function_event_invoke_config", (config) =>
        ["on_failure", "on_success"]
          .filter((name) => {
            const { destination } = block(block(config.destination_config)[name]);
            return (
              destination !== undefined &&
              addressBehind(destination) === addressBehind(config.function_name) &&
              isReference(destination)
            );
          })
          .map((name) => `sends what its function leaves back to it, by ${name}`),
      ),
    ],
  },
  {
    id: "function-failure-destination",
    checks:
      "Each function has limits for its asynchronous retries, and a destination of its failures that its role may write to.",
    why: "Lambda tries an asynchronous event three times, and then drops it. A handler's error never reaches the dead-letter queue of a rule's target.",
    check: (stack) =>
      problems(stack, "aws_lambda_function", (fn, id) => {
        const [, config] =
          all(stack.resource, "aws_lambda_function_event_invoke_config").find(
            ([, { function_name: name }]) => addressBehind(name) === `aws_lambda_function.${id}`,
          ) ?? [];
        if (config === undefined) return ["has no aws_lambda_function_event_invoke_config"];
        const { destination } = block(block(config.destination_config).on_failure);
        const found = resourceBehind(stack, destination);
        const action = sendActions[found?.type ?? ""];
        return [
          ...["maximum_retry_attempts", "maximum_event_age_in_seconds"]
            .filter((name) => typeof config[name] !== "number")
            .map((name) => `has no ${name} of its asynchronous retries`),
          ...(destination === undefined ? ["has no destination of its failures"] : []),
          ...(destination !== undefined && action === undefined
            ? [`has ${addressBehind(destination)} as the destination of its failures, which the stack does not have`]
            : []),
          ...(isFifo(found?.attributes) ? ["has a FIFO queue or topic as the destination of its failures"] : []),
          ...(found !== undefined && action !== undefined && !roleMay(stack, fn.role, [action], found)
            ? [`has a role without ${action} on ${found.address}, the destination of its failures`]
            : []),
        ];
      }),
  },
  {
    id: "rule-triggers",
    checks:
      "Each rule has an event pattern or a schedule, and a target. An event pattern is JSON whose fields are lists or objects, and a schedule is on the default bus.",
    why: "EventBridge refuses a wrong pattern, and a schedule on another bus, only at the deployment; and a rule without a target drops its events.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_rule", (rule, id) => {
        const { event_pattern: pattern, schedule_expression: schedule } = rule;
        const hasTarget = all(stack.resource, "aws_cloudwatch_event_target").some(
          ([, target]) => addressBehind(target.rule) === `aws_cloudwatch_event_rule.${id}`,
        );
        const problem = typeof pattern === "string" ? patternProblem(pattern) : undefined;
        return [
          ...(pattern === undefined && schedule === undefined
            ? ["has no event_pattern and no schedule_expression"]
            : []),
          ...(problem === undefined ? [] : [`has an event_pattern that ${problem}`]),
          ...(schedule !== undefined && busOf(rule) !== "default" ? [`has a schedule on ${busOf(rule)}`] : []),
          ...(hasTarget ? [] : ["has no target"]),
        ];
      }),
  },
  {
    id: "target-on-its-bus",
    checks: "A target names the bus of its rule.",
    why: "A rule's name is its bus's own: with another bus, AWS finds no such rule, or attaches the target to a namesake.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_target", (target) => {
        const rule = resourceBehind(stack, target.rule);
        return rule === undefined || busOf(rule.attributes) === busOf(target)
          ? []
          : [`is on ${busOf(target)}, and its rule on ${busOf(rule.attributes)}`];
      }),
  },
  {
    id: "schedule-parses",
    checks: "EventBridge would take each schedule expression.",
    why: "EventBridge refuses a wrong schedule only at the deployment.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_rule", ({ schedule_expression: expression }) => {
        const problem = typeof expression === "string" ? scheduleProblem(expression) : undefined;
        return problem === undefined ? [] : [`has a schedule that is wrong: ${problem}`];
      }),
  },
];

/** The address of a rule's bus, or `default`. */
function busOf({ event_bus_name: name }: Attributes): string {
  return name === undefined ? "default" : addressBehind(name);
}

/** The bus that a target passes events on to. */
function busTarget({ arn }: Attributes): string | undefined {
  const text = addressBehind(arn);
  if (text.startsWith("aws_cloudwatch_event_bus.")) return text;
  return text.endsWith(":event-bus/default") ? "default" : undefined;
}

/** Whether events of the bus `from` come to the bus `to`, over any number of rules. */
function reaches(stack: SynthesizedStack, from: string, to: string): boolean {
  const seen = new Set<string>();
  const waiting = [from];
  for (let bus = waiting.pop(); bus !== undefined; bus = waiting.pop()) {
    if (bus === to) return true;
    if (seen.has(bus)) continue;
    seen.add(bus);
    for (const [, target] of all(stack.resource, "aws_cloudwatch_event_target")) {
      const rule = resourceBehind(stack, target.rule);
      const next = busTarget(target);
      if (rule !== undefined && next !== undefined && busOf(rule.attributes) === bus) waiting.push(next);
    }
  }
  return false;
}

/** @returns what EventBridge would refuse of a pattern, or `undefined`. */
function patternProblem(text: string): string | undefined {
  const pattern = jsonOf(text);
  if (typeof pattern !== "object" || pattern === null || Array.isArray(pattern)) return "is no JSON object";
  if (Object.keys(pattern).length === 0) return "is empty";
  const field = fieldWithoutList(pattern as Attributes);
  return field === undefined ? undefined : `has no list of values at ${field}`;
}

function fieldWithoutList(pattern: Attributes): string | undefined {
  for (const [name, value] of Object.entries(pattern)) {
    if (Array.isArray(value)) {
      if (value.length === 0) return name;
      continue;
    }
    if (typeof value !== "object" || value === null) return name;
    const inner = fieldWithoutList(value as Attributes);
    if (inner !== undefined) return `${name}.${inner}`;
  }
  return undefined;
}
