import {
  addressBehind,
  all,
  type Attributes,
  type Found,
  objects,
  resourceBehind,
  statementsBehind,
  strings,
  type SynthesizedStack,
} from "./synthesized";
import { leaves } from "./values";

const keyAttribute = /(?:^|\.)kms_(?:master_)?(?:key|arn)(?:_id|_arn|_identifier)?$/;

/** What the attributes of a resource that name a KMS key name, in the order of its attributes. */
export function keysOf(attributes: Attributes): string[] {
  return leaves(attributes).flatMap(({ path, value }) =>
    keyAttribute.test(path) && typeof value === "string" ? [value] : [],
  );
}

/** The key of the stack that an expression refers to, directly or by an alias of the stack. */
export function keyBehind(stack: SynthesizedStack, expression: unknown): Found | undefined {
  const found = resourceBehind(stack, expression);
  if (found?.type === "aws_kms_alias") return keyBehind(stack, found.attributes.target_key_id);
  return found?.type === "aws_kms_key" ? found : undefined;
}

/**
 * What is wrong with the key that a resource names. An AWS-managed key, `alias/aws/<service>`, has a policy that nobody
 * can change and that lets no service in: where a service writes, it has to be a key of ours whose policy names the
 * service (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html and
 * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
 */
export function keyProblems(stack: SynthesizedStack, { address, type, attributes }: Found): string[] {
  const writers = writersTo(stack, address, type, attributes);
  return keysOf(attributes).flatMap((name) => {
    if (name === "") return ['has "" as its KMS key, which is none'];
    if (/(?:^|:)alias\/aws\//.test(name)) {
      return writers.map((service) => `has the key ${name}, which does not let ${service} write`);
    }
    const key = keyBehind(stack, name);
    if (key === undefined) return [`has the key ${name}, whose policy is not in the stack`];
    return writers
      .filter((service) => !keyAdmits(stack, key, service))
      .map((service) => `has the key ${key.address}, whose policy does not let ${service} write`);
  });
}

/** The services that write to a resource, as policies name them. */
function writersTo(stack: SynthesizedStack, address: string, type: string, attributes: Attributes): string[] {
  switch (type) {
    case "aws_cloudwatch_event_bus":
      return ["events.amazonaws.com"];
    case "aws_cloudwatch_log_group":
      return ["logs.amazonaws.com"];
    case "aws_sqs_queue":
      return servicesIn(stack, [attributes.policy, ...policiesOf(stack, "aws_sqs_queue_policy", "queue_url", address)]);
    case "aws_sns_topic":
      return servicesIn(stack, [attributes.policy, ...policiesOf(stack, "aws_sns_topic_policy", "arn", address)]);
    default:
      return [];
  }
}

/** The services that the policies let in. */
function servicesIn(stack: SynthesizedStack, policies: readonly unknown[]): string[] {
  const allowing = policies
    .flatMap((policy) => statementsBehind(stack, policy))
    .filter(({ effect }) => effect !== "Deny");
  return [...new Set(allowing.flatMap(servicesOf))];
}

function servicesOf({ principals }: Attributes): string[] {
  return objects(principals).flatMap(({ type, identifiers }) => (type === "Service" ? strings(identifiers) : []));
}

/** Whether the policy of the key lets the service encrypt: it needs both of these actions. */
function keyAdmits(stack: SynthesizedStack, { address, attributes }: Found, service: string): boolean {
  const statements = [attributes.policy, ...policiesOf(stack, "aws_kms_key_policy", "key_id", address)]
    .flatMap((policy) => statementsBehind(stack, policy))
    .filter(
      (statement) => statement.effect !== "Deny" && servicesOf(statement).some((each) => isService(each, service)),
    );
  const actions = statements.flatMap((statement) => strings(statement.actions));
  return [/^kms:(?:Decrypt\*?|\*)$/i, /^kms:(?:GenerateDataKey\*?|\*)$/i].every((needed) =>
    actions.some((action) => needed.test(action)),
  );
}

/**
 * CloudWatch Logs is named with its region, `logs.<region>.amazonaws.com`
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html).
 */
function isService(name: string, service: string): boolean {
  return name === service || (service === "logs.amazonaws.com" && /^logs\..+\.amazonaws\.com(?:\.cn)?$/.test(name));
}

/** The policies that resources of the type attach to the resource at the address. */
export function policiesOf(stack: SynthesizedStack, type: string, attribute: string, address: string): unknown[] {
  return all(stack.resource, type)
    .filter(([, resource]) => addressBehind(resource[attribute]) === address)
    .map(([, { policy }]) => policy);
}
