import { inWords, nameOf, type Resource, resourcesBehind, resourcesOf } from "./references";
import { type Call } from "./sdk-calls";
import { type Attributes, block, listOf, referred, type SynthesizedStack } from "./stack";

/** Who may do what in the stack, and what needs it: the calls of the handler's code, and those of AWS's services. */

/** A statement of a policy, or a permission of a function. */
export interface Statement {
  /** Where it stands: the statement's id, or what stands for it. */
  readonly sid: string;
  readonly effect: "Allow" | "Deny";
  /** The roles, services and accounts that it is about. */
  readonly principals: readonly Principal[];
  readonly actions: readonly string[];
  /** As the stack has them: expressions and ARNs. */
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
}

export type Principal =
  | { readonly kind: "role"; readonly role: Resource }
  | { readonly kind: "service" | "account" | "provider"; readonly name: string }
  /** The roles that a policy limits: it is the boundary of their permissions, and gives them none. */
  | { readonly kind: "boundary" }
  | { readonly kind: "everybody" };

export interface Condition {
  readonly test: string;
  readonly variable: string;
  readonly values: readonly string[];
}

/** A call that code or a service makes, so that a statement has to allow it. */
export interface Need {
  /** The role's address, or the service's name. */
  readonly by: string;
  readonly action: string;
  /** The resource's address; `undefined` where only the configuration of the code says which one it is. */
  readonly on: string | undefined;
  /** What makes the call, in words. */
  readonly reason: string;
}

/** The attributes that hold a policy of IAM. */
const policyAttributes = ["policy", "policy_document", "assume_role_policy", "access_policy", "inline_policy"];
const notOfIam = ["aws_cloudwatch_log_data_protection_policy"];

/**
 * @returns every statement of the stack.
 * @throws Error where a policy is not a policy document of the stack, so that nobody can tell what it says.
 */
export function statementsOf(stack: SynthesizedStack): Statement[] {
  const unread: string[] = [];
  const statements = resourcesOf(stack)
    .filter(({ type }) => !notOfIam.includes(type))
    .flatMap((resource) => {
      if (resource.type === "aws_lambda_permission") return [ofPermission(resource.attributes)];
      if (/^aws_iam_.*attachment/.test(resource.type) && policyOf(stack, resource.attributes) === undefined) {
        unread.push(resource.address);
      }
      return policyAttributes
        .filter((attribute) => resource.attributes[attribute] !== undefined)
        .flatMap((attribute) => {
          const text = String(resource.attributes[attribute]);
          if (!text.startsWith("${data.aws_iam_policy_document.")) unread.push(resource.address);
          else return ofDocument(stack, resource, attribute, referred(stack, text));
          return [];
        });
    });
  if (unread.length > 0) {
    throw new Error(`The policy of ${unread.join(", ")} can't be read: make it of a DataAwsIamPolicyDocument.`);
  }
  return statements;
}

function ofPermission(permission: Attributes): Statement {
  const { statement_id: sid, principal, action, function_name: fn, source_arn: source } = permission;
  return {
    sid: String(sid),
    effect: "Allow",
    principals: [{ kind: "service", name: String(principal) }],
    actions: [String(action)],
    resources: [String(fn)],
    conditions: texts(source).map((arn) => ({ test: "ArnLike", variable: "aws:SourceArn", values: [arn] })),
  };
}

function ofDocument(stack: SynthesizedStack, holder: Resource, attribute: string, document: Attributes): Statement[] {
  return listIn(document.statement).map((statement) => ({
    sid: typeof statement.sid === "string" ? statement.sid : holder.address,
    effect: statement.effect === "Deny" ? "Deny" : "Allow",
    principals: holdersOf(stack, holder) ?? listIn(statement.principals).flatMap(toPrincipals),
    actions: texts(statement.actions),
    // A trust policy names no resource: it is about its own role.
    resources: attribute === "assume_role_policy" ? [`\${${holder.address}.arn}`] : texts(statement.resources),
    conditions: listIn(statement.condition).map(({ test, variable, values }) => ({
      test: String(test),
      variable: String(variable),
      values: texts(values),
    })),
  }));
}

