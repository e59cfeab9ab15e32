import { isOwnAccount } from "./ours";
import { policiesOf } from "./keys";
import {
  addressBehind,
  all,
  type Attributes,
  block,
  covers,
  type Found,
  namesAction,
  nameOf,
  objects,
  resourceBehind,
  roleBehind,
  roleMay,
  statementsBehind,
  strings,
  type SynthesizedStack,
} from "./synthesized";

/** Who lets whom in: what a service delivers, by the policy of the one that gets it, or by a role of the service's. */

/** Who delivers: a service of AWS, on behalf of a resource of the stack. */
interface Deliverer {
  readonly service: string;
  readonly source: Found;
  /** Whether it can take on a role for a target without a policy. */
  readonly takesRole: boolean;
}

/** What keeps the deliverer from a dead-letter queue; nothing where no queue is named. */
export function deadLetterAdmission(stack: SynthesizedStack, arn: unknown, deliverer: Deliverer): string[] {
  if (arn === undefined) return [];
  const queue = resourceBehind(stack, arn);
  if (queue === undefined) return [`has dead letters at ${addressBehind(arn)}, which is not in the stack`];
  return queueAdmits(stack, queue, deliverer)
    ? []
    : [`has dead letters at ${queue.address}, whose policy does not let ${deliverer.source.address} in`];
}

/** The action that a role needs to write to a destination of this type. */
export const sendActions: Readonly<Record<string, string>> = {
  aws_cloudwatch_event_bus: "events:PutEvents",
  aws_lambda_alias: "lambda:InvokeFunction",
  aws_lambda_function: "lambda:InvokeFunction",
  aws_sfn_state_machine: "states:StartExecution",
  aws_sns_topic: "sns:Publish",
  aws_sqs_queue: "sqs:SendMessage",
};

/** What keeps the sender from its target: the policy of the target, and the role, which a target without a policy needs. */
export function admissionProblems(stack: SynthesizedStack, target: Attributes, deliverer: Deliverer): string[] {
  const found = resourceBehind(stack, target.arn);
  const refused = [
    `has the target ${addressBehind(target.arn)}, whose policy does not let ${deliverer.source.address} in`,
  ];
  const admitted = found === undefined ? undefined : admitting[found.type]?.(stack, found, deliverer, target.arn);
  if (admitted === undefined && target.role_arn === undefined) {
    return deliverer.takesRole
      ? [`has the target ${addressBehind(target.arn)}, and no role_arn that lets EventBridge reach it`]
      : [`has the target ${addressBehind(target.arn)}, which is not in the stack`];
  }
  return [
    ...(admitted === false ? refused : []),
    ...(target.role_arn === undefined ? [] : roleProblems(stack, target.role_arn, deliverer.service, target.arn)),
  ];
}

/** What keeps the service from taking on the role, or the role from writing to what the ARN names. */
export function roleProblems(stack: SynthesizedStack, role: unknown, service: string, arn: unknown): string[] {
  if (role === undefined) return ["has no role_arn"];
  const found = roleBehind(stack, role);
  if (found === undefined) return [`has the role ${addressBehind(role)}, which is not in the stack`];
  const isTaken = statementsBehind(stack, found.attributes.assume_role_policy).some(
    (statement) => statement.effect !== "Deny" && namesAction(statement, "sts:AssumeRole") && isFor(statement, service),
  );
  const target = resourceBehind(stack, arn) ?? busAt(arn);
  const action = sendActions[target?.type ?? ""];
  return [
    ...(isTaken ? [] : [`has the role ${found.address}, which does not trust ${service}`]),
    ...(target === undefined || action === undefined || roleMay(stack, role, [action], target)
      ? []
      : [`has the role ${found.address}, which may not do ${action} on ${target.address}`]),
  ];
}

/** A bus that is not in the stack, as the default one, by its ARN. */
function busAt(arn: unknown): Found | undefined {
  const [address, name] = /^arn:[^:]*:events:.*:event-bus\/([^*?]+)$/.exec(String(arn)) ?? [];
  return address === undefined ? undefined : { address, type: "aws_cloudwatch_event_bus", attributes: { name } };
}

const admitting: Readonly<
  Record<string, (stack: SynthesizedStack, resource: Found, deliverer: Deliverer, arn: unknown) => boolean>
> = {
  aws_sqs_queue: queueAdmits,
  aws_sns_topic: topicAdmits,
  aws_lambda_function: functionAdmits,
  aws_lambda_alias: functionAdmits,
  aws_cloudwatch_log_group: logGroupAdmits,
};

function queueAdmits(stack: SynthesizedStack, queue: Found, deliverer: Deliverer): boolean {
  return [queue.attributes.policy, ...policiesOf(stack, "aws_sqs_queue_policy", "queue_url", queue.address)]
    .flatMap((policy) => statementsBehind(stack, policy))
    .some((statement) => admits(stack, statement, "sqs:SendMessage", deliverer));
}

export function topicAdmits(stack: SynthesizedStack, topic: Found, deliverer: Deliverer): boolean {
  return [topic.attributes.policy, ...policiesOf(stack, "aws_sns_topic_policy", "arn", topic.address)]
    .flatMap((policy) => statementsBehind(stack, policy))
    .some((statement) => admits(stack, statement, "sns:Publish", deliverer));
}

