import * as z from "zod";
// By its name: `z.core` as a value would bring all of Zod, with its languages, into the package.
import { $ZodExactOptional } from "zod/v4/core";
import { type KnownField } from "./problems";

type Schema = z.core.$ZodType;

/** `refuse` is for a command, `ignore` for a fact that others are told of, too. */
export type UnknownFields = "refuse" | "ignore";

/**
 * How an event's detail is read, whatever schema a notification has: strict about names, lenient about forms.
 *
 * - A field that the schema does not know is refused at every level, or, with `ignore`, dropped. Where it differs from a
 *   known one by case only, it is refused always: it is meant to be the known one. A schema that takes any field
 *   (`z.looseObject`, `z.record`, a catchall) goes on doing so.
 * - `null` for an optional field is the same as absent, unless the schema takes `null` itself.
 * - A number or a boolean is taken as its text where the schema wants a text, but not for one of a list of texts
 *   (`z.enum`, `z.literal`), nor where another alternative of a union takes it as it is.
 *
 * The schema is rewritten for it, node by node (https://zod.dev/library-authors): what reads the event is Zod itself.
 * What a transformation or the second half of a pipe gets is no part of the event, and stays as it is.
 */
export function toRequestSchema(schema: Schema, unknownFields: UnknownFields): Schema {
  return new Rewriting(unknownFields, "lenient").of(schema);
}

/** The same, without the leniency: what producers are told. */
export function toStrictSchema(schema: Schema, unknownFields: UnknownFields): Schema {
  return new Rewriting(unknownFields, "exact").of(schema);
}

class Rewriting {
  /** `undefined` while a schema is being rewritten: one that holds itself is met again then. */
  private readonly done = new Map<Schema, Schema | undefined>();
  /** The first try of a union's alternatives: one that takes the value as it is comes before one that needs its text. */
  private readonly exact: Rewriting;

  constructor(
    private readonly unknownFields: UnknownFields,
    private readonly mode: "exact" | "lenient",
  ) {
    this.exact = mode === "exact" ? this : new Rewriting(unknownFields, "exact");
  }

  of(schema: Schema): Schema {
    if (this.done.has(schema)) return this.done.get(schema) ?? z.lazy(() => this.of(schema));
    this.done.set(schema, undefined);
    const rewritten = this.rewrite(schema);
    this.done.set(schema, rewritten);
    return rewritten;
  }

  private rewrite(schema: Schema): Schema {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    const changed = (changes: object) => z.clone(schema, { ...def, ...changes }, { parent: true });
    switch (def.type) {
      case "object":
        return this.object(schema as z.core.$ZodObject);
      case "string":
        return this.mode === "lenient" && def.coerce !== true ? z.preprocess(toText, schema) : schema;
      case "array":
        return changed({ element: this.part(def.element) });
      case "tuple":
        return changed({
          items: def.items.map((item) => this.part(item)),
          rest: def.rest === null ? null : this.part(def.rest),
        });
      case "record":
        return changed({ valueType: this.part(def.valueType) });
      case "union": {
        const options = changed({ options: def.options.map((option) => this.of(option)) });
        // A discriminated union knows by its discriminator which alternative is meant.
        if (this.mode === "exact" || "discriminator" in def) return options;
        return new z.ZodUnion({ type: "union", options: [this.exact.of(schema), options], error: def.error });
      }
      case "intersection":
        return changed({ left: this.of(def.left), right: this.of(def.right) });
      case "optional":
        // What was null is there, as `undefined`, which an exact optional refuses.
        return this.mode === "lenient" && schema instanceof $ZodExactOptional
          ? z.optional(this.of(def.innerType))
          : changed({ innerType: this.of(def.innerType) });
      case "nullable":
      case "default":
      case "prefault":
      case "catch":
      case "readonly":
      case "nonoptional":
        return changed({ innerType: this.of(def.innerType) });
      case "pipe":
        // `z.preprocess` is a transformation first, and its schema reads what that makes of the event.
        return def.in._zod.def.type === "transform"
          ? changed({ out: this.of(def.out) })
          : changed({ in: this.of(def.in) });
      case "lazy":
        return z.lazy(() => this.of((schema as z.core.$ZodLazy)._zod.innerType));
      default:
        return schema;
    }
  }

