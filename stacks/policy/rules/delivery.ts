import { scheduleProblem } from "../../schedule-expression";
import { problems } from "../findings";
import { type Rule } from "../rule";

export const deliveryRules: readonly Rule[] = [
  {
    id: "target-retry-and-dead-letters",
    checks: "Each target of a rule has a retry policy and a dead-letter queue.",
    why: "By default EventBridge drops an event after 24 hours, without a trace.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_event_target", (target) =>
        ["retry_policy", "dead_letter_config"]
          .filter((attribute) => target[attribute] === undefined)
          .map((attribute) => `has no ${attribute}`),
      ),
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
