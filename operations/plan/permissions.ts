import { type Block, code } from "./markdown";
import { parsedJson } from "./differences";
import {
  type ChangedGrant,
  compareGrants,
  type Conditions,
  type Grant,
  grantsOf,
  letsMoreThrough,
  otherThan,
  wideningsOf,
} from "./grants";
import { first, kindOf, type Naming, unmade } from "./naming";
import { type Change, type ResourceChange, type TerraformPlan } from "./terraform-json";

/** What a plan changes about who may do what, in words. */

/** The attributes that hold a policy document, by type, and whom it is about. */
const policies: Readonly<Record<string, readonly { readonly attribute: string; readonly about: About }[]>> = {
  aws_cloudwatch_event_bus_policy: [{ attribute: "policy", about: "resource" }],
  aws_cloudwatch_log_resource_policy: [{ attribute: "policy_document", about: "resource" }],
  aws_iam_group_policy: [{ attribute: "policy", about: "holder" }],
  aws_iam_policy: [{ attribute: "policy", about: "holder" }],
  aws_iam_role: [{ attribute: "assume_role_policy", about: "trust" }],
  aws_iam_role_policy: [{ attribute: "policy", about: "holder" }],
  aws_iam_user_policy: [{ attribute: "policy", about: "holder" }],
  aws_kms_key: [{ attribute: "policy", about: "resource" }],
  aws_kms_key_policy: [{ attribute: "policy", about: "resource" }],
  aws_s3_bucket: [{ attribute: "policy", about: "resource" }],
  aws_s3_bucket_policy: [{ attribute: "policy", about: "resource" }],
  aws_ses_identity_policy: [{ attribute: "policy", about: "resource" }],
  aws_sesv2_email_identity_policy: [{ attribute: "policy", about: "resource" }],
  aws_sns_topic: [{ attribute: "policy", about: "resource" }],
  aws_sns_topic_policy: [{ attribute: "policy", about: "resource" }],
  aws_sqs_queue: [{ attribute: "policy", about: "resource" }],
  aws_sqs_queue_policy: [{ attribute: "policy", about: "resource" }],
};

/** A role's own policy, a role's trust, or the policy of something that others use. */
type About = "holder" | "trust" | "resource";

/** The attributes that this part of the summary tells, so that no other part does. */
export const isToldAsPermission = (type: string, attribute: string): boolean =>
  type === "aws_lambda_permission" || (policies[type] ?? []).some((policy) => policy.attribute === attribute);

/** Whether everything about the resource is told here. */
export const isOnlyPermission = (type: string): boolean =>
  type === "aws_lambda_permission" ||
  (type in policies &&
    !["aws_iam_role", "aws_kms_key", "aws_s3_bucket", "aws_sns_topic", "aws_sqs_queue"].includes(type));

/** One line of the summary. */
interface Sentence {
  readonly text: string;
  /** What deserves a second look; empty where nothing does. */
  readonly widenings: readonly string[];
}

/** Describes the changes of all policies, those that widen them first. */
export function describePermissions(plan: TerraformPlan, naming: Naming): Block[] {
  const sentences = plan.resource_changes
    .filter(({ mode, change }) => mode === "managed" && !["no-op", "forget"].includes(change.actions[0] ?? ""))
    .flatMap((resource) => sentencesOf(resource, plan, naming));
  const sorted = [
    ...sentences.filter(({ widenings }) => widenings.length > 0),
    ...sentences.filter(({ widenings }) => widenings.length === 0),
  ];
  return sorted.map(({ text, widenings }) => ({
    text: widenings.length === 0 ? `- ${text}` : `- ⚠️ **Wider** (${[...new Set(widenings)].join("; ")}): ${text}`,
  }));
}

function sentencesOf(resource: ResourceChange, plan: TerraformPlan, naming: Naming): Sentence[] {
  const { address, type, change } = resource;
  if (type === "aws_lambda_permission") {
    const grants = (values: unknown) => (values === null ? [] : [permissionGrant(first(values), naming)]);
    const name = String(first(change.after ?? change.before).function_name);
    const subject: Subject = { about: "resource", what: `function ${code(naming.short(name))}` };
    return told(grants(change.before), grants(change.after), subject, naming);
  }
  if (type === "aws_iam_role_policy_attachment") return attachment(change, naming);
  return (policies[type] ?? []).flatMap(({ attribute, about }) => {
    const subject = subjectOf(resource, about, naming);
    const before = documentOf(first(change.before)[attribute]);
    const read = isMarked(change.after_unknown, attribute)
      ? deferredDocument(plan, address, attribute)
      : documentOf(first(change.after)[attribute]);
    if (isMarked(change.before_sensitive, attribute) || isMarked(change.after_sensitive, attribute)) {
      return before === undefined && read === undefined
        ? []
        : [
            {
              text: `The policy of ${subject.what} is sensitive, so its change is not shown.`,
              widenings: ["not shown"],
            },
          ];
    }
    if (read === "unknown") {
      const text = `The policy of ${subject.what} is known only after the apply.`;
      return [{ text, widenings: ["not known yet"] }];
    }
    return told(
      before === undefined ? [] : grantsOf(before),
      read === undefined ? [] : grantsOf(read),
      subject,
      naming,
    );
  });
}

