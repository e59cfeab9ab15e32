/** The part of Terraform's JSON that the rules read: resource type, then logical id, then attributes. */
export interface SynthesizedStack {
  readonly terraform?: { readonly backend?: Attributes };
  readonly provider?: Readonly<Record<string, readonly Attributes[]>>;
  readonly resource?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly data?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly module?: Readonly<Record<string, Attributes>>;
}

export type Attributes = Readonly<Record<string, unknown>>;

export function all(kind: SynthesizedStack["resource"], type: string): [string, Attributes][] {
  return Object.entries(kind?.[type] ?? {});
}

/** The blocks of an attribute. Terraform reads a single one as a list of one. */
export function objects(value: unknown): readonly Attributes[] {
  return ([value] as unknown[]).flat().filter((each): each is Attributes => typeof each === "object" && each !== null);
}

/** The texts of an attribute. Terraform reads an expression in place of a list, and so do the rules: as its one text. */
export function strings(value: unknown): string[] {
  return [value ?? []].flat().map(String);
}

/** The block of an attribute that is not repeated: Terraform takes an object, or a list of one. */
export function block(value: unknown): Attributes {
  return objects(value)[0] ?? {};
}

/** Whether the statement names the action. IAM compares actions without regard to case. */
export function namesAction({ actions }: Attributes, action: string): boolean {
  return strings(actions).some((each) => each.toLowerCase() === action.toLowerCase());
}

export function isReference(value: unknown): boolean {
  return typeof value === "string" && /^\$\{(data\.)?aws_[^}]*\}$/.test(value);
}

/**
 * Terraform's address of what an expression refers to, for example `aws_sqs_queue.<id>` for `${aws_sqs_queue.<id>.arn}`.
 * @returns the text itself where it is no expression of this form.
 */
export function addressBehind(expression: unknown): string {
  const text = String(expression);
  return /^\$\{((?:data\.)?[a-z0-9_]+\.[\w-]+)\.\w+\}$/.exec(text)?.[1] ?? text;
}

/** A resource of the stack, with Terraform's address. */
export interface Found {
  readonly address: string;
  readonly type: string;
  readonly attributes: Attributes;
}

/** The resource of the stack that `${<type>.<id>.<attribute>}` refers to. */
export function resourceBehind(stack: SynthesizedStack, expression: unknown): Found | undefined {
  const address = addressBehind(expression);
  const [type = "", id = ""] = address.split(".");
  const attributes = stack.resource?.[type]?.[id];
  return attributes === undefined ? undefined : { address, type, attributes };
}

/** Every resource and data source of the stack, with Terraform's address. */
export function everything({ resource = {}, data = {} }: SynthesizedStack): Found[] {
  const of = (kinds: NonNullable<SynthesizedStack["resource"]>, prefix: string) =>
    Object.entries(kinds).flatMap(([type, all]) =>
      Object.entries(all).map(([id, attributes]) => ({ address: `${prefix}${type}.${id}`, type, attributes })),
    );
  return [...of(resource, ""), ...of(data, "data.")];
}

/** The physical name of a resource, where it is known at synth. */
export function nameOf({ type, attributes }: Pick<Found, "type" | "attributes">): string | undefined {
  const name = attributes[nameLimits[type]?.attribute ?? "name"];
  return typeof name === "string" ? name : undefined;
}

/**
 * Whether an ARN, as IAM reads it, covers the resource: by reference, or by its name as the last part. A `*` at the end
 * stands for whatever follows.
 */
export function covers(arn: unknown, resource: Found): boolean {
  if (addressBehind(arn) === resource.address) return true;
  const name = nameOf(resource);
  const text = String(arn);
  if (name === undefined) return false;
  const isWhole = [":", "/"].some((separator) => text.endsWith(separator + name));
  const front = text.slice(0, -1);
  return isWhole || (text.endsWith("*") && beginsWithPart(name, front));
}

/** Whether the name begins with what follows the last separator of `front` that the name itself does not have. */
function beginsWithPart(name: string, front: string): boolean {
  const part = name.startsWith("/") ? front.slice(front.indexOf(":/") + 1) : front.slice(lastSeparator(front) + 1);
  return part !== "" && name.startsWith(part);
}

