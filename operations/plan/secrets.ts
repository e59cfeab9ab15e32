import { type Change, type TerraformPlan } from "./terraform-json";

/** The shortest text that counts as a secret, in characters: a shorter one is part of many texts. */
const shortest = 5;

/**
 * Hides the plan's secrets also where Terraform does not mark them: an attribute that a provider computes from a secret
 * has no mark in the state.
 */
export function withoutSecrets(plan: TerraformPlan): TerraformPlan {
  const all = [...plan.resource_changes, ...plan.resource_drift].map(({ change }) => change);
  const changes = [...all, ...Object.values(plan.output_changes)];
  const secrets = [
    ...new Set(
      changes.flatMap(({ before, after, before_sensitive, after_sensitive }) => [
        ...secretsIn(before, before_sensitive),
        ...secretsIn(after, after_sensitive),
      ]),
    ),
  ];
  if (secrets.length === 0) return plan;
  const cleaned = (change: Change): Change => ({
    ...change,
    before: hidden(change.before, change.before_sensitive, secrets),
    after: hidden(change.after, change.after_sensitive, secrets),
  });
  const resource = <Item extends { readonly change: Change }>(each: Item): Item => ({
    ...each,
    change: cleaned(each.change),
  });
  return {
    ...plan,
    resource_changes: plan.resource_changes.map(resource),
    resource_drift: plan.resource_drift.map(resource),
    output_changes: Object.fromEntries(
      Object.entries(plan.output_changes).map(([name, each]) => [name, cleaned(each)]),
    ),
  };
}

function secretsIn(value: unknown, marks: unknown): string[] {
  if (typeof value === "string") return marks === true && value.length >= shortest ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => secretsIn(each, marked(marks, name)));
}

/** The value with other texts in place of those that hold a secret. What is marked stays: it is not shown anyway. */
function hidden(value: unknown, marks: unknown, secrets: readonly string[]): unknown {
  if (marks === true) return value;
  if (typeof value === "string") return secrets.some((secret) => value.includes(secret)) ? "(sensitive)" : value;
  if (Array.isArray(value)) return value.map((each, index) => hidden(each, marked(marks, String(index)), secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, hidden(each, marked(marks, name), secrets)]),
  );
}

const marked = (marks: unknown, name: string): unknown =>
  marks === true || (typeof marks === "object" && marks !== null && (marks as Record<string, unknown>)[name]);
