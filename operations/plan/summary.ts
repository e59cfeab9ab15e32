import { type Cost, costAtRest, formatUsd, unpricedTypes } from "../../stacks/costs/costs";
import { priceNote, prices } from "../../stacks/costs/prices";
import { plural } from "../text";
import { describeAlarms } from "./alarms";
import { type Difference, differencesOf } from "./differences";
import { type Block, code, details, fenced, html, joined, longestComment, plain } from "./markdown";
import { kindOf, Naming } from "./naming";
import { describePermissions, isOnlyPermission, isToldAsPermission } from "./permissions";
import { withoutSecrets } from "./secrets";
import { describeTemplates, templateChanges, templateType } from "./templates";
import { type ResourceChange, resourcesIn, type TerraformPlan } from "./terraform-json";
import { differenceText, foldedDifference, isFolded, valueText } from "./values";

/** The page that a reviewer reads in a pull request. */

export interface SummaryOptions {
  /** The heading, as plain text. @default stage, account and region of the plan */
  readonly title?: string;
  /** Where the pages of `writeMailPages` are, as plain text. @default there are none */
  readonly pagesIn?: string;
  /** The most characters. @default what a comment of GitHub takes */
  readonly limit?: number;
  /** Where the whole is, for the sentence that ends a page that was cut. @default the command that prints it */
  readonly whole?: string;
}

type Kind = "create" | "update" | "replace" | "destroy" | "forget" | "none";

interface Told {
  readonly resource: ResourceChange;
  readonly kind: Kind;
}

/** Writes the summary of a plan as markdown for GitHub. Foreign texts in it are inert. */
export function summarize(made: TerraformPlan, options: SummaryOptions = {}): string {
  const plan = withoutSecrets(made);
  const { limit = longestComment, whole = "npm run plan -- --summary --whole prints it" } = options;
  const naming = new Naming(plan);
  const all = plan.resource_changes
    .filter(({ mode }) => mode === "managed")
    .map((resource): Told => ({ resource, kind: kindOfChange(resource) }));
  const found = drift(plan, all);
  const sections = isUnchanged(plan, all)
    ? [section("Changed outside Terraform", found.drifted)]
    : [
        section("Destroyed and replaced", destroyed(all, naming)),
        section("Permissions", describePermissions(plan, naming)),
        section("Alarms", describeAlarms(changesOf(all, isAlarm), naming)),
        section("Templates", describeTemplates(templateChanges(plan, naming), options.pagesIn)),
        section("Everything else", everythingElse(all, naming)),
        section("Moved, forgotten and imported", addresses(all)),
        section("Outputs", outputs(plan)),
        section("Changed outside Terraform", [...found.drifted, ...found.unset]),
        section("Cost at rest", costs(plan)),
      ];
  const heading = { text: `## ${options.title === undefined ? titleOf(naming) : plain(options.title)}` };
  const ending = `**This page is cut**, because it would be longer than ${limit.toLocaleString("en-US")} characters. The whole: ${plain(whole)}.`;
  return joined([[heading, ...overview(plan, all, naming)], ...sections], limit, ending);
}

const isUnchanged = (plan: TerraformPlan, all: readonly Told[]): boolean =>
  all.every(
    ({ kind, resource }) => kind === "none" && resource.previous_address === undefined && !isImported(resource),
  ) && Object.values(plan.output_changes).every(({ actions }) => actions.includes("no-op"));

function titleOf({ place: { stage, account, region } }: Naming): string {
  const where = [
    ...(account === undefined ? [] : [`account ${code(account)}`]),
    ...(region === undefined ? [] : [`region ${code(region)}`]),
  ].join(", ");
  const what = stage === undefined ? "Plan" : `Plan of the stage ${code(stage)}`;
  return where === "" ? what : `${what}: ${where}`;
}

const section = (title: string, blocks: readonly Block[]): readonly Block[] =>
  blocks.length === 0 ? [] : [{ text: `### ${title}` }, ...blocks];

function kindOfChange({ change: { actions } }: ResourceChange): Kind {
  if (actions.includes("forget")) return "forget";
  if (actions.includes("delete")) return actions.includes("create") ? "replace" : "destroy";
  if (actions.includes("create")) return "create";
  return actions.includes("update") ? "update" : "none";
}

