import { assumptions } from "../../stacks/costs/assumptions";
import {
  type Cost,
  costAtRest,
  costOfMails,
  formatUsd,
  type PricedResource,
  resourcesOf,
  unpricedTypes,
} from "../../stacks/costs/costs";
import { prices } from "../../stacks/costs/prices";
import { type Attributes, type SynthesizedStack } from "../../stacks/policy/synthesized";
import { synthNotificationStack } from "../support/stack";

const stack = resourcesOf(JSON.parse(synthNotificationStack().text) as SynthesizedStack);

const quantityOf = ({ lines }: Cost, what: string) => lines.find((line) => line.what === what)?.quantity;
const usdOf = ({ lines }: Cost, what: string) => lines.find((line) => line.what === what)?.usd;
const made = (type: string, values: Attributes = {}, id = "one"): PricedResource => ({
  address: `${type}.${id}`,
  type,
  values,
});
const metric = (name: string, period = 300) => ({ metric_name: name, namespace: "AWS/SQS", period });
const without = (type: string) => stack.filter((resource) => resource.type !== type);

describe("prices", () => {
  it.each(Object.entries(prices))("%s has a unit, a day, AWS's page and where it was read", (_, price) => {
    expect(price.usd).toBeGreaterThan(0);
    expect(price.per).toBeGreaterThan(0);
    expect(price.page).toMatch(/^https:\/\/aws\.amazon\.com\/[a-z0-9]+\/pricing\//);
    expect(price.source).toMatch(/^AWS Price List API/);
    expect(Date.parse(price.asOf)).toBeLessThan(Date.now());
  });

  it("are all used", () => {
    const everything = [
      ...stack,
      made("aws_cloudwatch_metric_alarm", { period: 10 }, "quick"),
      made("aws_cloudwatch_composite_alarm"),
      made("aws_route53_zone"),
      made("aws_s3_bucket"),
      made("aws_s3_bucket_server_side_encryption_configuration"),
      made("aws_sns_topic_subscription", { protocol: "email" }),
    ];
    const x86 = [made("aws_lambda_function", { architectures: ["x86_64"] })];
    const costs = [
      costAtRest(everything),
      costOfMails(stack, 1, "a-la-carte"),
      costOfMails(stack, 1),
      costOfMails(x86, 1),
    ];
    const used = costs.flatMap(({ lines }) => lines.map(({ price }) => price));
    expect([...new Set(used)].sort()).toEqual(Object.keys(prices).sort());
  });
});

describe("the costs at rest", () => {
  it("are the sum of their lines, each a quantity at a price", () => {
    const { lines, usd } = costAtRest(stack);
    for (const { quantity, price, usd: each } of lines) {
      expect(each).toBeCloseTo((quantity / prices[price].per) * prices[price].usd, 10);
    }
    expect(usd).toBeCloseTo(
      lines.reduce((total, line) => total + line.usd, 0),
      10,
    );
  });

  it("know the kind of every resource of the stack, and name a kind that they don't know", () => {
    expect(unpricedTypes(stack)).toEqual([]);
    expect(unpricedTypes([...stack, made("aws_nat_gateway", {}, "b"), made("aws_nat_gateway")])).toEqual([
      "aws_nat_gateway",
    ]);
  });

  it("count an alarm of several metrics for each of them, and not for its expression", () => {
    const sum = {
      metric_query: [
        { id: "sum", expression: "a + b", metric: [] },
        { metric: [metric("a")] },
        { metric: metric("b") },
      ],
    };
    const alarms = [made("aws_cloudwatch_metric_alarm", metric("c")), made("aws_cloudwatch_metric_alarm", sum, "two")];
    expect(quantityOf(costAtRest(alarms), "Alarms")).toBe(3);
  });

  it("count an alarm with a period below a minute at its own price", () => {
    const alarms = [
      made("aws_cloudwatch_metric_alarm", metric("c", 60)),
      made("aws_cloudwatch_metric_alarm", metric("c", 30), "two"),
    ];
    expect(costAtRest(alarms).lines.map(({ price, quantity }) => [price, quantity])).toEqual([
      ["alarm", 1],
      ["alarmHighResolution", 1],
    ]);
  });

  it("count two filters that count into one metric once, in both forms of a block", () => {
    const filter = (transformation: unknown, id: string) =>
      made("aws_cloudwatch_log_metric_filter", { metric_transformation: transformation }, id);
    const errors = { namespace: "shop", name: "Errors" };
    const filters = [filter(errors, "a"), filter([errors], "b"), filter({ ...errors, name: "Bounces" }, "c")];
    expect(quantityOf(costAtRest(filters), "Metrics that logs are counted into")).toBe(2);
  });

  it("leave out a mapping that is off, which polls nothing", () => {
    const on = made("aws_lambda_event_source_mapping", { enabled: true });
    const off = made("aws_lambda_event_source_mapping", { enabled: false }, "two");
    expect(quantityOf(costAtRest([on, off]), "Polls of idle queues")).toBe(assumptions.pollsAMinute.value * 60 * 730);
    expect(costAtRest([off]).usd).toBe(0);
    expect(unpricedTypes([off])).toEqual([]);
  });

  it("are nothing for no resource", () => {
    expect(costAtRest([])).toEqual({ lines: [], usd: 0 });
  });
});

describe("the costs of mails", () => {
  it("grow with the mails, except for the metrics", () => {
    const fixed = usdOf(costOfMails(stack, 1), "Metrics of mails by notification") ?? 0;
    const [some, many] = [10_000, 1_000_000].map((mails) => costOfMails(stack, mails).usd - fixed);
    expect(many).toBeCloseTo((some ?? 0) * 100, 8);
    expect(costOfMails(stack, 0).usd).toBe(0);
  });

  it("have SES's price of the account's plan", () => {
    expect(usdOf(costOfMails(stack, 10_000), "Mails")).toBeCloseTo(1.6, 10);
    expect(usdOf(costOfMails(stack, 10_000, "a-la-carte"), "Mails")).toBeCloseTo(1, 10);
  });

  it("follow the function's memory, the archive's days and the logs' days", () => {
    const changed = (type: string, values: Attributes) =>
      stack.map((resource) =>
        resource.type === type ? { ...resource, values: { ...resource.values, ...values } } : resource,
      );
    const duration = (resources: readonly PricedResource[]) =>
      usdOf(costOfMails(resources, 1000), "Duration of the runs") ?? 0;
    const kept = (resources: readonly PricedResource[]) =>
      usdOf(costOfMails(resources, 1000), "Events kept in the archive") ?? 0;
    const logs = (resources: readonly PricedResource[]) => usdOf(costOfMails(resources, 1000), "Logs kept") ?? 0;
    expect(duration(changed("aws_lambda_function", { memory_size: 512 }))).toBeCloseTo(2 * duration(stack), 12);
    expect(kept(changed("aws_cloudwatch_event_archive", { retention_days: 28 }))).toBeCloseTo(2 * kept(stack), 12);
    expect(logs(changed("aws_cloudwatch_log_group", { retention_in_days: 60 }))).toBeCloseTo(2 * logs(stack), 12);
  });

  it.each([
    ["aws_cloudwatch_event_archive", "Events kept in the archive"],
    ["aws_cloudwatch_log_data_protection_policy", "Masking of SES's events"],
    ["aws_sesv2_configuration_set_event_destination", "Events of SES"],
    ["aws_dynamodb_table", "Claims kept for recovery"],
  ])("leave out what belongs to %s where the stack has none", (type, what) => {
    expect(usdOf(costOfMails(stack, 1000), what)).toBeGreaterThan(0);
    expect(usdOf(costOfMails(without(type), 1000), what)).toBeUndefined();
  });

  it("have no log of feedback that SES does not send", () => {
    const cost = costOfMails(without("aws_sesv2_configuration_set_event_destination"), 1000);
    expect(usdOf(cost, "Log of SES's events")).toBeUndefined();
    expect(usdOf(cost, "Masking of SES's events")).toBe(0);
  });
});

describe("formatUsd", () => {
  it.each([
    [0, "$0.00"],
    [11.329, "$11.33"],
    [1234.5, "$1,234.50"],
    [0.0004, "$0.0004"],
    [-0.1, "-$0.10"],
  ])("writes %d as %s", (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });
});
