import { problems } from "../findings";
import { highCounts, largePolicies, largeTemplates, longTexts, numbersOutside } from "../limits";
import { type Rule } from "../rule";
import { applied, type Attributes, block } from "../synthesized";

/** Rules on what AWS refuses only at the deployment. */
export const limitRules: readonly Rule[] = [
  {
    id: "environment-fits",
    checks: "The variables of a function have at most 4 KB, less some room for values that Terraform fills in.",
    why: "Lambda takes 4 KB of environment variables, and refuses more only at the deployment: name a domain or a distribution list in place of many addresses, in the stage's allowedRecipients and recipients (EMAIL_RECIPIENT), or fewer senders.",
    check: (stack) =>
      problems(stack, "aws_lambda_function", (fn) => {
        const bytes = bytesOf(variablesOf(fn));
        return bytes > mostEnvironmentBytes ? [`has ${bytes} bytes of variables, of ${mostEnvironmentBytes}`] : [];
      }),
  },
  {
    id: "input-fits",
    checks: "The input template of a target has at most 8192 characters.",
    why: "EventBridge takes 8192 characters of an input template, and refuses more only at the deployment: name fewer or shorter addresses in the stage's recipients (EMAIL_RECIPIENT), for example a distribution list.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_target", (target) => {
        const { length } = applied(stack, templateOf(target));
        return length > 8192 ? [`has an input template of ${length} characters`] : [];
      }),
  },
  {
    id: "texts-fit",
    checks: "Descriptions, patterns, schedules and stored templates are no longer than their service takes.",
    why: "AWS refuses a longer text at the deployment: shorten it. (A longer event pattern: ask AWS for the quota, and name it as quotas.eventPatternCharacters in stacks/stages.ts.)",
    check: (stack, _, { eventPatternCharacters }) => [
      ...longTexts(stack, eventPatternCharacters),
      ...largeTemplates(stack),
    ],
  },
  {
    id: "numbers-fit",
    checks: "Time-outs, sizes, ages, counts of retries and batches are within the range that AWS takes.",
    why: "AWS refuses another number at the deployment.",
    check: (stack) => numbersOutside(stack),
  },
  {
    id: "function-says-so",
    checks: "Each function states its memory, its time-out and the form of its logs, JSON.",
    why: "Lambda's defaults, 128 MB, 3 seconds and plain text, fit no function of ours, and the metric filters read JSON.",
    check: (stack) =>
      problems(stack, "aws_lambda_function", (fn) => [
        ...["memory_size", "timeout"].filter((name) => typeof fn[name] !== "number").map((name) => `has no ${name}`),
        ...(block(fn.logging_config).log_format === "JSON" ? [] : ["does not log JSON"]),
      ]),
  },
  {
    id: "runtime-supported",
    checks: "Each function has a runtime that AWS still mends, as of the list in stacks/policy/rules/limits.ts.",
    why: "AWS mends no hole in a deprecated runtime, and later refuses to update its functions (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html).",
    check: (stack) =>
      problems(stack, "aws_lambda_function", ({ runtime, package_type: packaging }) =>
        packaging === "Image" || supportedRuntimes.includes(String(runtime))
          ? []
          : [`has the runtime ${String(runtime)}, which is deprecated or unknown`],
      ),
  },
  {
    id: "policies-fit",
    checks:
      "The policies of a role, a queue, a topic, a key, a bus, a log group and a function have the size that AWS takes.",
    why: "AWS refuses a larger policy at the deployment: name resources by their prefix, a domain in place of many addresses in the stage's allowedRecipients, or fewer senders.",
    check: (stack) => largePolicies(stack),
  },
  {
    id: "counts-fit",
    checks: "A bus, a rule, a widget, a dashboard and an alarm have no more rules, targets or metrics than AWS takes.",
    why: "AWS refuses more at the deployment. (Rules a bus: ask AWS for the quota, and name it as quotas.rulesPerBus in stacks/stages.ts.)",
    check: (stack, _, { rulesPerBus }) => highCounts(stack, rulesPerBus),
  },
];

/**
 * Runtimes that AWS has not deprecated in November 2026, by the page above. nodejs22.x is to be deprecated on
 * 2027-04-30.
 */
const supportedRuntimes = [
  "nodejs22.x",
  "nodejs24.x",
  "python3.11",
  "python3.12",
  "python3.13",
  "python3.14",
  "java17",
  "java21",
  "java25",
  "dotnet10",
  "ruby3.3",
  "ruby3.4",
  "provided.al2023",
];

/**
 * The most bytes that are allowed here, of the 4 KB that Lambda takes
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). The difference leaves room for two values
 * that are expressions here: Terraform replaces them by the name of the claims' table and by the URL of the dead-letter
 * queue.
 */
const mostEnvironmentBytes = 4096 - 256;

function variablesOf({ environment }: Attributes): Attributes {
  return block(block(environment).variables);
}

const bytesOf = (variables: Attributes): number =>
  Object.entries(variables).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + String(value)), 0);

function templateOf({ input_transformer: transformer }: Attributes): string {
  const { input_template: template } = block(transformer);
  return typeof template === "string" ? template : "";
}
