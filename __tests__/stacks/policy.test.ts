import { findViolations } from "../../stacks/policy";
import { rules, type SynthesizedStack } from "../../stacks/policy/rules";
import { synthNotificationStack } from "../support/stack";

const resource = (type: string, attributes: object): SynthesizedStack => ({
  resource: { [type]: { broken: attributes as never } },
});
const statement = (attributes: object): SynthesizedStack => ({
  data: { aws_iam_policy_document: { broken: { statement: [attributes] } } },
});
const named = { name: "shop-dev-x" };
const inIreland: SynthesizedStack = { provider: { aws: [{ region: "eu-west-1" }] } };

/** For each rule, stacks that break it, and what it says. */
const broken: Readonly<Record<string, readonly (readonly [SynthesizedStack, RegExp])[]>> = {
  "no-wildcard": [
    [statement({ actions: ["ses:*"], resources: ["arn"] }), /broken allows "ses:\*"/],
    [statement({ actions: ["ses:SendEmail"], resources: ["*"] }), /broken allows "\*"/],
    [
      statement({ effect: "Allow", actions: ["logs:PutLogEvents"], resources: ["arn:aws:logs:*:*:*"] }),
      /allows "arn:aws/,
    ],
  ],
  "policy-as-data": [
    [
      resource("aws_iam_role", { ...named, assume_role_policy: '{"Statement":[]}' }),
      /broken has its assume_role_policy/,
    ],
  ],
  "target-retry-and-dead-letters": [
    [resource("aws_cloudwatch_event_target", { retry_policy: {} }), /broken has no dead_letter_config/],
    [resource("aws_cloudwatch_event_target", { dead_letter_config: {} }), /broken has no retry_policy/],
  ],
  "queue-encrypted": [[resource("aws_sqs_queue", named), /broken is not encrypted/]],
  "topic-encrypted": [[resource("aws_sns_topic", named), /broken is not encrypted/]],
  "table-encrypted-and-recoverable": [
    [
      resource("aws_dynamodb_table", { ...named, server_side_encryption: { enabled: true } }),
      /broken is not encrypted/,
    ],
    [
      resource("aws_dynamodb_table", { ...named, point_in_time_recovery: { enabled: true } }),
      /broken is not encrypted/,
    ],
  ],
  "log-retention": [[resource("aws_cloudwatch_log_group", named), /broken has no retention/]],
  "alarm-has-action": [[resource("aws_cloudwatch_metric_alarm", { alarm_name: "shop-dev-x" }), /broken has no action/]],
  "environment-fits": [
    [
      resource("aws_lambda_function", {
        function_name: "shop-dev-x",
        environment: { variables: { POLICY: "a".repeat(3835) } },
      }),
      /broken has 3841 bytes of variables, of 3840/,
    ],
  ],
  "input-fits": [
    [
      resource("aws_cloudwatch_event_target", {
        retry_policy: {},
        dead_letter_config: {},
        input_transformer: { input_template: "a".repeat(8193) },
      }),
      /broken has an input template of 8193 characters/,
    ],
  ],
  "names-carry-stage": [[resource("aws_iam_role", { name: "x" }), /broken has the name "x" without "shop-dev"/]],
  "account-wide-names-carry-region": [
    ...(["aws_iam_role", "aws_iam_policy"] as const).map(
      (type) =>
        [{ ...inIreland, ...resource(type, named) }, /broken has the name "shop-dev-x" without "eu-west-1"/] as const,
    ),
    [
      { ...inIreland, ...resource("aws_cloudwatch_dashboard", { dashboard_name: "shop-dev-x" }) },
      /aws_cloudwatch_dashboard\.broken has the name "shop-dev-x" without "eu-west-1"/,
    ],
  ],
  "schedule-parses": [
    [
      resource("aws_cloudwatch_event_rule", { ...named, schedule_expression: "cron(0 9 * * *)" }),
      /aws_cloudwatch_event_rule\.broken has a schedule that is wrong: "cron\(0 9 \* \* \*\)" has 5 fields/,
    ],
  ],
  "names-fit": [
    [
      resource("aws_cloudwatch_event_archive", { name: `shop-dev-${"a".repeat(40)}` }),
      /has 49 characters, and AWS takes 48/,
    ],
  ],
};

it("has an example for every rule", () => {
  expect(Object.keys(broken)).toEqual(rules.map(({ id }) => id));
});

describe.each(Object.entries(broken))("%s", (id, examples) => {
  it.each(examples.map(([stack, says]) => [says, stack] as const))("says %s", (says, stack) => {
    const violations = findViolations(stack, "shop-dev").filter(({ rule }) => rule === id);
    expect(violations.map(({ where }) => where)).toEqual([expect.stringMatching(says)]);
  });
});

it("leaves a denial alone: it may be as wide as it likes", () => {
  expect(findViolations(statement({ effect: "Deny", actions: ["s3:*"], resources: ["*"] }), "shop-dev")).toEqual([]);
});

it.each(["sandbox", "dev", "staging", "prod"])("is kept by stage %s", (stage) => {
  const synthesized = JSON.parse(synthNotificationStack({ STAGE: stage }).text) as SynthesizedStack;
  expect(findViolations(synthesized, `shop-${stage}`)).toEqual([]);
});

it("refuses a stage whose recipients are more than the function's environment takes, and says what to do", () => {
  const recipients = Array.from({ length: 50 }, (_, at) => `${"a".repeat(60)}${at}@example.com`).join();
  expect(() => synthNotificationStack({ EMAIL_RECIPIENT: recipients })).toThrow(
    /environment-fits: aws_lambda_function\.\S+ has \d+ bytes of variables, of 3840\. .*EMAIL_RECIPIENT/,
  );
});
