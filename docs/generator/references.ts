import { type Attributes, suffixOf, type SynthesizedStack } from "./stack";

/** What the expressions and ARNs of a stack refer to. */

export interface Resource {
  readonly type: string;
  /** `<type>.<id>`, as Terraform writes it. */
  readonly address: string;
  readonly attributes: Attributes;
}

export function resourcesOf({ resources }: SynthesizedStack): Resource[] {
  return Object.entries(resources).flatMap(([type, all]) =>
    Object.entries(all).map(([id, attributes]) => ({ type, address: `${type}.${id}`, attributes })),
  );
}

/** How a kind of resource is spoken of, and what its ARN ends in. */
interface Named {
  readonly noun: string;
  /** The attribute with the physical name. */
  readonly attribute: string;
  /** What stands before the name in the ARN, from the service on, without region and account. */
  readonly arn?: string;
}

/** The kinds of resources that policies, rules and functions refer to. */
const named: Readonly<Record<string, Named>> = {
  aws_cloudwatch_event_bus: { noun: "bus", attribute: "name", arn: "events:event-bus/" },
  aws_cloudwatch_event_rule: { noun: "rule", attribute: "name", arn: "events:rule/" },
  aws_cloudwatch_log_group: { noun: "log group", attribute: "name", arn: "logs:log-group:" },
  aws_cloudwatch_metric_alarm: { noun: "alarm", attribute: "alarm_name", arn: "cloudwatch:alarm:" },
  aws_dynamodb_table: { noun: "table", attribute: "name", arn: "dynamodb:table/" },
  aws_iam_policy: { noun: "policy", attribute: "name", arn: "iam:policy/" },
  aws_iam_role: { noun: "role", attribute: "name", arn: "iam:role/" },
  aws_kms_key: { noun: "key", attribute: "description" },
  aws_lambda_function: { noun: "function", attribute: "function_name", arn: "lambda:function:" },
  aws_ses_template: { noun: "template", attribute: "name", arn: "ses:template/" },
  aws_sesv2_configuration_set: {
    noun: "configuration set",
    attribute: "configuration_set_name",
    arn: "ses:configuration-set/",
  },
  aws_sesv2_email_identity: { noun: "identity", attribute: "email_identity", arn: "ses:identity/" },
  aws_s3_bucket: { noun: "bucket", attribute: "bucket", arn: "s3:" },
  aws_sns_topic: { noun: "topic", attribute: "name", arn: "sns:" },
  aws_sqs_queue: { noun: "queue", attribute: "name", arn: "sqs:" },
};

/** The resource's name, as it stands behind project and stage. */
export function nameOf({ type, attributes }: Resource, { prefix }: SynthesizedStack): string {
  return suffixOf(attributes[named[type]?.attribute ?? "name"], prefix);
}

/** The resource in words: queue `dead-letters`. */
export function inWords(resource: Resource, stack: SynthesizedStack): string {
  const { noun, attribute } = named[resource.type] ?? { noun: resource.type, attribute: "name" };
  // A description is no name. There is one key.
  return attribute === "description" ? `the ${noun}` : `${noun} \`${nameOf(resource, stack)}\``;
}

/**
 * The resources that an expression or an ARN names. An ARN may have `*`, so it may name many. It is empty where the
 * text names none of this stack.
 */
export function resourcesBehind(stack: SynthesizedStack, text: unknown): Resource[] {
  const [, type, id] = /\$\{(?!data\.)([a-z0-9_]+)\.([\w-]+)[.}]/.exec(String(text)) ?? [];
  const attributes = stack.resources[type ?? ""]?.[id ?? ""];
  if (type !== undefined && id !== undefined && attributes !== undefined) {
    return [{ type, address: `${type}.${id}`, attributes }];
  }
  const wanted = arnTail(text);
  if (wanted === undefined) return [];
  return resourcesOf(stack).filter((resource) => {
    const { arn, attribute } = named[resource.type] ?? {};
    return arn !== undefined && isLike(wanted, `${arn}${String(resource.attributes[attribute ?? ""])}`);
  });
}

/** What an ARN says without partition, region and account: `sqs:shop-prod-retries`; `undefined` where it is no ARN. */
export function arnTail(text: unknown): string | undefined {
  const [arn, , service, , , ...rest] = String(text)
    .replace(/\$\{[^}]*\}/g, "-")
    .split(":");
  return arn === "arn" && service !== undefined && rest.length > 0 ? `${service}:${rest.join(":")}` : undefined;
}

/** Whether `text` fits a pattern in which `*` stands for any characters. */
function isLike(pattern: string, text: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return pattern === text;
  const last = parts.pop() ?? "";
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    at = text.indexOf(part, at);
    if (at < 0) return false;
    at += part.length;
  }
  return at <= text.length - last.length;
}