  private object(schema: z.core.$ZodObject): Schema {
    const { def } = schema._zod;
    const shape = Object.fromEntries(Object.entries(def.shape).map(([name, field]) => [name, this.part(field)]));
    const known = Object.keys(def.shape);
    const catchall = def.catchall === undefined ? undefined : this.part(def.catchall);
    const isStrict = catchall?._zod.def.type === "never" || (catchall === undefined && this.unknownFields === "refuse");
    const changes = isStrict
      ? { catchall: z.never() }
      : { catchall: catchall ?? z.unknown(), checks: [twins(known, catchall !== undefined), ...(def.checks ?? [])] };
    return z.clone(schema, { ...def, shape, ...changes }, { parent: true });
  }

  /** The schema of a field or an element: a place where something can be missing. */
  private part(schema: Schema): Schema {
    const rewritten = this.of(schema);
    if (this.mode === "exact" || schema._zod.optin === undefined) return rewritten;
    const takesNull = () => !isCoerced(schema) && z.safeParse(schema, null).success;
    return z.preprocess((value) => (value === null && !takesNull() ? undefined : value), rewritten);
  }
}

/** Whether `null` would be made something else: the text "null", the number 0. A nullable one takes it as it is. */
function isCoerced(schema: Schema): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "nullable") return false;
  if ("innerType" in def) return isCoerced(def.innerType);
  return "coerce" in def && def.coerce;
}

/**
 * Refuses unknown fields that differ from a known one by case only, and drops the others unless they are kept. It runs
 * also where a field is wrong: all problems are told at once.
 */
function twins(names: readonly string[], keepsOthers: boolean): z.core.$ZodCheck<Record<string, unknown>> {
  const known = new Set(names);
  const byLowerCase = new Map(names.map((name) => [name.toLowerCase(), name]));
  const check = z.check<Record<string, unknown>>((payload) => {
    const { value, issues } = payload;
    if (typeof value !== "object") return;
    const others = Object.keys(value).filter((name) => !known.has(name));
    for (const name of others.filter((other) => byLowerCase.has(other.toLowerCase()))) {
      // Not `unrecognized_keys`: an intersection forgives these where its other half takes the field.
      issues.push({ code: "custom", path: [name], params: { isUnknownField: true }, message: "", input: value });
    }
    if (!keepsOthers) payload.value = Object.fromEntries(Object.entries(value).filter(([name]) => known.has(name)));
  });
  check._zod.def.when = () => true;
  return check;
}

/**
 * The text of a number or a boolean; `undefined` for a number whose text is not the producer's own: JSON did not keep its
 * digits, or JavaScript writes them with an exponent.
 */
export function textOf(value: number | boolean): string | undefined {
  const text = String(value);
  if (typeof value === "boolean") return text;
  const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value) && !text.includes("e");
  return isExact ? text : undefined;
}

function toText(value: unknown, context: z.core.$RefinementCtx): unknown {
  if (typeof value !== "number" && typeof value !== "boolean") return value;
  const text = textOf(value);
  if (text !== undefined) return text;
  context.addIssue({ code: "custom", message: "is a number without an exact text: put it in quotation marks" });
  return z.NEVER;
}

/** The fields that a schema knows, at every level; a recursive schema is followed once into itself. */
export function knownFields(schema: Schema): readonly KnownField[] {
  const holders: Schema[] = [];
  const within = (inner: Schema, path: KnownField): KnownField[] => {
    if (holders.filter((holder) => holder === inner).length > 1) return [];
    holders.push(inner);
    const found = fieldsOf(inner, path);
    holders.pop();
    return found;
  };
  const fieldsOf = (inner: Schema, path: KnownField): KnownField[] => {
    const fields = (each: Readonly<Record<string, Schema>>): KnownField[] =>
      Object.entries(each).flatMap(([name, field]) => [[...path, name], ...within(field, [...path, name])]);
    const { def } = (inner as z.core.$ZodTypes)._zod;
    switch (def.type) {
      case "object":
        return fields(def.shape);
      case "array":
        return within(def.element, [...path, "*"]);
      case "tuple":
        return def.items.flatMap((item, index) => within(item, [...path, String(index)]));
      case "record":
        return [
          ...[...(def.keyType._zod.values ?? [])].map((name) => [...path, String(name)]),
          ...within(def.valueType, [...path, "*"]),
        ];
      case "union":
        return def.options.flatMap((option) => within(option, path));
      case "intersection":
        return [...within(def.left, path), ...within(def.right, path)];
      case "optional":
      case "nullable":
      case "default":
      case "prefault":
      case "catch":
      case "readonly":
      case "nonoptional":
        return within(def.innerType, path);
      case "pipe":
        return within(def.in._zod.def.type === "transform" ? def.out : def.in, path);
      case "lazy":
        return within((inner as z.core.$ZodLazy)._zod.innerType, path);
      default:
        return [];
    }
  };
  return within(schema, []);
}
