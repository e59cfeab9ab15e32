import { emailRequest } from "../../handler/notifications/email-request";
import { type Notification } from "../../handler/notifications/define";
import { type Assumption, assumptions } from "../../stacks/costs/assumptions";
import {
  costAtRest,
  type CostLine,
  costOfMails,
  formatUsd,
  type PricedResource,
  resourcesOf as pricedResourcesOf,
  unpricedTypes,
} from "../../stacks/costs/costs";
import { priceNote, type Price, prices } from "../../stacks/costs/prices";
import { nameOf } from "../../stacks/policy/synthesized";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
import { code, generatedLine, refuse, table } from "./markdown";
import { type CiStacks, suffixOf, type SynthesizedStack, synthesizeForDocs } from "./stack";

/** The numbers of mails a month that the document has a column for. */
export const mailCounts = [10_000, 100_000, 1_000_000] as const;

/** @throws Error that lists the kinds of resources that have no price. */
export function costsDocument(
  stack: SynthesizedStack,
  notifications: readonly Notification[],
  { ciAccess, stateBackend }: Omit<CiStacks, "notification">,
): string {
  const resources = pricedResources(stack);
  const beside = [stateBackend, ciAccess].map(pricedResources);
  refuse(
    "docs/costs.md",
    "stacks/costs/costs.ts",
    unpricedTypes([resources, ...beside].flat()).map((type) => `The kind ${type} has no price.`),
  );
  return `${generatedLine}

# What it costs

A stage of production, with the notifications that the project comes with. ${priceNote} A custom metric costs
something only in the hours in which it gets data, and counts in full here, so this is what the stage costs at the most.

${table(
  ["A month", ...mailCounts.map(mails)],
  [
    ["At rest", ...mailCounts.map(() => formatUsd(costAtRest(resources).usd))],
    [
      "The mails, where the account is on SES's plan Essentials, as new ones are",
      ...mailCounts.map((count) => formatUsd(costOfMails(resources, count).usd)),
    ],
    [
      "**Together**",
      ...mailCounts.map((count) => `**${formatUsd(costAtRest(resources).usd + costOfMails(resources, count).usd)}**`),
    ],
    [
      "Together, on the older plan, à la carte",
      ...mailCounts.map((count) =>
        formatUsd(costAtRest(resources).usd + costOfMails(resources, count, "a-la-carte").usd),
      ),
    ],
  ],
)}

A further notification costs ${formatUsd(ofFurtherNotification(resources, notifications))} a month at rest, for its rule's alarms.

## Every resource

Costs a month: at rest, and in addition with mails. What has no figure is free, or is paid for with another resource. Names are
those behind project and stage.

${table(["Kind", "Count", "What is paid for", "At rest", ...mailCounts.map(mails), "Names"], kindRows(resources, stack))}

## Beside the stage

${besideSection(pricedResources(stateBackend), pricedResources(ciAccess))}

## What is not counted

- Taxes, AWS's support plans, discounts and the free tier.
- Data transfer to the internet, which is that of Terraform and of the commands that people run.
- Retries, alarms' mails beyond the assumption, replays of the archive, queries of logs, and what people look up in the console.
- The versions of the KMS key that its yearly rotation adds: ${formatUsd(prices.key.usd)} a month [for each](${prices.key.page}).
- The minutes of GitHub Actions, and what a team adds of its own: a hosted zone (${formatUsd(prices.hostedZone.usd)} a month), a content delivery
  network for tracking, a dedicated IP address.

## What the figures are counted from

The stack says most of it. What it does not say:

${table(
  ["Value", "Unit", "It is", "Because"],
  Object.values<Assumption>(assumptions).map(({ value, unit, kind, reason }) => [
    value.toLocaleString("en-US"),
    unit,
    kind,
    reason,
  ]),
)}

## Prices

${table(
  ["Price", "USD", "For one", "As of", "Source", "Today"],
  Object.entries<Price>(prices).map(([name, { usd, unit, asOf, source, page }]) => [
    inWords(name),
    String(usd),
    unit,
    asOf,
    source,
    `[page](${page})`,
  ]),
)}
`;
}