/** A permission holds for the function alone, or for one of its aliases or versions alone. */
export function functionAdmits(stack: SynthesizedStack, target: Found, deliverer: Deliverer, arn?: unknown): boolean {
  const { service, source } = deliverer;
  const invoked = qualifiedFunction(stack, arn ?? `\${${target.address}.arn}`);
  return all(stack.resource, "aws_lambda_permission").some(([, permission]) => {
    const permitted = qualifiedFunction(stack, permission.function_name, permission.qualifier);
    return (
      permitted.address === invoked.address &&
      permitted.qualifier === invoked.qualifier &&
      String(permission.action).toLowerCase() === "lambda:invokefunction" &&
      permission.principal === service &&
      isSource(stack, permission.source_arn, source)
    );
  });
}

/** The function that an expression leads to, and the address or the name of its alias, or its version. */
function qualifiedFunction(stack: SynthesizedStack, expression: unknown, qualifier?: unknown) {
  const found = resourceBehind(stack, expression);
  const attribute = /\.(\w+)\}$/.exec(String(expression))?.[1];
  const isAlias = found?.type === "aws_lambda_alias";
  const address = isAlias ? addressBehind(found.attributes.function_name) : addressBehind(expression);
  if (qualifier !== undefined && qualifier !== null && qualifier !== "") {
    const [id] =
      all(stack.resource, "aws_lambda_alias").find(
        ([, alias]) => alias.name === qualifier && addressBehind(alias.function_name) === address,
      ) ?? [];
    const named = resourceBehind(stack, qualifier)?.type === "aws_lambda_alias" ? addressBehind(qualifier) : undefined;
    const text = typeof qualifier === "string" ? qualifier : JSON.stringify(qualifier);
    return { address, qualifier: named ?? (id === undefined ? text : `aws_lambda_alias.${id}`) };
  }
  if (isAlias && attribute !== "function_name") return { address, qualifier: found.address };
  const isVersion = attribute === "qualified_arn" || attribute === "qualified_invoke_arn";
  return { address, qualifier: isVersion ? `\${${address}.version}` : undefined };
}

function logGroupAdmits(stack: SynthesizedStack, group: Found, deliverer: Deliverer): boolean {
  const statements = all(stack.resource, "aws_cloudwatch_log_resource_policy").flatMap(([, policy]) =>
    statementsBehind(stack, policy.policy_document).filter(({ resources }) =>
      strings(resources).some((arn) => covers(arn.endsWith(":*") ? arn.slice(0, -2) : arn, group)),
    ),
  );
  return ["logs:CreateLogStream", "logs:PutLogEvents"].every((action) =>
    statements.some((statement) => admits(stack, statement, action, deliverer)),
  );
}

/** Whether the statement allows the action to the service on behalf of the source. */
function admits(
  stack: SynthesizedStack,
  statement: Attributes,
  action: string,
  { service, source }: Deliverer,
): boolean {
  return (
    statement.effect !== "Deny" &&
    namesAction(statement, action) &&
    isFor(statement, service) &&
    objects(statement.condition).every(({ test, variable, values }) => {
      const name = String(variable).toLowerCase();
      // Services of AWS deliver by TLS.
      if (name === "aws:securetransport") return test === "Bool" && strings(values).includes("true");
      if (!/^(?:Arn|String)(?:Equals|Like)(?:IfExists)?$/.test(String(test))) return false;
      switch (name) {
        case "aws:sourceaccount":
          return strings(values).some((value) => isOwnAccount(stack, value));
        case "aws:sourcearn":
          return strings(values).some((value) =>
            isSource(stack, value, source, !String(test).startsWith("StringEquals")),
          );
        // Which organization the account is in, nobody can tell here.
        case "aws:sourceorgid":
          return true;
        default:
          return false;
      }
    })
  );
}

const isFor = ({ principals }: Attributes, service: string): boolean =>
  objects(principals).some(({ type, identifiers }) => type === "Service" && strings(identifiers).includes(service));

/** What the ARN of a source has before its name, by the type of the source. */
const sourceArns: Readonly<Record<string, string>> = {
  aws_cloudwatch_composite_alarm: "cloudwatch:alarm:",
  aws_cloudwatch_event_rule: "events:rule/",
  aws_cloudwatch_metric_alarm: "cloudwatch:alarm:",
  aws_sns_topic: "sns:",
};

/**
 * Whether the text is the ARN of the source, or a pattern that covers it. A rule's ARN ends in `rule/<name>` on the
 * default bus, and in `rule/<bus>/<name>` on another one.
 */
function isSource(stack: SynthesizedStack, text: unknown, source: Found, takesPatterns = true): boolean {
  if (addressBehind(text) === source.address) return true;
  const bus = resourceBehind(stack, source.attributes.event_bus_name)?.attributes.name;
  const name = [...(typeof bus === "string" ? [bus] : []), String(nameOf(source))].join("/");
  const [service = "", kind = ""] = (sourceArns[source.type] ?? "").split(/:(.*)/);
  const [, , inService, region, account, ...rest] = String(text).split(":");
  const ownRegion = block(stack.provider?.aws).region;
  const fits = (pattern: string | undefined, value: string) =>
    pattern === value || (takesPatterns && pattern !== undefined && asPattern(pattern).test(value));
  return (
    fits(inService, service) &&
    (typeof ownRegion !== "string" || region?.includes("${") === true || fits(region, ownRegion)) &&
    account !== undefined &&
    (isOwnAccount(stack, account) || (takesPatterns && account === "*")) &&
    fits(rest.join(":"), kind + name)
  );
}

/** IAM's `*` and `?`. */
const asPattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(/\*/g, ".*")
      .replace(/\?/g, ".")}$`,
  );