interface Subject {
  readonly about: About;
  /** In words, with its code spans. */
  readonly what: string;
}

function subjectOf({ address, type, change }: ResourceChange, about: About, naming: Naming): Subject {
  const values = first(change.after ?? change.before);
  const roleName = type === "aws_iam_role" ? values.name : values.role;
  if (typeof roleName === "string" && about === "trust") return { about, what: `role ${code(naming.short(roleName))}` };
  if (typeof roleName === "string") {
    const { kind, name } = naming.holderOf(roleName);
    return { about, what: `${kind} ${code(name)}` };
  }
  const kind = kindOf(type).replace(/^policy (of the|for) /, "");
  return { about, what: `${kind} ${code(naming.nameOf(address, type, values))}` };
}

function told(before: readonly Grant[], after: readonly Grant[], subject: Subject, naming: Naming): Sentence[] {
  const { added, removed, changed } = compareGrants(before, after);
  const isOwn = (resource: string) => naming.ofArn(resource) !== undefined;
  const isTrust = subject.about === "trust";
  const known = new Set(before.filter(({ effect }) => effect === "Allow").map(({ principal }) => principal));
  return [
    ...grouped(added, (grant) => [
      ...wideningsOf(isTrust ? { ...grant, resource: "" } : grant, isOwn),
      ...(before.length > 0 && grant.effect === "Allow" && grant.principal !== undefined && !known.has(grant.principal)
        ? ["a new principal"]
        : []),
    ]).map(({ grants, widenings }) => ({ text: sentence(grants, subject, naming, "added"), widenings })),
    ...grouped(removed, ({ effect }) => (effect === "Deny" ? ["a denial is gone"] : [])).map(
      ({ grants, widenings }) => ({
        text: sentence(grants, subject, naming, "removed"),
        widenings,
      }),
    ),
    ...groupedChanges(changed).map((changes) => changeSentence(changes, subject, naming)),
  ];
}

/** Puts together what differs only in its actions, and then what differs only in its resources. */
function grouped(
  grants: readonly Grant[],
  wideningsOfGrant: (grant: Grant) => readonly string[],
): { readonly grants: readonly Grant[]; readonly widenings: readonly string[] }[] {
  const groups = groupBy(grants, (grant) =>
    JSON.stringify([
      grant.effect,
      grant.principal,
      grant.conditions,
      wideningsOfGrant(grant),
      actionsOf(grants, grant),
    ]),
  );
  return groups.map((group) => ({
    grants: group,
    widenings: group[0] === undefined ? [] : wideningsOfGrant(group[0]),
  }));
}

/** The actions that are granted like this one, on the same resource. */
const actionsOf = (grants: readonly Grant[], { effect, principal, resource, conditions }: Grant): string[] =>
  grants
    .filter((each) => each.effect === effect && each.principal === principal && each.resource === resource)
    .filter((each) => JSON.stringify(each.conditions) === JSON.stringify(conditions))
    .map(({ action }) => action)
    .sort();

const groupedChanges = (changed: readonly ChangedGrant[]): ChangedGrant[][] =>
  groupBy(changed, ({ before, after }) =>
    JSON.stringify([before.effect, before.principal, before.conditions, after.conditions]),
  );

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

function sentence(grants: readonly Grant[], subject: Subject, naming: Naming, way: "added" | "removed"): string {
  const [one] = grants;
  if (one === undefined) return "";
  const may =
    one.effect === "Allow"
      ? way === "added"
        ? "**may now**"
        : "**may no longer**"
      : way === "added"
        ? "**is now denied**"
        : "**is no longer denied**";
  return `${who(one, subject, naming)} ${may} ${deed(grants, subject, naming)}${when(one.conditions, naming)}.`;
}

