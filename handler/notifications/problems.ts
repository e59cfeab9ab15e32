import { closest, distance } from "fastest-levenshtein";
import type * as z from "zod/mini";
import { maskAddresses } from "../contract/mask";

/** Describes to a producer what is wrong with an event's detail: names and reasons, but no values. */

/** Most problems that a message lists. The first ones are enough to see what is wrong. */
const mostTold = 5;

/** Longest name of a field in a message, in characters. Producers choose the names, so they can have any length. */
const longestName = 60;

/** Path of a field that a schema knows. `*` stands for any element or key. */
export type KnownField = readonly string[];

/**
 * What to say about a field that the schema does not know, if its spelling is not enough to guess what is meant. The
 * keys are names in lower case that consist of letters and digits only.
 */
export type Hints = Readonly<Record<string, string>>;

export interface Vocabulary {
  readonly known: readonly KnownField[];
  readonly hints: Hints;
}

interface Problem {
  readonly path: readonly PropertyKey[];
  /** The reason; `undefined` for a field that the schema does not know. */
  readonly message: string | undefined;
}

/** Makes one line that lists the problems. */
export function tellProblems(issues: readonly z.core.$ZodIssue[], vocabulary: Vocabulary): string {
  const problems = issues.flatMap((issue) => problemsOf(issue, []));
  const told = problems
    .slice(0, mostTold)
    .map(
      ({ path, message }) =>
        `${tellPath(path)}: ${message === undefined ? `is not known${tellMeant(path, vocabulary)}` : maskAddresses(message)}`,
    );
  const others = problems.length - told.length;
  return `${told.join("; ")}${others > 0 ? `; and ${others} more` : ""}`;
}

/** Whether the only problem is that the schema does not know the top-level field `name`. */
export function isOnlyUnknown(name: string, issues: readonly z.core.$ZodIssue[]): boolean {
  return issues
    .flatMap((issue) => problemsOf(issue, []))
    .every(({ path, message }) => message === undefined && path.length === 1 && path[0] === name);
}

function problemsOf(issue: z.core.$ZodIssue, within: readonly PropertyKey[]): readonly Problem[] {
  const path = [...within, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...path, key], message: undefined }));
    case "custom":
      return [{ path, message: issue.params?.isUnknownField === true ? undefined : issue.message }];
    case "invalid_union": {
      // The alternative that is meant is one whose type the value has, so that only fields within the value are wrong.
      // (An alternative that fits except for unknown fields does not come here: `strictUnion` reports its issues
      // itself.)
      const alternatives = issue.errors.map((errors) => errors.flatMap((error) => problemsOf(error, path)));
      const meant = alternatives.find((problems) => problems.every((problem) => problem.path.length > path.length));
      return meant ?? [{ path, message: issue.message }];
    }
    default:
      return [{ path, message: issue.message }];
  }
}

function tellPath(path: readonly PropertyKey[]): string {
  return ["detail", ...path].map((part) => maskAddresses(String(part), longestName)).join(".");
}

/**
 * Guesses what an unknown field is meant to be.
 * @returns `: did you mean ..?`, or the notification's hint about such a field, or an empty text.
 */
export function tellMeant(path: readonly PropertyKey[], { known, hints }: Vocabulary): string {
  const parent = path.slice(0, -1).map(String);
  const name = plain(String(path.at(-1)).slice(0, longestName));
  const isSibling = (field: KnownField) =>
    field.length === path.length && parent.every((part, index) => field[index] === "*" || field[index] === part);
  const siblings = known.filter(isSibling);
  const elsewhere = known.filter((field) => !isSibling(field));
  // `hasOwn` is needed, because a field may be called `constructor`.
  const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
  const sameIn = (fields: readonly KnownField[]) => fields.find((field) => plain(nameOf(field)) === name);
  const same = sameIn(siblings) ?? (hint === undefined ? sameIn(elsewhere) : undefined);
  if (same === undefined && hint !== undefined) return `: ${hint}`;
  const meant = same ?? similarIn(siblings, name) ?? similarIn(elsewhere, name);
  if (meant === undefined) return "";
  return `: did you mean ${tellPath(isSibling(meant) ? [...parent, nameOf(meant)] : meant)}?`;
}

/** Finds the field with the most similar name, if `name` could be a misspelling of it. */
function similarIn(fields: readonly KnownField[], name: string): KnownField | undefined {
  const meant = similarName(name, fields.map(nameOf));
  return fields.find((field) => nameOf(field) === meant);
}

/** Finds the one of `names` that `text` may be a misspelling of. Case, blanks and punctuation do not matter. */
export function similarName(text: string, names: readonly string[]): string | undefined {
  const name = plain(text.slice(0, longestName));
  if (name === "" || names.length === 0) return undefined;
  const plainNames = names.map(plain);
  const nearest = closest(name, plainNames);
  return distance(name, nearest) <= Math.max(1, Math.floor(name.length / 3))
    ? names[plainNames.indexOf(nearest)]
    : undefined;
}

function nameOf(field: KnownField): string {
  return field.at(-1) ?? "";
}

/** Brings names that are meant to be the same to one form, such as `Idempotency-Key` and `idempotency_key`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
