import { nameAttributes } from "../../stacks/policy/synthesized";
import { resourcesIn, type TerraformPlan } from "./terraform-json";

/** Where a plan would act, as its provider is configured. */
export interface Place {
  /** Project and stage, with which every name of the stage begins; `undefined` for a stack without a stage. */
  readonly prefix: string | undefined;
  readonly stage: string | undefined;
  readonly account: string | undefined;
  readonly region: string | undefined;
}

/** Reads the place from the configuration of the AWS provider (stacks/notification-stack.ts). */
export function placeOfPlan({ configuration }: TerraformPlan): Place {
  const { expressions } = configuration?.provider_config?.aws ?? {};
  const tags = constant(first(expressions?.default_tags).tags);
  const { project, stage } = typeof tags === "object" && tags !== null ? (tags as Record<string, unknown>) : {};
  const accounts = constant(expressions?.allowed_account_ids);
  return {
    prefix: typeof project === "string" && typeof stage === "string" ? `${project}-${stage}` : undefined,
    stage: text(stage),
    account: Array.isArray(accounts) ? text(accounts[0]) : undefined,
    region: text(constant(expressions?.region)),
  };
}

const constant = (expression: unknown): unknown => first(expression).constant_value;
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** The only block of its name: an object, or a list of one. */
export function first(value: unknown): Readonly<Record<string, unknown>> {
  const only: unknown = Array.isArray(value) ? value[0] : value;
  return typeof only === "object" && only !== null ? (only as Record<string, unknown>) : {};
}

/** What the kinds of this project are called, by the type that Terraform calls them. */
const kinds: Readonly<Record<string, string>> = {
  aws_cloudwatch_composite_alarm: "composite alarm",
  aws_cloudwatch_dashboard: "dashboard",
  aws_cloudwatch_event_archive: "archive",
  aws_cloudwatch_event_bus: "bus",
  aws_cloudwatch_event_bus_policy: "policy of the bus",
  aws_cloudwatch_event_rule: "rule",
  aws_cloudwatch_event_target: "target of the rule",
  aws_cloudwatch_log_data_protection_policy: "masking of the log group",
  aws_cloudwatch_log_group: "log group",
  aws_cloudwatch_log_metric_filter: "metric filter",
  aws_cloudwatch_log_resource_policy: "policy for logs",
  aws_cloudwatch_metric_alarm: "alarm",
  aws_dynamodb_table: "table",
  aws_iam_openid_connect_provider: "OIDC provider",
  aws_iam_policy: "policy",
  aws_iam_role: "role",
  aws_iam_role_policy: "policy of the role",
  aws_iam_role_policy_attachment: "policy attached to the role",
  aws_kms_alias: "alias of a key",
  aws_kms_key: "key",
  aws_kms_key_policy: "policy of the key",
  aws_lambda_event_source_mapping: "event source mapping",
  aws_lambda_function: "function",
  aws_lambda_function_event_invoke_config: "asynchronous invocation of the function",
  aws_lambda_permission: "permission to call the function",
  aws_route53_record: "DNS record",
  aws_s3_bucket: "bucket",
  aws_s3_bucket_policy: "policy of the bucket",
  aws_ses_template: "template",
  aws_sesv2_configuration_set: "configuration set",
  aws_sesv2_configuration_set_event_destination: "event destination",
  aws_sesv2_email_identity: "identity",
  aws_sns_topic: "topic",
  aws_sns_topic_policy: "policy of the topic",
  aws_sns_topic_subscription: "subscription",
  aws_sqs_queue: "queue",
  aws_sqs_queue_policy: "policy of the queue",
};

/** For example `queue`. A type that has no name here is called what Terraform calls it. */
export const kindOf = (type: string): string => kinds[type] ?? type;

/** Attributes that name a resource, in the order in which they are tried. */
const otherNames = [
  "name",
  "function_name",
  "role",
  "bucket",
  "email_identity",
  "rule",
  "event_bus_name",
  "url",
  "log_group_name",
];

/** Stands in a policy for the ARN that a resource gets in the apply. */
export const unmade = (address: string): string => `\${${address}}`;

interface Named {
  readonly kind: string;
  readonly name: string;
}

/** Gives things of a plan the names that a person knows them by. */
export class Naming {
  readonly place: Place;
  /** The functions by the name of their role. */
  private readonly functions: ReadonlyMap<string, string>;
  /** The resources that the plan makes, by what stands for their ARNs. */
  private readonly made = new Map<string, Named>();

