import { type Break, type Draft, type DraftStack } from "../broken-stacks";

const alarm = "aws_cloudwatch_metric_alarm";
const composite = "aws_cloudwatch_composite_alarm";

const change = (attributes: object) => (stack: DraftStack) => {
  Object.assign(stack.the(alarm, "daily-report-failed"), attributes);
};

const onAlarm = (what: string, attributes: object, says: RegExp): Break => [what, change(attributes), says];

/** Makes an alarm of queries of one with a single metric. */
const withQueries = (what: string, queries: readonly object[], says: RegExp, further: object = {}): Break => [
  what,
  (stack) => {
    const one = stack.the(alarm, "daily-report-failed");
    const { metric_name, namespace, period, dimensions } = one;
    const metric = { metric_name, namespace, period, dimensions, stat: "Sum" };
    for (const name of ["metric_name", "namespace", "period", "statistic", "dimensions"])
      Reflect.deleteProperty(one, name);
    Object.assign(one, {
      metric_query: queries.map((query) => ("metric" in query ? { ...query, metric } : query)),
      ...further,
    });
  },
  says,
];

const sum = { id: "sum", expression: "m1 * 2", return_data: true };
const m1 = { id: "m1", metric: {} };

const withRule = (rule: string, says: RegExp, further: object = {}): Break => [
  `the rule ${rule}`,
  (stack) => {
    const actions = stack.the(alarm).alarm_actions;
    stack.add(composite, { alarm_name: "shop-prod-all", alarm_rule: rule, alarm_actions: actions, ...further });
  },
  says,
];

const body = (what: string, widgets: unknown, says: RegExp): Break => [
  what,
  (stack) =>
    (stack.the("aws_cloudwatch_dashboard").dashboard_body =
      typeof widgets === "string" ? widgets : JSON.stringify({ widgets })),
  says,
];

/** The first function's errors, by its name in production's stack. */
const errors = ["AWS/Lambda", "Errors", "FunctionName", "shop-prod-email-processor"];