const lastSeparator = (text: string) => Math.max(text.lastIndexOf(":"), text.lastIndexOf("/"));

/**
 * The statements of the policy document that `${data.aws_iam_policy_document.<id>.json}` refers to, and of the documents
 * that it takes in. As in Terraform, a statement replaces an earlier one of its `sid`: first those of the sources, then the
 * document's own, then the overriding ones.
 */
export function statementsBehind(
  stack: SynthesizedStack,
  reference: unknown,
  seen: readonly string[] = [],
): readonly Attributes[] {
  const id = /^\$\{data\.aws_iam_policy_document\.([\w-]+)\.json\}$/.exec(String(reference))?.[1] ?? "";
  const document = stack.data?.aws_iam_policy_document?.[id];
  if (document === undefined || seen.includes(id)) return [];
  const within = (name: string) =>
    strings(document[name]).flatMap((part) => statementsBehind(stack, part, [...seen, id]));
  const merged = [
    ...within("source_policy_documents"),
    ...objects(document.statement),
    ...within("override_policy_documents"),
  ];
  const isNamed = ({ sid }: Attributes) => typeof sid === "string" && sid !== "";
  return merged.filter((each, at) => !isNamed(each) || !merged.slice(at + 1).some(({ sid }) => sid === each.sid));
}

/** The role of the stack that a text names: by reference, by its name or by its ARN. */
export function roleBehind(stack: SynthesizedStack, text: unknown): Found | undefined {
  const found = resourceBehind(stack, text);
  if (found !== undefined) return found.type === "aws_iam_role" ? found : undefined;
  const [, inArn] = /^arn:[^:]*:iam::[^:]*:role\/(?:.*\/)?([^/]+)$/.exec(String(text)) ?? [];
  const [id, attributes] =
    all(stack.resource, "aws_iam_role").find(([, { name }]) => name !== undefined && name === (inArn ?? text)) ?? [];
  return attributes && { address: `aws_iam_role.${String(id)}`, type: "aws_iam_role", attributes };
}

/** Attachments of policies to roles, by the attribute that names the roles. */
const attachments: Readonly<Record<string, string>> = {
  aws_iam_policy_attachment: "roles",
  aws_iam_role_policy: "role",
  aws_iam_role_policy_attachment: "role",
  aws_iam_role_policy_attachments_exclusive: "role_name",
};

/** The statements of all policies of a role, within it and beside it. */
export function statementsOfRole(stack: SynthesizedStack, text: unknown): readonly Attributes[] {
  const role = roleBehind(stack, text);
  if (role === undefined) return [];
  const beside = Object.entries(attachments).flatMap(([type, name]) =>
    all(stack.resource, type)
      .filter(([, each]) => strings(each[name]).some((one) => roleBehind(stack, one)?.address === role.address))
      .map(([, each]) => each),
  );
  const managed = [
    ...strings(role.attributes.managed_policy_arns),
    ...beside.flatMap((each) => [...strings(each.policy_arn), ...strings(each.policy_arns)]),
  ].map((arn) => resourceBehind(stack, arn)?.attributes.policy);
  return [...objects(role.attributes.inline_policy), ...beside]
    .map(({ policy }) => policy)
    .concat(managed)
    .flatMap((policy) => statementsBehind(stack, policy));
}

/** Whether the policies of the role allow each action on the resource. */
export function roleMay(stack: SynthesizedStack, role: unknown, actions: readonly string[], resource: Found): boolean {
  const statements = statementsOfRole(stack, role).filter(({ effect }) => effect !== "Deny");
  return actions.every((action) =>
    statements.some(
      (statement) =>
        namesAction(statement, action) && strings(statement.resources).some((arn) => covers(arn, resource)),
    ),
  );
}

/** A physical name as its service takes it. */
export interface NameLimit {
  readonly attribute: string;
  /** The most characters. */
  readonly most: number;
  /** What the whole name consists of. @default the service takes any character */
  readonly pattern?: RegExp;
}

const letters = /^[\w-]*$/;
const withDots = /^[\w.-]*$/;
const orFifo = /^[\w-]*(?:\.fifo)?$/;

/**
 * The physical names, by the API reference of each service. `__tests__/stacks/policy-limits.integration.test.ts` holds them against
 * AWS's own models.
 */
