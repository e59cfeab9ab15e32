import { canonical } from "./differences";

/**
 * What a policy grants, as a set: one grant for each principal, action and resource of each statement. So neither the
 * order of statements nor how they are put together matters.
 */
export interface Grant {
  readonly effect: "Allow" | "Deny";
  /** `undefined` in the policy of a role, which is about the role itself. */
  readonly principal: string | undefined;
  /** Begins with `everything but ` for NotAction; `principal` and `resource` do likewise. */
  readonly action: string;
  readonly resource: string;
  /** Operator, then key, then its values. Empty where there is none. */
  readonly conditions: Conditions;
}

export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** How a grant says what a statement names by `NotAction`, `NotResource` or `NotPrincipal`. */
export const otherThan = "everything but ";

/** A grant whose condition differs, and nothing else. */
export interface ChangedGrant {
  readonly before: Grant;
  readonly after: Grant;
}

export interface GrantChanges {
  readonly added: readonly Grant[];
  readonly removed: readonly Grant[];
  readonly changed: readonly ChangedGrant[];
}

/** Reads the grants of a policy document. Keys that IAM does not know are left out, as IAM does. */
export function grantsOf(document: object): Grant[] {
  const statements = list(members(document).Statement);
  return statements.flatMap((each) => {
    const statement = members(each);
    const conditions = conditionsOf(statement.Condition);
    const effect = statement.Effect === "Deny" ? "Deny" : "Allow";
    return principalsOf(statement).flatMap((principal) =>
      named(statement, "Action", "NotAction").flatMap((action) =>
        // The policy of a trust has no resource: it is the role itself.
        (["Resource", "NotResource"].some((name) => name in statement)
          ? named(statement, "Resource", "NotResource")
          : [""]
        ).map((resource) => ({ effect, principal, action, resource, conditions }) satisfies Grant),
      ),
    );
  });
}

/** Compares two sets of grants. */
export function compareGrants(before: readonly Grant[], after: readonly Grant[]): GrantChanges {
  const old = new Map(before.map((grant) => [keyOf(grant), grant]));
  const now = new Map(after.map((grant) => [keyOf(grant), grant]));
  const removed = [...old].filter(([key]) => !now.has(key)).map(([, grant]) => grant);
  const added = [...now].filter(([key]) => !old.has(key)).map(([, grant]) => grant);
  const changed: ChangedGrant[] = [];
  for (const grant of removed) {
    const [other, ...more] = added.filter((each) => coreOf(each) === coreOf(grant) && !isIn(changed, each));
    // Of several with the same core, nobody knows which one has become which.
    if (other !== undefined && more.length === 0) changed.push({ before: grant, after: other });
  }
  return {
    added: added.filter((grant) => !isIn(changed, grant)),
    removed: removed.filter((grant) => !isIn(changed, grant)),
    changed,
  };
}

const isIn = (changed: readonly ChangedGrant[], grant: Grant): boolean =>
  changed.some(({ before, after }) => before === grant || after === grant);

const coreOf = ({ effect, principal = "", action, resource }: Grant): string =>
  // IAM does not tell upper and lower case of an action apart.
  JSON.stringify([effect, principal, action.toLowerCase(), resource]);

const keyOf = (grant: Grant): string => coreOf(grant) + canonical(grant.conditions);

/**
 * Whether the conditions after let more requests through than those before. In doubt they do: a person looks then.
 * A value more lets more through, and a value less does so for the operators of negation.
 */
export function letsMoreThrough(before: Conditions, after: Conditions): boolean {
  return Object.entries(before).some(([operator, keys]) =>
    Object.entries(keys).some(([key, old]) => {
      const now = after[operator]?.[key];
      if (now === undefined) return true;
      const more = now.some((value) => !old.includes(value));
      const fewer = old.some((value) => !now.includes(value));
      return operator.includes("Not") ? fewer : more;
    }),
  );
}

/** What of a new grant deserves a second look, in words; empty where nothing does. */
export function wideningsOf(grant: Grant, isOwn: (resource: string) => boolean): string[] {
  const { effect, principal, action, resource, conditions } = grant;
  if (effect === "Deny") return [];
  const hasSource = Object.values(conditions).some((keys) =>
    Object.keys(keys).some((key) => /^aws:(source|principal)/i.test(key)),
  );
  return [
    ...([action, resource, principal].some((each) => each?.startsWith(otherThan)) ? ["names what is left out"] : []),
    ...(/[*?]/.test(action) ? ["every action of a pattern"] : []),
    ...(/[*?]/.test(resource) && !isOwn(resource) ? ["every resource of a pattern"] : []),
    ...(principal === "*" && !hasSource ? ["everyone"] : []),
    ...(principal?.startsWith("Service ") && resource !== "" && !hasSource ? ["a service on anybody's behalf"] : []),
  ];
}

function principalsOf(statement: Readonly<Record<string, unknown>>): (string | undefined)[] {
  if (statement.Principal !== undefined) return principalNames(statement.Principal);
  if (statement.NotPrincipal !== undefined)
    return [otherThan + principalNames(statement.NotPrincipal).sort().join(", ")];
  return [undefined];
}

/** For example `Service lambda.amazonaws.com`, `AWS arn:..` or `*`. */
function principalNames(principal: unknown): string[] {
  if (typeof principal !== "object" || principal === null) return [String(principal)];
  return Object.entries(principal).flatMap(([kind, names]) =>
    list(names).map((name) => (name === "*" ? "*" : `${kind} ${String(name)}`)),
  );
}

function named(statement: Readonly<Record<string, unknown>>, name: string, not: string): string[] {
  if (statement[not] !== undefined) return [otherThan + list(statement[not]).map(String).sort().join(", ")];
  return list(statement[name]).map(String);
}

function conditionsOf(condition: unknown): Conditions {
  return Object.fromEntries(
    Object.entries(members(condition)).map(([operator, keys]) => [
      operator,
      Object.fromEntries(Object.entries(members(keys)).map(([key, values]) => [key, list(values).map(String).sort()])),
    ]),
  );
}

const list = (value: unknown): unknown[] => (value === undefined || value === null ? [] : [value].flat());

const members = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
