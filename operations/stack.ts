import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { readConfig } from "../stacks/config";
import { Names } from "../stacks/names";
import { NotificationStack } from "../stacks/notification-stack";

type Attributes = Readonly<Record<string, unknown>>;

/** The stack's Terraform JSON, and what is in front of its names. */
export interface SynthesizedStack {
  readonly prefix: string;
  readonly resources: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
}

/** The stack as production gets it, for a project of no name of its own: what the documents are made from. */
export function synthesizeForDocs(): SynthesizedStack {
  const config = readConfig({
    STAGE: "prod",
    PROJECT_NAME: "project",
    EMAIL_SENDER: "sender@example.com",
    EMAIL_RECIPIENT: "ops@example.com",
    ALARM_EMAIL: "on-call@example.com",
    AWS_REGION: "us-east-1",
  });
  const outdir = mkdtempSync(join(tmpdir(), "docs-"));
  try {
    const stack = new NotificationStack(new App({ outdir }), "notification", config);
    stack.prepareStack();
    const { resource } = stack.toTerraform() as { resource: SynthesizedStack["resources"] };
    return { prefix: new Names(config).prefix, resources: resource };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** What is behind project and stage in a physical name, whatever service puts in front. */
export function roleOf(name: unknown, prefix: string): string {
  const text = String(name);
  const at = text.indexOf(`${prefix}-`);
  return at < 0 ? text : text.slice(at + prefix.length + 1);
}

/** The resource that a Terraform expression reads: `${aws_sqs_queue.<id>.arn}`. */
export function referred({ resources }: SynthesizedStack, expression: unknown): Attributes {
  const [, type = "", id = ""] = /\$\{([a-z0-9_]+)\.([\w-]+)\./.exec(String(expression)) ?? [];
  const found = resources[type]?.[id];
  if (found === undefined) throw new Error(`Nothing in the stack is behind ${String(expression)}`);
  return found;
}

export function listOf({ resources }: SynthesizedStack, type: string): Attributes[] {
  return Object.values(resources[type] ?? {});
}

/** A block that is there once: Terraform's JSON has it as an object or as a list. */
export function block(attributes: Attributes, name: string): Attributes {
  const value: unknown = attributes[name];
  const [only] = [value].flat();
  return typeof only === "object" && only !== null ? (only as Attributes) : {};
}