export const alarmBreaks: Readonly<Record<string, readonly Break[]>> = {
  "alarm-has-action": [
    ...["", "arn:aws:sns:eu-west-1:999999999999:x", "${aws_sns_topic.gone.arn}", null].flatMap((action) =>
      ["alarm_actions", "ok_actions", "insufficient_data_actions"].map((name) =>
        onAlarm(`${JSON.stringify(action)} in ${name}`, { [name]: [action] }, /which is no topic of the stack that/),
      ),
    ),
    [
      "the topic's id in place of its ARN",
      (s) => (s.the(alarm).alarm_actions = [s.ref("aws_sns_topic", "", "name")]),
      /which is no topic of the stack that/,
    ],
    [
      "a topic that CloudWatch may not publish on",
      (s) => (s.statement("topic-policy", "AlarmsPublish").principals = [] as Draft[]),
      /which is no topic of the stack that CloudWatch may publish on/,
    ],
    [
      "a topic that CloudWatch may only read",
      (s) => (s.statement("topic-policy", "AlarmsPublish").actions = ["sns:GetTopicAttributes"]),
      /which is no topic of the stack that CloudWatch may publish on/,
    ],
    onAlarm("switched off by a text", { actions_enabled: "false" }, /because its actions are switched off/),
  ],
  "alarm-evaluates": [
    onAlarm("no periods", { evaluation_periods: undefined }, /has undefined as its evaluation_periods/),
    onAlarm("0 periods", { evaluation_periods: 0 }, /has 0 as its evaluation_periods/),
    onAlarm("half a period", { evaluation_periods: 1.5 }, /has 1\.5 as its evaluation_periods/),
    onAlarm("an expression", { evaluation_periods: "${local.x}" }, /has \$\{local\.x\} as its evaluation_periods/),
    onAlarm("no period", { period: undefined }, /has a period of undefined s/),
    onAlarm("0 seconds", { period: 0 }, /has a period of 0 s/),
    onAlarm("90 seconds", { period: 90 }, /has a period of 90 s/),
    onAlarm("10 seconds of AWS's own", { period: 10 }, /has a period of 10 s for a metric of AWS\/Events/),
    onAlarm("8 days of hours", { period: 3600, evaluation_periods: 192 }, /looks back over 691200 s, and .* 604800/),
    onAlarm("no data point", { datapoints_to_alarm: 0 }, /wants 0 data points of 1/),
  ],
  "alarm-compares": [
    onAlarm("no operator", { comparison_operator: undefined }, /has the comparison_operator undefined/),
    onAlarm("an operator that is none", { comparison_operator: "Greater" }, /has the comparison_operator Greater/),
    onAlarm("no threshold", { threshold: undefined }, /has no threshold that is a number: undefined/),
    onAlarm("an expression", { threshold: "${local.x}" }, /has no threshold that is a number: \$\{local\.x\}/),
    onAlarm(
      "a band that is none",
      { comparison_operator: "GreaterThanUpperThreshold", threshold_metric_id: "e1" },
      /compares with a band, and its threshold_metric_id e1 is none/,
    ),
    onAlarm("no statistic", { statistic: undefined }, /has the statistic undefined of FailedInvocations/),
    onAlarm("a statistic that is none", { statistic: "Summ" }, /has the statistic Summ of FailedInvocations/),
    onAlarm(
      "a percentile that is none",
      { statistic: undefined, extended_statistic: "p101" },
      /has the statistic p101 of FailedInvocations/,
    ),
    onAlarm("a unit", { unit: "Count" }, /has the unit "Count"/),
    onAlarm("two statistics", { extended_statistic: "p99" }, /has a statistic and an extended_statistic/),
    onAlarm("nothing to measure", { metric_name: undefined }, /has no metric/),
    onAlarm("two things to measure", { metric_query: [sum] }, /has a metric_name and a metric_query/),
  ],
  "alarm-math": [
    withQueries("no result", [{ ...sum, return_data: false }, m1], /has 0 queries that return data/),
    withQueries("two results", [sum, { ...m1, return_data: true }], /has 2 queries that return data/),
    withQueries("an id twice", [sum, m1, m1], /has an id twice: sum, m1, m1/),
    withQueries("an id in capitals", [sum, m1, { id: "M2", metric: {} }], /has the id M2/),
    withQueries("no query behind a name", [{ ...sum, expression: "m1 + m2" }, m1], /has m1 \+ m2, and no query m2/),
    withQueries("a number alone", [{ ...sum, expression: "1 + 1" }, m1], /has 1 \+ 1, which reads no query/),
    withQueries(
      "an empty query",
      [sum, m1, { id: "m2" }],
      /has the query m2, which has to be a metric or an expression/,
    ),
    withQueries(
      "a search",
      [{ ...sum, expression: "SUM(SEARCH('{AWS/SQS,QueueName} x', 'Sum', 300))" }],
      /whose metrics no rule can read/,
    ),
    withQueries("one query that is no list", [{ ...sum, expression: "m9" }], /no query m9/, {
      metric_query: { ...sum, expression: "m9" },
    }),
  ],
  "composite-alarm-reads": [
    withRule("", /has a rule that reads no alarm/),
    withRule("TRUE", /has a rule that reads no alarm/),
    withRule('ALARM("gone")', /reads "gone", which is no other alarm of the stack/),
    withRule("NOT OK(gone) AND TRUE", /reads "gone", which is no other alarm of the stack/),
    withRule('ALARM("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:gone")', /reads "arn:\S+:gone"/),
    withRule('ALARM("shop-prod-all")', /reads "shop-prod-all", which is no other alarm/),
    withRule('ALARM("shop-prod-alarm-dead-letters") XOR TRUE', /has "XOR" in its rule/),
    withRule('ALARM("${aws_cloudwatch_metric_alarm.gone.alarm_name}")', /which is no other alarm of the stack/),
    withRule("ALARM(x)", /reads "silence", which is no other alarm/, { actions_suppressor: { alarm: "silence" } }),
  ],
  "dashboard-metric-exists": [
    body("no JSON", "{", /has a body that is no JSON with widgets/),
    body("an expression", "${file(dashboard.json)}", /has a body that is no JSON with widgets/),
    body("another region", [{ properties: { region: "us-west-2" } }], /has a widget of us-west-2/),
    body(
      "another region of one metric",
      [{ properties: { metrics: [[...errors, { region: "us-west-2" }]] } }],
      /has a widget of us-west-2/,
    ),
    body(
      "a metric by what stands above it",
      [{ properties: { metrics: [errors, [".", "Errrors", ".", "."]] } }],
      /is on the metric AWS\/Lambda Errrors, which does not exist/,
    ),
    body(
      "a function by what stands above it",
      [{ properties: { metrics: [errors, ["...", "gone"]] } }],
      /has the dimension FunctionName "gone"/,
    ),
    body("a statistic", [{ properties: { stat: "Summ" } }], /shows the statistic Summ/),
    body(
      "an alarm",
      [{ type: "alarm", properties: { alarms: ["arn:aws:cloudwatch:eu-west-1:1:alarm:gone"] } }],
      /shows the alarm/,
    ),
    body(
      "a log group",
      [{ type: "log", properties: { query: "SOURCE 'gone' | fields @message" } }],
      /shows the log group gone/,
    ),
    body("a widget of code", [{ type: "custom" }], /has a widget of the type custom, which no rule reads/),
  ],
  "log-filter-reads": [
    [
      "a group that is not in the stack",
      (s) => (s.the("aws_cloudwatch_log_metric_filter").log_group_name = "gone"),
      /reads gone, which is no log group of the stack/,
    ],
    [
      "a group of another class",
      (s) => (s.the("aws_cloudwatch_log_group").log_group_class = "INFREQUENT_ACCESS"),
      /reads a log group of the class INFREQUENT_ACCESS/,
    ],
  ],
  "names-differ": [
    [
      "two alarms",
      (s) => {
        s.add(alarm, s.the(alarm));
      },
      /aws_cloudwatch_metric_alarm\.added has the name "\S+" of another one/,
    ],
    [
      "an alarm and a composite one",
      (s) => {
        s.add(composite, s.the(alarm));
      },
      /has the name "\S+" of another one/,
    ],
    ...[
      "aws_cloudwatch_event_rule",
      "aws_cloudwatch_event_target",
      "aws_cloudwatch_log_metric_filter",
      "aws_iam_role_policy",
    ].map((type): Break => [
      `two ${type} of one holder`,
      (s) => {
        s.add(type, s.the(type));
      },
      new RegExp(`${type}\\.added has the name "\\S+" of another one`),
    ]),
  ],
  "log-retention": [
    [
      "a group that outlives its stack",
      (s) => (s.the("aws_cloudwatch_log_group").skip_destroy = true),
      /stays when Terraform destroys it/,
    ],
  ],
};

