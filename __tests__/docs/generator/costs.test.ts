import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import { VpcEndpoint } from "@cdktf/provider-aws/lib/vpc-endpoint";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { costsDocument, mailCounts, pricedResources } from "../../../docs/generator/costs-document";
import { synthesizeForCi, synthesizeForDocs } from "../../../docs/generator/stack";
import { seedCatalogue } from "../../../handler/notifications/seed";
import { costAtRest, costOfMails, formatUsd } from "../../../stacks/costs/costs";
import { stackWith } from "../../support/docs-stack";

const stack = synthesizeForDocs();
const resources = pricedResources(stack);
const ci = synthesizeForCi();
const document = costsDocument(stack, seedCatalogue, ci);

/** The cells of each row below a heading. */
const rowsBelow = (heading: string) =>
  (document.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "));

const cents = (text = "") => Math.round(Number(text.replace(/[$,]/g, "")) * 10_000);

describe("docs/costs.md", () => {
  it("lists every kind of resource with its count", () => {
    const rows = rowsBelow("Every resource").slice(2);
    const counts = rows.filter(([kind]) => kind !== "").map(([kind, count]) => [kind, Number(count)]);
    const kinds = Object.entries(stack.resources)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, all]) => [`\`${type}\``, Object.keys(all).length]);
    expect(counts).toEqual(kinds);
  });

  it("lists lines that add up to what the stage costs", () => {
    const rows = rowsBelow("Every resource").slice(2);
    const sums = [3, 4, 5, 6].map((column) => rows.reduce((sum, row) => sum + cents(row[column]), 0) / 10_000);
    const costs = [costAtRest(resources), ...mailCounts.map((count) => costOfMails(resources, count))];
    for (const [at, { usd, lines }] of costs.entries()) {
      // Each line is rounded to a cent.
      expect(Math.abs((sums[at] ?? 0) - usd)).toBeLessThanOrEqual(0.005 * lines.length);
    }
  });

  it("says what a further notification costs: the alarms of its rule", () => {
    const further = /^A further notification costs \$([\d.]+) a month at rest/m.exec(document)?.[1];
    const ofRule = Object.values(stack.resources.aws_cloudwatch_metric_alarm ?? {}).filter(({ alarm_name: name }) =>
      String(name).startsWith("project-prod-email-rule-"),
    );
    expect(Number(further)).toBeCloseTo(ofRule.length * 0.1);
  });

  it("follows the stack", () => {
    const more = stackWith((scope, names) => {
      new CloudwatchDashboard(scope, "audit", { dashboardName: names.of("audit"), dashboardBody: "{}" });
    });
    expect(costsDocument(more, seedCatalogue, ci)).toContain(
      "| `aws_cloudwatch_dashboard` | 2 | Dashboards (dashboard) | $6.00 |",
    );
  });

  it("can't be written while a kind of resource has no price", () => {
    const unpriced = stackWith((scope) => {
      new SnsTopic(scope, "audit");
      new VpcEndpoint(scope, "endpoint", { vpcId: "vpc-1", serviceName: "com.amazonaws.us-east-1.sqs" });
    });
    expect(() => costsDocument(unpriced, seedCatalogue, ci)).toThrow(
      "docs/costs.md can't be generated. Correct stacks/costs/costs.ts.\n  The kind aws_vpc_endpoint has no price.",
    );
  });
});

it("README.md has the same figures", () => {
  const readme = readFileSync(join(__dirname, "..", "..", "..", "README.md"), "utf8");
  const section = readme.split("\n## What it costs\n")[1]?.split("\n## ")[0] ?? "";
  const { usd: atRest } = costAtRest(resources);
  const figures = [atRest, ...mailCounts.map((count) => atRest + costOfMails(resources, count).usd)].map(formatUsd);
  expect(section.match(/\$[\d,.]*\d/g)).toEqual(figures);
});
