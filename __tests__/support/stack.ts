import { type TerraformStack, Testing } from "cdktf";
import { invokeAspects } from "cdktf/lib/synthesize/synthesizer";
import { type Notification } from "../../handler/notifications/define";
import { seedCatalogue } from "../../handler/notifications/seed";
import { type Config, type Environment, readConfig } from "../../stacks/config";
import { NotificationStack } from "../../stacks/notification-stack";
import { exampleAccountId, stages, type StageSettings } from "../../stacks/stages";
import "./stages";

type Attributes = Record<string, unknown>;

/** A synthesized stack, which is parsed once and then asked for its resources by type. */
export class Synthesized {
  private readonly json: {
    resource: Record<string, Record<string, Attributes>>;
    data: Record<string, Record<string, Attributes>>;
    output: Record<string, Attributes>;
  };

  constructor(readonly text: string) {
    this.json = JSON.parse(text) as Synthesized["json"];
  }

  resources(type: string): Attributes[] {
    return Object.values(this.json.resource[type] ?? {});
  }

  /** The only resource of its type. Throws where there is none, or more than one. */
  resource(type: string): Attributes {
    const [only, ...others] = this.resources(type);
    if (only === undefined || others.length > 0)
      throw new Error(`${others.length + (only ? 1 : 0)} resources of ${type}`);
    return only;
  }

  data(type: string): Record<string, Attributes> {
    return this.json.data[type] ?? {};
  }

  /**
   * The physical name of the resource that a Terraform expression refers to, for example `${aws_sqs_queue.<id>.arn}`.
   */
  nameBehind(expression: unknown): string {
    const [, type = "", id = ""] = /\$\{([a-z0-9_]+)\.([\w-]+)\./.exec(String(expression)) ?? [];
    const { name, function_name, queue_name } = this.json.resource[type]?.[id] ?? {};
    const found = [name, function_name, queue_name].find((candidate) => typeof candidate === "string");
    if (found === undefined) throw new Error(`Nothing with a name is behind ${String(expression)}`);
    return found;
  }

  /** Every type of a resource and of a data source, with all that the stack has of it. */
  get everything(): [type: string, Attributes[]][] {
    return [...Object.entries(this.json.resource), ...Object.entries(this.json.data)].map(([type, all]) => [
      type,
      Object.values(all),
    ]);
  }

  output(name: string): unknown {
    return this.json.output[name]?.value;
  }

  get outputs(): string[] {
    return Object.keys(this.json.output);
  }
}

/** Synthesizes a stack like `Testing.synth`, which would take minutes for hundreds of notifications. */
export function synthesized(stack: TerraformStack): Synthesized {
  invokeAspects(stack);
  stack.runAllValidations();
  return new Synthesized(JSON.stringify(inOrder(stack.toTerraform()), null, 2));
}

/** Sorts the members by name and removes cdktf's metadata, so that stacks can be compared. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name]) => name !== "//");
  return Object.fromEntries(
    members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, inOrder(member)]),
  );
}

export const devEnvironment: Environment = {
  STAGE: "dev",
  PROJECT_NAME: "shop",
  EMAIL_SENDER: "sender@example.com",
  EMAIL_RECIPIENT: "ops@example.com",
  AWS_ACCOUNT_ID: exampleAccountId,
  AWS_REGION: "eu-west-1",
};

export function configOf(environment: Environment = {}): Config {
  return readConfig({ ...devEnvironment, ...environment });
}

/** The configuration of a stage with other settings: of `dev`, unless the environment names another one. */
export function withStage(settings: Partial<StageSettings>, environment: Environment = {}): Config {
  const known: Record<string, StageSettings> = stages;
  const stage = environment.STAGE ?? "dev";
  const replaced = jest.replaceProperty(known, stage, { ...known[stage], ...settings } as StageSettings);
  try {
    return configOf(environment);
  } finally {
    replaced.restore();
  }
}

/** Synthesizes the stack with the notifications that the project comes with, whatever a team has added. */
export function synthNotificationStack(environment: Environment = {}): Synthesized {
  return synthesizedOf(configOf(environment));
}

/** Synthesizes the stack of a configuration. */
export function synthesizedOf(config: Config, notifications: readonly Notification[] = seedCatalogue): Synthesized {
  return synthesized(new NotificationStack(Testing.app(), "notification", config, notifications));
}