function changeSentence(changes: readonly ChangedGrant[], subject: Subject, naming: Naming): Sentence {
  const [one] = changes;
  if (one === undefined) return { text: "", widenings: [] };
  const { before, after } = one;
  const isWider =
    before.effect === "Allow"
      ? letsMoreThrough(before.conditions, after.conditions)
      : letsMoreThrough(after.conditions, before.conditions);
  const isBare = Object.keys(after.conditions).length === 0;
  const may = before.effect === "Allow" ? "may still" : "is still denied";
  const condition = isBare ? "**without a condition**" : `on **another condition**:${when(after.conditions, naming)}`;
  const was =
    Object.keys(before.conditions).length === 0 ? "without a condition" : when(before.conditions, naming).trim();
  const grants = changes.map((each) => each.after);
  return {
    text: `${who(before, subject, naming)} ${may} ${deed(grants, subject, naming)}, now ${condition} (before: ${was}).`,
    widenings: isWider ? [isBare ? "the condition is gone" : "the condition lets more through"] : [],
  };
}

function who({ principal }: Grant, subject: Subject, naming: Naming): string {
  return capital(principal === undefined ? subject.what : principalText(principal, naming));
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function principalText(principal: string, naming: Naming): string {
  if (principal.startsWith(otherThan)) return `everyone but ${code(principal.slice(otherThan.length))}`;
  if (principal === "*") return "everyone";
  const [kind = "", ...rest] = principal.split(" ");
  const name = rest.join(" ");
  if (kind === "Service") return `the service ${code(name)}`;
  const account = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(name)?.[1];
  if (account !== undefined)
    return `${account === naming.place.account ? "this account" : "the account"} ${code(account)}`;
  if (kind === "Federated") return `who comes from ${code(name)}`;
  return resourceText(name, naming);
}

/** What is done, and to what. */
function deed(grants: readonly Grant[], subject: Subject, naming: Naming): string {
  const actions = [...new Set(grants.map(({ action }) => actionText(action)))].sort().join(", ");
  if (subject.about === "trust") return `${actions} of ${subject.what}`;
  const resources = [...new Set(grants.map(({ resource }) => resourceText(resource, naming)))].sort();
  // A resource's own policy mostly names the resource itself.
  const isSelf = resources.length === 1 && resources[0] === subject.what;
  const on = isSelf || subject.about === "holder" ? resources : [...resources, `(policy of ${subject.what})`];
  return `${actions} on ${on.join(", ").replaceAll(", (", " (")}`;
}

const actionText = (action: string): string =>
  action.startsWith(otherThan) ? `everything but ${code(action.slice(otherThan.length))}` : code(action);

function resourceText(resource: string, naming: Naming): string {
  if (resource === "*") return "**every resource**";
  if (resource.startsWith(otherThan)) return `everything but ${code(resource.slice(otherThan.length))}`;
  const own = naming.ofArn(resource);
  return own === undefined ? code(resource) : `${own.kind} ${code(own.name)}`;
}

/** ` if ..`, or nothing. */
function when(conditions: Conditions, naming: Naming): string {
  const parts = Object.entries(conditions).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => {
      const texts = values.map((value) => resourceOrText(value, naming));
      return `${code(key)} ${code(operator)} ${texts.join(" or ")}`;
    }),
  );
  return parts.length === 0 ? "" : ` if ${parts.join(" and ")}`;
}

const resourceOrText = (value: string, naming: Naming): string => {
  const own = naming.ofArn(value);
  return own === undefined ? code(value) : `${own.kind} ${code(own.name)}`;
};

function attachment({ actions, before, after }: Change, naming: Naming): Sentence[] {
  return [
    { values: first(before), verb: "**no longer has**", is: actions.includes("delete") || actions.includes("update") },
    { values: first(after), verb: "**now has**", is: actions.includes("create") || actions.includes("update") },
  ]
    .filter(({ is, values }) => is && Object.keys(values).length > 0)
    .map(({ values, verb }) => {
      const { kind, name } = naming.holderOf(String(values.role));
      const policy = typeof values.policy_arn === "string" ? code(values.policy_arn) : "a policy of this plan";
      const widenings = verb.includes("now has") ? ["a whole policy"] : [];
      return { text: `${capital(kind)} ${code(name)} ${verb} everything that ${policy} grants.`, widenings };
    });
}