const isAlarm = (type: string): boolean =>
  ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"].includes(type);
const isTemplate = (type: string): boolean => type === templateType;

const changesOf = (all: readonly Told[], is: (type: string) => boolean): ResourceChange[] =>
  all
    .filter(({ kind, resource }) => is(resource.type) && !["none", "forget"].includes(kind))
    .map(({ resource }) => resource);

function overview(plan: TerraformPlan, all: readonly Told[], naming: Naming): Block[] {
  const count = (kind: Kind) => all.filter((each) => each.kind === kind).length;
  const moved = all.filter(({ resource }) => resource.previous_address !== undefined).length;
  const imported = all.filter(({ resource }) => isImported(resource)).length;
  const counts = [
    [count("create"), "to create"],
    [count("update"), "to change"],
    [count("replace"), "to replace"],
    [count("destroy"), "to destroy"],
    [count("forget"), "to forget"],
    [moved, "moved"],
    [imported, "to import"],
  ].filter(([number]) => number !== 0);
  const { prefix } = naming.place;
  const names =
    prefix === undefined ? "" : ` Names are shown without ${code(`${prefix}-`)}, with which those of this stage begin.`;
  const first =
    counts.length === 0
      ? `**No changes** of resources${isUnchanged(plan, all) ? ": what is deployed is what the code says" : ", only of outputs"}.`
      : `**${counts.map(([number, what]) => `${number} ${what}`).join(", ")}.**${names}`;
  return [
    { text: first },
    ...(plan.errored === true ? [{ text: "⚠️ **Terraform met an error**, so that this plan can't be applied." }] : []),
    ...(plan.complete === false && plan.errored !== true
      ? [{ text: "⚠️ **The plan is incomplete**: Terraform needs another plan after this one is applied." }]
      : []),
  ];
}

/** What is lost with a resource of the kind that is destroyed, or replaced. */
const losses: Readonly<Record<string, string>> = {
  aws_cloudwatch_event_archive: "The archived events are lost: they can't be replayed.",
  aws_cloudwatch_event_bus: "Producers can't put events while it is gone, and its archive goes with it.",
  aws_cloudwatch_log_group: "The logs in it are lost.",
  aws_dynamodb_table: "The claims in it are lost: an event that comes again is mailed again.",
  aws_kms_key: "What it has encrypted can't be read once its waiting time is over.",
  aws_lambda_function: "The events that wait for it are lost.",
  aws_s3_bucket: "The states in it, and their versions, are lost.",
  aws_sesv2_email_identity: "A new identity can't send before it is verified again: by a link, or by DNS records.",
  aws_sns_topic: "Its subscriptions have to be confirmed again.",
  aws_sns_topic_subscription: "A new subscription tells nobody before it is confirmed.",
  aws_sqs_queue: "The messages in it are lost.",
};

function destroyed(all: readonly Told[], naming: Naming): Block[] {
  const gone = all.filter(({ kind }) => kind === "destroy" || kind === "replace");
  const withLoss = gone.filter(({ resource }) => resource.type in losses);
  const others = gone.filter(({ resource }) => !(resource.type in losses));
  return [...withLoss, ...others].flatMap(({ resource, kind }) => {
    const { type, change } = resource;
    const loss = losses[type];
    const warning = loss === undefined ? "" : ` ⚠️ **${loss}**`;
    const what = `${kindOf(type)} ${code(nameOf(resource, naming))}`;
    const line =
      kind === "destroy"
        ? `- **Destroyed:** ${what}${reasonOf(resource)}.${warning}`
        : `- **Replaced:** ${what}${reasonOf(resource)}; ${change.actions[0] === "create" ? "the new one is made before the old one is destroyed" : "the old one is destroyed first"}.${warning}`;
    // The templates' own section has their contents.
    const isToldElsewhere = kind === "destroy" || isTemplate(type) || isAlarm(type);
    return [{ text: line }, ...(isToldElsewhere ? [] : attributes(resource, knownDifferences(resource)))];
  });
}

