import { scheduleProblem } from "../../schedule-expression";
import { problems } from "../findings";
import { isOwnAccount } from "../ours";
import { type Rule } from "../rule";
import {
  addressBehind,
  all,
  type Attributes,
  block,
  covers,
  type Found,
  isReference,
  objects,
  resourceBehind,
  roleMay,
  statementsBehind,
  strings,
  type SynthesizedStack,
} from "../synthesized";
import { first, jsonOf, numberOf } from "../values";
import { isFifo, isOwnDeadLetterQueue } from "./queues";

const eventBridge = "events.amazonaws.com";

export const deliveryRules: readonly Rule[] = [
  {
    id: "target-retry-and-dead-letters",
    checks:
      "Each target of a rule says how often and how long EventBridge tries, at least once more, and has a dead-letter queue, which is no FIFO queue.",
    why: "By default EventBridge drops an event after 24 hours, without a trace, and a single try ends at the first throttling. It writes dead letters to standard queues only (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_target", (target) => {
        const retry = block(first(target.retry_policy));
        const { arn } = block(first(target.dead_letter_config));
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
      }),
  },
  {
    id: "target-lets-rule-in",
    checks:
      "The policy of each target, and of its dead-letter queue, lets the rule in: a queue's, a topic's or a log group's policy, a function's permission. Any other target has a role.",
    why: "EventBridge puts an event that it may not deliver into the dead-letter queue without a second try, and drops it where it may not do that either (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_target", (target) => {
        const rule = resourceBehind(stack, target.rule);
        if (rule?.type !== "aws_cloudwatch_event_rule") return ["has a rule that is not in the stack"];
        const dead = block(first(target.dead_letter_config)).arn;
        const deadLetters = resourceBehind(stack, dead);
        return [
          ...admissionProblems(stack, target, rule),
          ...(dead === undefined || (deadLetters !== undefined && queueAdmits(stack, deadLetters, rule))
            ? []
            : [`has dead letters at ${addressBehind(dead)}, whose policy does not let ${rule.address} in`]),
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
          ...(found !== undefined && action !== undefined && !roleMay(stack, fn, [action], found)
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

/** The action that a role needs to write to a destination of this type. */
const sendActions: Readonly<Record<string, string>> = {
  aws_cloudwatch_event_bus: "events:PutEvents",
  aws_sqs_queue: "sqs:SendMessage",
  aws_sns_topic: "sns:Publish",
  aws_lambda_function: "lambda:InvokeFunction",
};

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

function admissionProblems(stack: SynthesizedStack, target: Attributes, rule: Found): string[] {
  const found = resourceBehind(stack, target.arn);
  const refused = [`has the target ${addressBehind(target.arn)}, whose policy does not let ${rule.address} in`];
  switch (found?.type) {
    case "aws_sqs_queue":
      return queueAdmits(stack, found, rule) ? [] : refused;
    case "aws_sns_topic":
      return topicAdmits(stack, found, rule) ? [] : refused;
    case "aws_lambda_function":
      return functionAdmits(stack, found, rule) ? [] : refused;
    case "aws_cloudwatch_log_group":
      return logGroupAdmits(stack, found, rule) ? [] : refused;
    default:
      return target.role_arn === undefined
        ? [`has the target ${addressBehind(target.arn)}, and no role_arn that lets EventBridge reach it`]
        : [];
  }
}

function queueAdmits(stack: SynthesizedStack, queue: Found, rule: Found): boolean {
  const separate = all(stack.resource, "aws_sqs_queue_policy")
    .filter(([, { queue_url: url }]) => addressBehind(url) === queue.address)
    .map(([, { policy }]) => policy);
  return [queue.attributes.policy, ...separate].some((policy) =>
    statementsBehind(stack, policy).some((statement) => admits(stack, statement, "sqs:SendMessage", rule)),
  );
}

function topicAdmits(stack: SynthesizedStack, topic: Found, rule: Found): boolean {
  return all(stack.resource, "aws_sns_topic_policy").some(
    ([, { arn, policy }]) =>
      addressBehind(arn) === topic.address &&
      statementsBehind(stack, policy).some((statement) => admits(stack, statement, "sns:Publish", rule)),
  );
}

function functionAdmits(stack: SynthesizedStack, fn: Found, rule: Found): boolean {
  return all(stack.resource, "aws_lambda_permission").some(
    ([, permission]) =>
      addressBehind(permission.function_name) === fn.address &&
      permission.action === "lambda:InvokeFunction" &&
      permission.principal === eventBridge &&
      isSource(stack, permission.source_arn, rule),
  );
}

function logGroupAdmits(stack: SynthesizedStack, group: Found, rule: Found): boolean {
  const statements = all(stack.resource, "aws_cloudwatch_log_resource_policy").flatMap(([, policy]) =>
    statementsBehind(stack, policy.policy_document).filter(({ resources }) =>
      strings(resources).some((arn) => covers(arn.endsWith(":*") ? arn.slice(0, -2) : arn, group)),
    ),
  );
  return ["logs:CreateLogStream", "logs:PutLogEvents"].every((action) =>
    statements.some((statement) => admits(stack, statement, action, rule)),
  );
}

/** Whether the statement allows the action to EventBridge on behalf of the rule. */
function admits(stack: SynthesizedStack, statement: Attributes, action: string, rule: Found): boolean {
  return (
    statement.effect !== "Deny" &&
    strings(statement.actions).includes(action) &&
    objects(statement.principals).some(
      ({ type, identifiers }) => type === "Service" && strings(identifiers).includes(eventBridge),
    ) &&
    objects(statement.condition).every(
      ({ test, variable, values }) =>
        /^(?:Arn|String)(?:Equals|Like)$/.test(String(test)) &&
        ((variable === "aws:SourceAccount" && strings(values).some((value) => isOwnAccount(stack, value))) ||
          (variable === "aws:SourceArn" && strings(values).some((value) => isSource(stack, value, rule)))),
    )
  );
}

/** Whether the ARN is that of the rule, or a pattern that covers it: `..:rule/<name>`, `..:rule/<bus>/<name>`. */
function isSource(stack: SynthesizedStack, arn: unknown, rule: Found): boolean {
  if (addressBehind(arn) === rule.address) return true;
  const [, pattern] = String(arn).split(":rule/");
  const bus = resourceBehind(stack, rule.attributes.event_bus_name)?.attributes.name;
  const path = [...(typeof bus === "string" ? [bus] : []), String(rule.attributes.name)].join("/");
  if (pattern === undefined) return false;
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
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
