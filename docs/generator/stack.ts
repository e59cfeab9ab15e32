import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, type TerraformStack } from "cdktf";
import { type Notification } from "../../handler/notifications/define";
import { seedCatalogue } from "../../handler/notifications/seed";
import { CiAccessStack } from "../../stacks/ci-access-stack";
import { type Config, readConfig } from "../../stacks/config";
import { exampleEnvironment } from "../../stacks/example-environment";
import { Names } from "../../stacks/names";
import { type PlacedSuppression, suppressionsIn } from "../../stacks/policy/suppressions";
import { NotificationStack } from "../../stacks/notification-stack";
import { stages, type StageSettings } from "../../stacks/stages";
import { StateBackendStack } from "../../stacks/state-backend-stack";
import { stateKey } from "../../stacks/state-places";
import { type TemplateReader } from "../../stacks/templates/load";

export type Attributes = Readonly<Record<string, unknown>>;

/** The stack's Terraform JSON, and the prefix (project and stage) of its names. */
export interface SynthesizedStack {
  readonly prefix: string;
  readonly resources: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly data: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly suppressions: readonly PlacedSuppression[];
}

/** The settings that say who and where. They are an example's in the documents, and a team's own in its entries. */
const whoAndWhere = [
  ...[
    "projectName",
    "projectNameException",
    "accountId",
    "region",
    "senders",
    "identities",
    "sendingDomains",
    "tracking",
  ],
  ...["recipients", "replyTo", "alarmSubscribers", "deployRepository", "oidcProvider"],
];

/** Production as the documents have it: its numbers are the project's. */
const entry = {
  ...(Object.fromEntries(
    Object.entries(stages.prod).filter(([name]) => !whoAndWhere.includes(name)),
  ) as unknown as StageSettings),
  sesSandbox: false,
  allowedRecipients: { mode: "unrestricted", reason: "Production mails customers, at the address that each gave." },
} satisfies StageSettings;
const entries = { ...stages, prod: entry };
const production = exampleEnvironment("prod", entry);

/**
 * Synthesizes the stack that the documents are made from: that of production.
 * @param notifications by default those that the project comes with.
 */
export function synthesizeForDocs(
  notifications: readonly Notification[] = seedCatalogue,
  templateOf?: TemplateReader,
): SynthesizedStack {
  const config = readConfig(production, entries);
  const outdir = mkdtempSync(join(tmpdir(), "docs-"));
  try {
    const stack = new NotificationStack(new App({ outdir }), "notification", config, notifications, templateOf);
    stack.prepareStack();
    return readStack(stack, new Names(config));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/**
 * The stacks of a stage that sends from a domain, makes its records in Route 53, tracks, limits who may be mailed, and is
 * deployed by GitHub.
 */
export interface CiStacks {
  readonly notification: SynthesizedStack;
  readonly ciAccess: SynthesizedStack;
  readonly stateBackend: SynthesizedStack;
}

/** Synthesizes the stacks beside the notification stack, and that one with everything that a stage can switch on. */
export function synthesizeForCi(): CiStacks {
  const ofCi = { ...production, SENDER_IDENTITY: "domain", DEPLOY_REPOSITORY: "organization/project" };
  const allowedRecipients = { mode: "restricted", addresses: ["ops@example.com"], domains: ["example.org"] } as const;
  const config = readConfig(ofCi, { ...entries, prod: { ...entry, allowedRecipients } });
  const { ci, backend, projectName, accountId } = config;
  if (ci === undefined) throw new Error("DEPLOY_REPOSITORY makes no CI.");
  if (backend.kind !== "s3") throw new Error("The example stage keeps its state elsewhere than in S3.");
  const zoneId = "Z0123456789ABCDEFGHIJ";
  const everything: Config = {
    ...config,
    sendingDomains: config.sendingDomains.map((domain) => ({ ...domain, zoneId })),
    tracking: { domain: "click.example.com", httpsPolicy: "REQUIRE", target: "d111111abcdef8.cloudfront.net", zoneId },
  };
  const state = { bucket: backend.bucket, key: stateKey(config, "terraform") };
  const outdir = mkdtempSync(join(tmpdir(), "docs-"));
  try {
    const app = new App({ outdir });
    const stacks = {
      notification: new NotificationStack(app, "notification", everything, seedCatalogue),
      ciAccess: new CiAccessStack(app, "ci-access", { ...everything, ci, state }),
      stateBackend: new StateBackendStack(app, "state-backend", {
        projectName,
        accountId,
        region: backend.region,
        bucket: backend.bucket,
      }),
    };
    const read = (stack: TerraformStack) => {
      stack.prepareStack();
      return readStack(stack, new Names(config));
    };
    return {
      notification: read(stacks.notification),
      ciAccess: read(stacks.ciAccess),
      stateBackend: read(stacks.stateBackend),
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** @param stack that was prepared, so that its tokens are resolved. */
export function readStack(stack: TerraformStack, { prefix }: Names): SynthesizedStack {
  const { resource, data } = stack.toTerraform() as {
    resource: SynthesizedStack["resources"];
    data: SynthesizedStack["data"];
  };
  return { prefix, resources: resource, data, suppressions: suppressionsIn(stack) };
}

/**
 * The part of a physical name that follows project and stage. Some services put a path in front of these, which is
 * dropped, too.
 */
export function suffixOf(name: unknown, prefix: string): string {
  const text = String(name);
  const at = text.indexOf(`${prefix}-`);
  return at < 0 ? text : text.slice(at + prefix.length + 1);
}

/**
 * The resource to which a Terraform expression refers, for example `${aws_sqs_queue.<id>.arn}` or
 * `${data.aws_iam_policy_document.<id>.json}`.
 */
export function referred({ resources, data }: SynthesizedStack, expression: unknown): Attributes {
  const [, kind, type = "", id = ""] = /\$\{(data\.)?([a-z0-9_]+)\.([\w-]+)\./.exec(String(expression)) ?? [];
  const found = (kind === undefined ? resources : data)[type]?.[id];
  if (found === undefined) throw new Error(`The expression ${String(expression)} refers to no resource of the stack`);
  return found;
}

export function listOf({ resources }: SynthesizedStack, type: string): Attributes[] {
  return Object.values(resources[type] ?? {});
}

/** A block that occurs once. Terraform's JSON has it as an object or as a list. */
export function block(attributes: Attributes, name: string): Attributes {
  const value: unknown = attributes[name];
  const [only] = [value].flat();
  return typeof only === "object" && only !== null ? (only as Attributes) : {};
}