  constructor(plan: TerraformPlan) {
    this.place = placeOfPlan(plan);
    this.functions = new Map(functionsOf(plan));
    for (const { address, type, change } of plan.resource_changes) {
      if (!change.actions.includes("create")) continue;
      this.made.set(unmade(address), {
        kind: `new ${kindOf(type)}`,
        name: this.nameOf(address, type, change.after),
      });
    }
  }

  /** The physical name, without project and stage where it begins with them. */
  short(name: string): string {
    const { prefix } = this.place;
    if (prefix === undefined || !name.startsWith(`${prefix}-`)) return name;
    const rest = name.slice(prefix.length + 1);
    // What is only a pattern keeps its beginning: `*` alone would read as everything.
    return /^[*?]*$/.test(rest) ? name : rest;
  }

  /** The physical name of a resource, or else its address. */
  nameOf(address: string, type: string, values: unknown): string {
    const known = first(values);
    const attributes = [nameAttributes[type]?.[0], ...otherNames].filter((name) => name !== undefined);
    const name = attributes
      .map((attribute) => known[attribute])
      .find((each) => typeof each === "string" && each !== "");
    return typeof name === "string" ? (this.ofArn(name)?.name ?? this.short(name)) : address;
  }

  /** The function that has the role, or else the role. */
  holderOf(roleName: string): Named {
    const name = this.functions.get(roleName);
    return name === undefined
      ? { kind: "role", name: this.short(roleName) }
      : { kind: "function", name: this.short(name) };
  }

  /** The ARN of a function of the stage's account; a name that is an ARN already stays as it is. */
  arnOfFunction(name: string): string {
    const { account = "", region = "" } = this.place;
    return name.startsWith("arn:") ? name : `arn:aws:lambda:${region}:${account}:function:${name}`;
  }

  /**
   * What an ARN means, where it is one of the stage: of its account and region, and by its prefix.
   * @returns `undefined` for everything else, whose ARN has to be seen.
   */
  ofArn(arn: string): Named | undefined {
    const made = this.made.get(arn);
    if (made !== undefined) return made;
    const parts = /^arn:[\w-]*:([\w-]+):([\w-]*):(\d*):(.+)$/.exec(arn);
    const { prefix, account, region } = this.place;
    if (parts === null || prefix === undefined) return undefined;
    const [, service = "", inRegion = "", inAccount = "", resource = ""] = parts;
    if (inAccount !== account || (inRegion !== "" && inRegion !== region)) return undefined;
    const found = resourceKinds.find(([of, start]) => of === service && resource.startsWith(start));
    if (found === undefined) return undefined;
    const [, start, kind] = found;
    const name = resource.slice(start.length);
    if (kind === "role") return name.startsWith(`${prefix}-`) ? this.holderOf(name) : undefined;
    if (kind !== "identity" && !name.includes(`${prefix}-`)) return undefined;
    return { kind, name: this.short(name) };
  }
}

/** The functions with the names of their roles, also where the role is only made by the plan. */
function functionsOf(plan: TerraformPlan): [role: string, name: string][] {
  const before = resourcesIn(plan.prior_state?.values?.root_module);
  const after = resourcesIn(plan.planned_values?.root_module);
  const configured = plan.configuration?.root_module?.resources ?? [];
  return [...before, ...after].flatMap(({ address, type, values }) => {
    if (type !== "aws_lambda_function" || typeof values.function_name !== "string") return [];
    const references = first(configured.find((each) => each.address === address)?.expressions?.role).references;
    const role =
      typeof values.role === "string"
        ? nameInArn(values.role)
        : after.find((each) => Array.isArray(references) && references.includes(each.address))?.values.name;
    return typeof role === "string" ? [[role, values.function_name]] : [];
  });
}

/** How the ARNs of each service begin after the account. */
const resourceKinds: readonly (readonly [service: string, start: string, kind: string])[] = [
  ["sqs", "", "queue"],
  ["sns", "", "topic"],
  ["dynamodb", "table/", "table"],
  ["lambda", "function:", "function"],
  ["events", "event-bus/", "bus"],
  ["events", "rule/", "rule"],
  ["events", "archive/", "archive"],
  ["logs", "log-group:", "log group"],
  ["cloudwatch", "alarm:", "alarm"],
  ["ses", "identity/", "identity"],
  ["ses", "template/", "template"],
  ["ses", "configuration-set/", "configuration set"],
  ["iam", "role/", "role"],
];

const nameInArn = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);