/** Changes that keep every rule on alarms and dashboards. */
export const alarmsKept: readonly (readonly [string, (stack: DraftStack) => void])[] = [
  ["a percentile", change({ statistic: undefined, extended_statistic: "p99.9" })],
  ["a trimmed mean", change({ statistic: undefined, extended_statistic: "TM(10%:90%)" })],
  ["numbers as texts", change({ threshold: "1", evaluation_periods: "1", period: "300" })],
  ["a week of hours", change({ period: 3600, evaluation_periods: 168 })],
  [
    "a band of anomaly detection",
    withQueries(
      "",
      [
        { id: "band", expression: "ANOMALY_DETECTION_BAND(m1, 2)", return_data: "true" },
        { ...m1, return_data: "true" },
      ],
      /./,
      { comparison_operator: "GreaterThanUpperThreshold", threshold_metric_id: "band", threshold: undefined },
    )[1],
  ],
  [
    "a composite alarm by names, ARNs and references",
    (s) => {
      const [name, other] = ["dead-letters", "daily-report-failed"].map((part) => s.the(alarm, part).alarm_name);
      withRule(
        `(ALARM(${String(name)}) OR ALARM("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${String(other)}")) AND NOT OK("${s.ref(alarm, "", "alarm_name")}")`,
        /./,
      )[1](s);
    },
  ],
  [
    "a dashboard with shorthand",
    (s) => {
      const region = s.provider().region;
      body("", [{ properties: { region, metrics: [errors, [".", "Throttles", ".", "."], ["..."]] } }], /./)[1](s);
    },
  ],
];