/** A permission to call a function, as the statement that Lambda makes of it. */
function permissionGrant(values: Readonly<Record<string, unknown>>, naming: Naming): Grant {
  const { principal, action, source_arn: arn, source_account: account, principal_org_id: organization } = values;
  const name = String(principal);
  const conditions = {
    ...(typeof arn === "string" && arn !== "" ? { ArnLike: { "aws:SourceArn": [arn] } } : {}),
    ...(typeof account === "string" && account !== "" ? { StringEquals: { "aws:SourceAccount": [account] } } : {}),
    ...(typeof organization === "string" && organization !== ""
      ? { StringEquals: { "aws:PrincipalOrgID": [organization] } }
      : {}),
  };
  return {
    effect: "Allow",
    principal: name === "*" ? "*" : name.endsWith(".amazonaws.com") ? `Service ${name}` : `AWS ${name}`,
    action: String(action),
    resource: naming.arnOfFunction(String(values.function_name)),
    conditions,
  };
}

const isMarked = (marks: unknown, attribute: string): boolean => marks === true || first(marks)[attribute] === true;

function documentOf(value: unknown): object | undefined {
  return typeof value === "string" ? parsedJson(value) : undefined;
}

/** Stands for a value of which the plan has nothing. */
const unknownValue = "(known after apply)";

/**
 * The policy document that is known only after the apply, as far as the plan has it: Terraform reads the data source
 * of it during the apply, where it names a resource that is yet to be made.
 */
function deferredDocument(plan: TerraformPlan, address: string, attribute: string): object | "unknown" {
  const configured = plan.configuration?.root_module?.resources ?? [];
  const expression = first(configured.find((each) => each.address === address)?.expressions?.[attribute]);
  const source = strings(expression.references).find((each) => /^data\.aws_iam_policy_document\.[\w-]+$/.test(each));
  const read = plan.resource_changes.find((each) => each.address === source);
  const statements = first(read?.change.after).statement;
  if (!Array.isArray(statements)) return "unknown";
  const expressions = first(configured.find((each) => each.address === source)?.expressions).statement;
  return {
    Statement: statements.map((each: unknown, index) => {
      const references = first(Array.isArray(expressions) ? (expressions as unknown[])[index] : undefined);
      return statementOf(first(each), references, plan);
    }),
  };
}

/** Turns a statement of `aws_iam_policy_document` into one of IAM. */
function statementOf(
  statement: Readonly<Record<string, unknown>>,
  expressions: Readonly<Record<string, unknown>>,
  plan: TerraformPlan,
): object {
  const known = (value: unknown, expression: unknown) => withReferences(value, expression, plan);
  const principals = (name: "principals" | "not_principals") => {
    const blocks = blocksOf(statement[name]);
    return Object.fromEntries(
      blocks.map((each, index) => [
        String(each.type),
        known(each.identifiers, first(blocksOf(expressions[name])[index]).identifiers),
      ]),
    );
  };
  const conditions: Record<string, Record<string, string[]>> = {};
  for (const [index, each] of blocksOf(statement.condition).entries()) {
    const values = known(each.values, first(blocksOf(expressions.condition)[index]).values);
    conditions[String(each.test)] = { ...conditions[String(each.test)], [String(each.variable)]: values };
  }
  const has = (name: string) => Array.isArray(statement[name]) && (statement[name] as unknown[]).length > 0;
  return {
    Effect: statement.effect ?? "Allow",
    ...(has("principals") ? { Principal: principals("principals") } : {}),
    ...(has("not_principals") ? { NotPrincipal: principals("not_principals") } : {}),
    ...(has("actions") ? { Action: known(statement.actions, expressions.actions) } : {}),
    ...(has("not_actions") ? { NotAction: known(statement.not_actions, expressions.not_actions) } : {}),
    ...(has("resources") ? { Resource: known(statement.resources, expressions.resources) } : {}),
    ...(has("not_resources") ? { NotResource: known(statement.not_resources, expressions.not_resources) } : {}),
    ...(Object.keys(conditions).length > 0 ? { Condition: conditions } : {}),
  };
}

/** The values, with the new resources that the configuration names in place of those that are not known. */
function withReferences(values: unknown, expression: unknown, plan: TerraformPlan): string[] {
  const all = Array.isArray(values) ? (values as unknown[]) : [];
  const known = all.filter((value) => typeof value === "string");
  if (known.length === all.length) return known;
  const addresses = strings(first(expression).references);
  const made = plan.resource_changes.filter(
    ({ address, change }) => addresses.includes(address) && change.actions.includes("create"),
  );
  return [...known, ...(made.length > 0 ? made.map(({ address }) => unmade(address)) : [unknownValue])];
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

const blocksOf = (value: unknown): Readonly<Record<string, unknown>>[] =>
  (Array.isArray(value) ? (value as unknown[]) : []).map(first);