/** Whom a policy of IAM is about; `undefined` where the policy names its principals itself. */
function holdersOf(stack: SynthesizedStack, { type, address, attributes }: Resource): Principal[] | undefined {
  const toRoles = (role: unknown) =>
    resourcesBehind(stack, role).map((each) => ({ kind: "role", role: each }) as const);
  if (type === "aws_iam_role_policy") return toRoles(attributes.role);
  if (type !== "aws_iam_policy") return undefined;
  const attached = listOf(stack, "aws_iam_role_policy_attachment").filter(
    (attachment) => policyOf(stack, attachment)?.address === address,
  );
  return attached.length === 0 ? [{ kind: "boundary" }] : attached.flatMap(({ role }) => toRoles(role));
}

/** The policy of this stack that an attachment names. */
function policyOf(stack: SynthesizedStack, { policy_arn: arn }: Attributes): Resource | undefined {
  return resourcesBehind(stack, arn).find(({ type }) => type === "aws_iam_policy");
}

const principalKinds: Readonly<Record<string, "service" | "provider">> = { Service: "service", Federated: "provider" };

function toPrincipals({ type, identifiers }: Attributes): Principal[] {
  return texts(identifiers).map((name) => {
    if (name === "*") return { kind: "everybody" };
    return { kind: principalKinds[String(type)] ?? "account", name };
  });
}

/** The calls that the code and AWS's services make in this stack. */
export function needsOf(stack: SynthesizedStack, calls: readonly Call[]): Need[] {
  return [
    ...listOf(stack, "aws_lambda_function").flatMap((fn) => needsOfFunction(stack, fn, calls)),
    ...listOf(stack, "aws_cloudwatch_event_target").flatMap((target) => needsOfTarget(stack, target)),
    ...listOf(stack, "aws_cloudwatch_metric_alarm").flatMap((alarm) => needsOfAlarm(stack, alarm)),
  ];
}

function needsOfFunction(stack: SynthesizedStack, fn: Attributes, calls: readonly Call[]): Need[] {
  const [role] = resourcesBehind(stack, fn.role);
  if (role === undefined) throw new Error(`The function ${String(fn.function_name)} has no role of this stack.`);
  const by = role.address;
  const isOwn = (expression: unknown) => referred(stack, expression) === fn;
  const logs = resourcesOf(stack).filter(
    ({ type, attributes }) =>
      type === "aws_cloudwatch_log_group" && attributes.name === `/aws/lambda/${String(fn.function_name)}`,
  );
  const mappings = listOf(stack, "aws_lambda_event_source_mapping").filter((each) => isOwn(each.function_name));
  const destinations = listOf(stack, "aws_lambda_function_event_invoke_config")
    .filter((each) => isOwn(each.function_name))
    .map((each) => block(block(each, "destination_config"), "on_failure").destination)
    .filter((destination) => destination !== undefined);
  return [
    {
      by: "lambda.amazonaws.com",
      action: "sts:AssumeRole",
      on: by,
      reason: `Lambda, which runs \`${nameOf({ type: "aws_lambda_function", address: "", attributes: fn }, stack)}\``,
    },
    ...calls.map(({ action, file }) => ({ by, action, on: undefined, reason: `\`${file}\`` })),
    ...logs.flatMap(({ address }) =>
      ["logs:CreateLogStream", "logs:PutLogEvents"].map((action) => ({
        by,
        action,
        on: address,
        reason: "Lambda, for the function's log",
      })),
    ),
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html, "Execution role permissions".
    ...mappings.flatMap((mapping) =>
      onEach(stack, mapping.event_source_arn, (queue) =>
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map((action) => ({
          by,
          action,
          on: queue.address,
          reason: `Lambda, which polls ${inWords(queue, stack)}`,
        })),
      ),
    ),
    // https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html, "Permissions".
    ...destinations.flatMap((destination) =>
      onEach(stack, destination, (to) => [
        {
          by,
          action: to.type === "aws_sqs_queue" ? "sqs:SendMessage" : "events:PutEvents",
          on: to.address,
          reason: `Lambda, which puts failed runs on ${inWords(to, stack)}`,
        },
      ]),
    ),
  ];
}