function reasonOf({ action_reason: reason, change }: ResourceChange): string {
  const paths = (change.replace_paths ?? []).map((path) => code(path.map(String).join(".")));
  if (paths.length > 0) return `, because ${paths.join(" and ")} can't be changed`;
  if (reason === "replace_because_tainted") return ", because its last apply failed half-way";
  if (reason === "replace_by_request") return ", because somebody asked for it";
  if (reason === "replace_by_triggers") return ", because what it depends on changes";
  if (reason === "delete_because_no_resource_config") return ", because the code no longer has it";
  return "";
}

const nameOf = ({ address, type, change }: ResourceChange, naming: Naming): string =>
  naming.nameOf(address, type, change.before ?? change.after);

/** The differences that are not told as permissions, and without what only the apply makes known. */
function knownDifferences({ type, change }: ResourceChange): Difference[] {
  return differencesOf(change).filter(({ path, after }) => after.kind !== "unknown" && !isToldAsPermission(type, path));
}

function attributes({ address }: ResourceChange, differences: readonly Difference[]): Block[] {
  return [
    ...differences.map((difference) => ({ text: `  - ${differenceText(difference)}` })),
    ...differences.filter(isFolded).map((difference) => ({
      text: foldedDifference(address, difference),
      short: `The difference of ${code(difference.path)} is left out: it is too long.`,
    })),
  ];
}

function everythingElse(all: readonly Told[], naming: Naming): Block[] {
  const others = all.filter(
    ({ kind, resource: { type } }) =>
      (kind === "create" || kind === "update") && !isAlarm(type) && !isTemplate(type) && !isOnlyPermission(type),
  );
  const types = [...new Set(others.map(({ resource }) => resource.type))].sort();
  return types.flatMap((type) => {
    const ofType = others.filter(({ resource }) => resource.type === type);
    const made = ofType.filter(({ kind }) => kind === "create").map(({ resource }) => resource);
    const changed = ofType.filter(({ kind }) => kind === "update").map(({ resource }) => resource);
    return [
      ...changed.flatMap((resource) => {
        const differences = differencesOf(resource.change).filter(({ path }) => !isToldAsPermission(type, path));
        const title = `- Changed: ${kindOf(type)} ${code(nameOf(resource, naming))}`;
        return differences.length === 0 ? [] : [{ text: title }, ...attributes(resource, differences)];
      }),
      ...(made.length === 0
        ? []
        : [
            { text: `- New: ${kindOf(type)} ${made.map((resource) => code(nameOf(resource, naming))).join(", ")}` },
            {
              text: details(
                `What ${made.length === 1 ? "it has" : "they have"}: ${html(type)}`,
                fenced(made.map(contentOf).join("\n\n")),
              ),
              short: "What they have is left out: it is too long.",
            },
          ]),
    ];
  });
}

/** The attributes of a new resource, one a line. */
function contentOf({ address, change }: ResourceChange): string {
  const lines = differencesOf({ ...change, before: {} })
    .filter(({ after }) => after.kind !== "none")
    .map(({ path, after }) => `  ${path} = ${after.kind === "value" ? JSON.stringify(after.value) : valueText(after)}`);
  return [address, ...lines].join("\n");
}

const isImported = ({ change }: ResourceChange): boolean =>
  typeof change.importing === "object" && change.importing !== null;

function addresses(all: readonly Told[]): Block[] {
  return all.flatMap(({ resource, kind }) => {
    const { address, previous_address: previous } = resource;
    return [
      ...(previous === undefined
        ? []
        : [{ text: `- Moved: ${code(previous)} is now ${code(address)}. AWS keeps it as it is.` }]),
      ...(kind === "forget"
        ? [{ text: `- ⚠️ Forgotten: ${code(address)} stays in AWS, and Terraform no longer knows it.` }]
        : []),
      ...(isImported(resource)
        ? [{ text: `- Imported: ${code(address)} is in AWS already, and Terraform takes it over.` }]
        : []),
    ];
  });
}

