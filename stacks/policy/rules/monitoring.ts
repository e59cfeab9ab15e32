import { bodyProblems } from "../dashboards";
import { missing, problems } from "../findings";
import { named } from "../metric-sources";
import { type Rule } from "../rule";
import { addressBehind, all, block, isReference, namesAction, statementsOfRole, strings } from "../synthesized";
import { numberOf } from "../values";

/** The retentions that CloudWatch Logs takes, in days: API_PutRetentionPolicy. */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const monitoringRules: readonly Rule[] = [
  {
    id: "log-retention",
    checks:
      "Each log group has a retention that CloudWatch Logs takes, and not 0, which keeps the logs for ever, and goes with its stack.",
    why: "A log group without retention keeps its logs for ever, and they cost money.",
    check: (stack) => [
      ...missing(stack, "aws_cloudwatch_log_group", "has no retention", ({ retention_in_days: days }) =>
        retentions.includes(numberOf(days)),
      ),
      ...missing(
        stack,
        "aws_cloudwatch_log_group",
        "stays when Terraform destroys it, because of its skip_destroy",
        ({ skip_destroy: skips }) => [undefined, null, false].includes(skips as boolean | undefined),
      ),
    ],
  },
  {
    id: "function-log-group-first",
    checks:
      "The log group of each function is a resource of the stack that exists before the function, and the function's role may not create log groups.",
    why: "A group that Lambda creates first has no retention, and Terraform can't create it any more (terraform-aws-modules/terraform-aws-lambda issues 133 and 342).",
    check: (stack) =>
      problems(stack, "aws_lambda_function", (fn, id) => {
        const address = `aws_lambda_function.${id}`;
        const { log_group: configured } = block(fn.logging_config);
        const wanted = configured ?? `/aws/lambda/${String(fn.function_name)}`;
        const [groupId, group] =
          all(stack.resource, "aws_cloudwatch_log_group").find(
            ([each, { name }]) => name === wanted || addressBehind(wanted) === `aws_cloudwatch_log_group.${each}`,
          ) ?? [];
        if (groupId === undefined) return [`has no log group ${addressBehind(wanted)} in the stack`];
        const isFirst = strings(fn.depends_on).includes(`aws_cloudwatch_log_group.${groupId}`) || isReference(wanted);
        return [
          ...(isFirst ? [] : [`does not depend on its log group aws_cloudwatch_log_group.${groupId}`]),
          ...(JSON.stringify(group).includes(`\${${address}.`)
            ? ["exists before its log group, which refers to it"]
            : []),
          ...(statementsOfRole(stack, fn.role).some(
            (statement) => statement.effect !== "Deny" && namesAction(statement, "logs:CreateLogGroup"),
          )
            ? ["has a role that may create log groups"]
            : []),
        ];
      }),
  },
  {
    id: "log-filter-reads",
    checks: "Each metric filter reads a log group of the stack that is of the class STANDARD.",
    why: "A group of another class has no metric filters, so that the alarm on them never rings (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html).",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_log_metric_filter", ({ log_group_name: name }) => {
        const [, group] = named(stack, "aws_cloudwatch_log_group", name) ?? [];
        if (group === undefined) return [`reads ${String(name)}, which is no log group of the stack`];
        const { log_group_class: kind = "STANDARD" } = group;
        return kind === "STANDARD" ? [] : [`reads a log group of the class ${String(kind)}`];
      }),
  },
  {
    id: "dashboard-metric-exists",
    checks:
      "The metrics of a dashboard exist, by the same measure as those of an alarm, in the region of the stack; and so do the alarms and the log groups that it shows.",
    why: "A graph of a metric that nobody publishes is empty, and looks like peace.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_dashboard", ({ dashboard_body: body }) => bodyProblems(stack, body)),
  },
];