export const nameLimits: Readonly<Record<string, NameLimit>> = {
  aws_cloudwatch_composite_alarm: { attribute: "alarm_name", most: 255 },
  aws_cloudwatch_dashboard: { attribute: "dashboard_name", most: 255, pattern: letters },
  aws_cloudwatch_event_api_destination: { attribute: "name", most: 64, pattern: withDots },
  aws_cloudwatch_event_archive: { attribute: "name", most: 48, pattern: withDots },
  aws_cloudwatch_event_bus: { attribute: "name", most: 256, pattern: /^[\w./-]*$/ },
  aws_cloudwatch_event_connection: { attribute: "name", most: 64, pattern: withDots },
  aws_cloudwatch_event_rule: { attribute: "name", most: 64, pattern: withDots },
  aws_cloudwatch_log_group: { attribute: "name", most: 512, pattern: /^[\w./#-]*$/ },
  aws_cloudwatch_log_metric_filter: { attribute: "name", most: 512, pattern: /^[^:*]*$/ },
  aws_cloudwatch_log_resource_policy: { attribute: "policy_name", most: 512 },
  aws_cloudwatch_metric_alarm: { attribute: "alarm_name", most: 255 },
  aws_dynamodb_table: { attribute: "name", most: 255, pattern: withDots },
  aws_iam_group: { attribute: "name", most: 128, pattern: /^[\w+=,.@-]*$/ },
  aws_iam_instance_profile: { attribute: "name", most: 128, pattern: /^[\w+=,.@-]*$/ },
  aws_iam_policy: { attribute: "name", most: 128, pattern: /^[\w+=,.@-]*$/ },
  aws_iam_role: { attribute: "name", most: 64, pattern: /^[\w+=,.@-]*$/ },
  aws_iam_role_policy: { attribute: "name", most: 128, pattern: /^[\w+=,.@-]*$/ },
  aws_iam_user: { attribute: "name", most: 64, pattern: /^[\w+=,.@-]*$/ },
  aws_kms_alias: { attribute: "name", most: 256, pattern: /^[\w:/-]*$/ },
  aws_lambda_function: { attribute: "function_name", most: 64, pattern: letters },
  aws_lambda_permission: { attribute: "statement_id", most: 100, pattern: letters },
  aws_scheduler_schedule: { attribute: "name", most: 64, pattern: withDots },
  aws_ses_template: { attribute: "name", most: 64, pattern: letters },
  aws_sesv2_configuration_set: { attribute: "configuration_set_name", most: 64, pattern: letters },
  aws_sesv2_configuration_set_event_destination: { attribute: "event_destination_name", most: 64, pattern: letters },
  aws_sesv2_contact_list: { attribute: "contact_list_name", most: 64, pattern: letters },
  aws_sns_topic: { attribute: "name", most: 256, pattern: orFifo },
  aws_sqs_queue: { attribute: "name", most: 80, pattern: orFifo },
};

/**
 * The text as Terraform would write it, with a placeholder for each expression. The placeholder is at least as long as
 * the value, because the longest account id, ARN and name are known before the deployment.
 */
export function applied(stack: SynthesizedStack, text: string): string {
  return text.replace(/([$%])\1\{|\$\{([^}]*)\}/g, (_, escaped: string | undefined, expression: string | undefined) =>
    expression === undefined ? `${escaped ?? ""}{` : "x".repeat(longestValue(stack, expression)),
  );
}

function longestValue({ resource }: SynthesizedStack, expression: string): number {
  if (expression.endsWith(".account_id")) return 12;
  if (expression.endsWith(".partition")) return "aws-us-gov".length;
  const [, type = "", id = "", attribute = ""] = /^([a-z0-9_]+)\.([\w-]+)\.(\w+)/.exec(expression) ?? [];
  const name = resource?.[type]?.[id]?.[nameLimits[type]?.attribute ?? ""];
  // A resource without a name has an id that AWS makes: a UUID, or a shorter text.
  const length = typeof name === "string" ? name.length : 64;
  // An ARN adds `arn:<partition>:<service>:<region>:<account>:<type>/`, and a queue's URL adds about as much.
  return attribute === "name" ? length : length + 80;
}