function outputs({ output_changes: changes }: TerraformPlan): Block[] {
  return Object.entries(changes)
    .filter(([, { actions }]) => !actions.includes("no-op"))
    .flatMap(([name, change]) => {
      const wrapped = {
        ...change,
        before: { value: change.before },
        after: { value: change.after },
        after_unknown: { value: change.after_unknown },
        before_sensitive: { value: change.before_sensitive },
        after_sensitive: { value: change.after_sensitive },
      };
      const differences = differencesOf(wrapped).map((each) => ({
        ...each,
        path: name + each.path.slice("value".length),
      }));
      return attributes({ address: "output" } as ResourceChange, differences).map((block) => ({
        ...block,
        text: block.text.replace(/^ {2}- /, "- "),
      }));
    });
}

/**
 * The differences that Terraform found between its state and AWS, before it planned. What the code does not set is
 * folded: it mostly is what another resource sets there, such as the policy of a topic.
 */
function drift(plan: TerraformPlan, all: readonly Told[]): { readonly drifted: Block[]; readonly unset: Block[] } {
  const planned = new Map(all.map(({ resource, kind }) => [resource.address, kind]));
  const unset: string[] = [];
  const drifted = plan.resource_drift.flatMap((resource) => {
    const { address, change } = resource;
    if (change.actions.includes("delete")) return [{ text: `- ⚠️ ${code(address)} is gone from AWS.` }];
    const configured = plan.configuration?.root_module?.resources?.find(
      (each) => each.address === address,
    )?.expressions;
    const isSet = ({ path }: Difference) => configured === undefined || (path.split(/[.[]/)[0] ?? "") in configured;
    const differences = differencesOf(change);
    const others = differences.filter((each) => !isSet(each));
    if (others.length > 0) unset.push(`- ${code(address)}: ${others.map(({ path }) => code(path)).join(", ")}`);
    const own = differences.filter(isSet);
    if (own.length === 0) return [];
    const kind = planned.get(address) ?? "none";
    const then = kind === "none" ? "the plan leaves it so" : "the plan changes this resource, see above";
    return [{ text: `- ⚠️ ${code(address)} was changed (${then}):` }, ...attributes(resource, own)];
  });
  const title = `${plural(unset.length, "resource")} with attributes that the code does not set, and that have changed`;
  const fold = { text: details(title, unset.join("\n")), short: `${title}: left out, because it is too long.` };
  return { drifted, unset: unset.length === 0 ? [] : [fold] };
}

function costs(plan: TerraformPlan): Block[] {
  const before = resourcesIn(plan.prior_state?.values?.root_module);
  // Terraform plans no values for what it forgets, and AWS keeps it.
  const after = resourcesIn(plan.planned_values?.root_module).map((resource) =>
    Object.keys(resource.values).length > 0
      ? resource
      : (before.find(({ address }) => address === resource.address) ?? resource),
  );
  const [old, now] = [costAtRest(before), costAtRest(after)];
  const difference = now.usd - old.usd;
  const rows = differingRows(old, now);
  const unpriced = unpricedTypes(after).map((type) => code(type));
  const sum =
    rows.length === 0
      ? `${formatUsd(now.usd)} a month, as before.`
      : `${formatUsd(now.usd)} a month, ${difference < 0 ? "" : "+"}${formatUsd(difference)}.`;
  const days = Object.values(prices).map(({ asOf }) => asOf);
  const note = `${priceNote} They are as old as ${[...days].sort()[0]}. What mails cost comes on top.`;
  return [
    { text: `${sum} ${note}${unpriced.length > 0 ? ` ⚠️ No price is known for ${unpriced.join(", ")}.` : ""}` },
    ...(rows.length === 0
      ? []
      : [{ text: ["| What | Before | After |", "| --- | ---: | ---: |", ...rows].join("\n") }]),
  ];
}

function differingRows(old: Cost, now: Cost): string[] {
  const names = [...new Set([...old.lines, ...now.lines].map(({ what }) => what))];
  const cell = ({ lines }: Cost, what: string) => {
    const line = lines.find((each) => each.what === what);
    if (line === undefined) return "–";
    return `${line.quantity.toLocaleString("en-US", { maximumFractionDigits: 2 })} × ${formatUsd(prices[line.price].usd)} for ${prices[line.price].unit} = ${formatUsd(line.usd)}`;
  };
  return names
    .map((what) => [what, cell(old, what), cell(now, what)] as const)
    .filter(([, before, after]) => before !== after)
    .map((cells) => `| ${cells.join(" | ")} |`);
}
