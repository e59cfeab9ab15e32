import { missing } from "../findings";
import { type Rule } from "../rule";
import { strings } from "../synthesized";

export const monitoringRules: readonly Rule[] = [
  {
    id: "log-retention",
    checks: "Each log group has a retention.",
    why: "A log group without retention keeps its logs for ever, and they cost money.",
    check: (stack) =>
      missing(
        stack,
        "aws_cloudwatch_log_group",
        "has no retention",
        (group) => typeof group.retention_in_days === "number",
      ),
  },
  {
    id: "alarm-has-action",
    checks: "Each alarm has an action.",
    why: "An alarm without an action tells nobody.",
    check: (stack) =>
      missing(
        stack,
        "aws_cloudwatch_metric_alarm",
        "has no action",
        (alarm) => strings(alarm.alarm_actions).length > 0,
      ),
  },
];