function needsOfTarget(stack: SynthesizedStack, target: Attributes): Need[] {
  const rule = referred(stack, target.rule);
  const reason = `EventBridge, for ${inWords({ type: "aws_cloudwatch_event_rule", address: "", attributes: rule }, stack)}`;
  const needs = (to: unknown, why: string) =>
    onEach(stack, to, ({ type, address }) =>
      (ofTarget[type] ?? []).map(({ by, action }) => ({ by, action, on: address, reason: why })),
    );
  return [...needs(target.arn, reason), ...needs(block(target, "dead_letter_config").arn, reason)];
}

/**
 * What a resource has to allow as the target or the dead-letter queue of a rule
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
 */
const ofTarget: Readonly<Record<string, readonly { readonly by: string; readonly action: string }[]>> = {
  aws_lambda_function: [{ by: "events.amazonaws.com", action: "lambda:InvokeFunction" }],
  aws_sqs_queue: [{ by: "events.amazonaws.com", action: "sqs:SendMessage" }],
  aws_sns_topic: [{ by: "events.amazonaws.com", action: "sns:Publish" }],
  aws_cloudwatch_log_group: ["events.amazonaws.com", "delivery.logs.amazonaws.com"].flatMap((by) =>
    ["logs:CreateLogStream", "logs:PutLogEvents"].map((action) => ({ by, action })),
  ),
};

function needsOfAlarm(stack: SynthesizedStack, alarm: Attributes): Need[] {
  const by = "cloudwatch.amazonaws.com";
  return [...texts(alarm.alarm_actions), ...texts(alarm.ok_actions)].flatMap((action) =>
    onEach(stack, action, (topic) => [
      { by, action: "sns:Publish", on: topic.address, reason: "CloudWatch, when an alarm rings" },
      // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: the publisher needs both.
      ...onEach(stack, topic.attributes.kms_master_key_id, (key) =>
        ["kms:GenerateDataKey", "kms:Decrypt"].map((each) => ({
          by,
          action: each,
          on: key.address,
          reason: `CloudWatch, because ${inWords(topic, stack)} is encrypted`,
        })),
      ),
    ]),
  );
}

function onEach(stack: SynthesizedStack, expression: unknown, toNeeds: (resource: Resource) => Need[]): Need[] {
  return expression === undefined ? [] : resourcesBehind(stack, expression).flatMap(toNeeds);
}

/** @returns the needs that a statement meets, for one of its actions. */
export function needsMetBy(
  stack: SynthesizedStack,
  statement: Statement,
  action: string,
  needs: readonly Need[],
): Need[] {
  if (statement.effect === "Deny") return [];
  const who = statement.principals.map(keyOf);
  const on = statement.resources.flatMap((text) => resourcesBehind(stack, text)).map(({ address }) => address);
  return needs.filter(
    (need) => need.action === action && who.includes(need.by) && (need.on === undefined || on.includes(need.on)),
  );
}

function keyOf(principal: Principal): string {
  if (principal.kind === "role") return principal.role.address;
  if (principal.kind === "everybody") return "*";
  return principal.kind === "boundary" ? "boundary" : principal.name;
}

/**
 * Lists the permissions that nothing needs, and the calls that no permission allows.
 *
 * An account's permissions on its own key are for people and Terraform, who manage the key, so no code needs them.
 */
export function findIamProblems(stack: SynthesizedStack, needs: readonly Need[]): string[] {
  const statements = statementsOf(stack).filter(({ effect }) => effect === "Allow");
  const met = new Set(
    statements.flatMap((statement) =>
      statement.actions.flatMap((action) => needsMetBy(stack, statement, action, needs)),
    ),
  );
  const unused = statements
    .filter(({ principals }) => !principals.every(({ kind }) => kind === "account"))
    .flatMap((statement) =>
      statement.actions
        .filter((action) => needsMetBy(stack, statement, action, needs).length === 0)
        .map((action) => `The statement ${statement.sid} allows ${action}, which no code and no service here needs.`),
    );
  const missing = needs
    .filter((need) => !met.has(need))
    .map(({ action, by, on, reason }) => {
      const where = on === undefined ? "" : ` on ${on}`;
      return `${reason.replaceAll("`", "")} needs ${action}${where}, and no statement allows it to ${by}.`;
    });
  return [...new Set([...unused, ...missing])];
}

function listIn(value: unknown): Attributes[] {
  return [value ?? []].flat() as Attributes[];
}

function texts(value: unknown): string[] {
  return [value ?? []].flat().map(String);
}