/** What the stacks cost that a stage does not have for itself, or only where CI deploys it. */
function besideSection(backend: readonly PricedResource[], access: readonly PricedResource[]): string {
  const { lines, usd } = costAtRest(backend);
  const { usd: ofAccess } = costAtRest(access);
  if (ofAccess > 0)
    throw new Error("docs/costs.md says that ci-access is free. Correct docs/generator/costs-document.ts.");
  const kinds = (some: readonly PricedResource[]) => [...new Set(some.map(({ type }) => code(type)))].sort().join(", ");
  return `The stack \`state-backend\`, once for each project and account, costs ${formatUsd(usd)} a month:

${table(
  ["What is paid for", "Quantity", "A month"],
  lines.map(({ what, price, quantity, usd: each }) => [
    `${what} (${inWords(price)})`,
    quantity.toLocaleString("en-US"),
    formatUsd(each),
  ]),
)}

Its other resources are free: ${kinds(backend.filter(({ type }) => !lines.some((each) => each.resources[0]?.startsWith(`${type}.`))))}.

The stack \`ci-access\`, once for each stage, account and region that CI deploys, costs nothing. IAM has no charge for its ${access.length}
resources: ${kinds(access)}.`;
}

export function pricedResources(stack: SynthesizedStack): PricedResource[] {
  return pricedResourcesOf({ resource: stack.resources });
}

/** The name of a price as words: `tableWrite` is a table write. */
const inWords = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const mails = (count: number) => `${count.toLocaleString("en-US")} mails`;

/** The rows of each kind of resource: one for each thing that is paid for, or one without costs. */
function kindRows(resources: readonly PricedResource[], stack: SynthesizedStack): string[][] {
  const atRest = costAtRest(resources).lines;
  const withMails = mailCounts.map((count) => costOfMails(resources, count).lines);
  const kinds = [...new Set(resources.map(({ type }) => type))].sort();
  return kinds.flatMap((kind) => {
    const ofKind = resources.filter(({ type }) => type === kind);
    const [count, names] = [String(ofKind.length), namesOf(ofKind, stack)];
    const isOfKind = ({ resources: [address = ""] }: CostLine) => address.startsWith(`${kind}.`);
    const lines = [atRest, ...withMails].flat().filter(isOfKind);
    const things = new Map(lines.map(({ what, price }) => [what, `${what} (${inWords(price)})`]));
    if (things.size === 0) return [[code(kind), count, "", "", ...mailCounts.map(() => ""), names]];
    return [...things].map(([what, told], at) => [
      ...(at === 0 ? [code(kind), count] : ["", ""]),
      told,
      ...[atRest, ...withMails].map((some) => {
        const found = some.find((line) => line.what === what && isOfKind(line));
        return found === undefined ? "" : formatUsd(found.usd);
      }),
      at === 0 ? names : "",
    ]);
  });
}

function namesOf(resources: readonly PricedResource[], { prefix }: SynthesizedStack): string {
  const [{ type } = { type: "" }] = resources;
  if (type === "aws_cloudwatch_metric_alarm") return "[alarms.md](alarms.md)";
  return resources
    .map(({ values }) => nameOf({ type, attributes: values }))
    .filter((name) => typeof name === "string")
    .map((name) => code(suffixOf(name, prefix)))
    .join(", ");
}

/** What a stage with one notification more costs more, at rest. */
function ofFurtherNotification(resources: readonly PricedResource[], notifications: readonly Notification[]): number {
  const further: Notification = {
    ...emailRequest,
    id: "further",
    ruleName: "further-rule",
    trigger: { kind: "event", source: "custom.application", detailType: "Further Notification" },
  };
  const templateOf: TemplateReader = (each) => loadTemplate(each.id === further.id ? emailRequest : each);
  const more = pricedResources(synthesizeForDocs([...notifications, further], templateOf));
  return costAtRest(more).usd - costAtRest(resources).usd;
}
