import * as z from "zod/mini";
// This is imported by its name, because using `z.core` as a value would bundle all of Zod, with the texts of all
// languages.
import { $ZodExactOptional } from "zod/v4/core";
import { type KnownField } from "./problems";
import { strictCatch, strictDiscriminatedUnion, strictIntersection, strictPipe, strictUnion } from "./strict-nodes";

type Schema = z.core.$ZodType;

/** What happens to fields that a schema does not know; see `NotificationDefinition.unknownFields`. */
export type UnknownFields = "refuse" | "ignore";

/**
 * Makes the schema that an event's detail is read with. It is strict about the names of fields and lenient about the
 * form of values, for every notification alike:
 *
 * - A field that the schema does not know is refused at every level, or dropped with `ignore`. A field that differs
 *   from a known one by case only is always refused, because the known one is meant. A schema that takes any field
 *   (`z.looseObject`, `z.record`, a catchall) still does so.
 * - `null` for an optional field is the same as an absent field, unless the schema takes `null` itself.
 * - A number or a boolean becomes a text where the schema wants a text. This does not hold for a fixed text (`z.enum`,
 *   `z.literal`), nor if another alternative of a union takes the value unchanged.
 *
 * The result is a rewritten Zod schema (https://zod.dev/library-authors), and Zod reads the event with it. The rules
 * also hold within a catch, within a pipe, and in an object that a text was parsed to. They do not hold for what a
 * notification's own transformation has made of fields that were read before, because that is not part of the event.
 */
export function toRequestSchema(schema: Schema, unknownFields: UnknownFields): Schema {
  return new Rewriting(unknownFields, "lenient").of(schema);
}

/** Makes the same schema as `toRequestSchema` without the leniency. Producers get this one. */
export function toStrictSchema(schema: Schema, unknownFields: UnknownFields): Schema {
  return new Rewriting(unknownFields, "exact").of(schema);
}

/**
 * `keep` is for values that are not part of the event. They are read as Zod does it, except that an intersection on
 * which Zod throws reports an issue.
 */
type Mode = UnknownFields | "keep";

class Rewriting {
  /**
   * The rewritten schemas. The entry is `undefined` while a schema is being rewritten, so that a recursive one is
   * noticed.
   */
  private readonly done = new Map<Schema, Schema | undefined>();
  /**
   * For the first try of a union: an alternative that takes the value unchanged is preferred to one that takes its
   * text.
   */
  private readonly exact: Rewriting;
  /** For values that a transformation of the notification has made. */
  private readonly own: Rewriting;

  constructor(
    private readonly unknownFields: Mode,
    private readonly mode: "exact" | "lenient",
  ) {
    this.exact = mode === "exact" ? this : new Rewriting(unknownFields, "exact");
    this.own = unknownFields === "keep" ? this : new Rewriting("keep", "exact");
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
    const isStrict = this.unknownFields !== "keep";
    switch (def.type) {
      case "object":
        return this.object(schema as z.core.$ZodObject);
      case "string":
        return this.mode === "lenient" && def.coerce !== true ? z.pipe(z.transform(toText), schema) : schema;
      case "array":
        return changed({ element: this.part(def.element) });
      case "tuple":
        return changed({
          items: def.items.map((item) => this.part(item)),
          rest: def.rest === null ? null : this.part(def.rest),
        });
      case "record":
        return changed({ valueType: this.part(def.valueType) });
      case "map":
        return changed({ keyType: this.of(def.keyType), valueType: this.of(def.valueType) });
      case "set":
        return changed({ valueType: this.of(def.valueType) });
      case "union": {
        const union = changed({ options: def.options.map((option) => this.of(option)) });
        if (!isStrict) return union;
        // The discriminator decides which alternative is meant, so no alternative is tried first.
        if ("discriminator" in def) return strictDiscriminatedUnion(union as z.core.$ZodDiscriminatedUnion);
        if (this.mode === "exact") return strictUnion(union as z.core.$ZodUnion);
        // The first try leaves the union's checks out, so that they run once, whichever try takes the value.
        const first = changed({ options: def.options.map((option) => this.exact.of(option)), checks: [] });
        return strictUnion(union as z.core.$ZodUnion, strictUnion(first as z.core.$ZodUnion));
      }
      case "intersection":
        return strictIntersection(
          changed({ left: this.of(def.left), right: this.of(def.right) }) as z.core.$ZodIntersection,
        );
      case "optional":
        // `null` has become `undefined`, which an exact optional refuses. So it becomes an ordinary optional.
        return this.mode === "lenient" && schema instanceof $ZodExactOptional
          ? z.optional(this.of(def.innerType))
          : changed({ innerType: this.of(def.innerType) });
      case "nullable":
      case "default":
      case "prefault":
      case "readonly":
      case "nonoptional":
        return changed({ innerType: this.of(def.innerType) });
      case "catch": {
        const caught = changed({ innerType: this.of(def.innerType) });
        return isStrict ? strictCatch(caught as z.core.$ZodCatch) : caught;
      }
      case "pipe": {
        const second = readsEvent(def) ? this : this.own;
        const pipe = changed({ in: this.of(def.in), out: second.of(def.out) });
        // A codec has a transformation between its halves. Zod runs it only if the first half has no issues, so it
        // needs no `strictPipe`.
        return "transform" in def || !isStrict ? pipe : strictPipe(pipe as z.core.$ZodPipe);
      }
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
    if (this.unknownFields === "keep") return z.clone(schema, { ...def, shape, catchall }, { parent: true });
    const isStrict = catchall?._zod.def.type === "never" || (catchall === undefined && this.unknownFields === "refuse");
    const changes = isStrict
      ? { catchall: z.never() }
      : { catchall: catchall ?? z.unknown(), checks: [twins(known, catchall !== undefined), ...(def.checks ?? [])] };
    return z.clone(schema, { ...def, shape, ...changes }, { parent: true });
  }

  /** Rewrites the schema of a field or an element. If it may be missing, `null` counts as missing. */
  private part(schema: Schema): Schema {
    const rewritten = this.of(schema);
    if (this.mode === "exact" || schema._zod.optin === undefined) return rewritten;
    const takesNull = () => !isCoerced(schema) && z.safeParse(schema, null).success;
    return z.pipe(
      z.transform((value) => (value === null && !takesNull() ? undefined : value)),
      rewritten,
    );
  }
}

/**
 * Whether the second half of a pipe reads the event. It does if the first half does not name the fields, as in
 * `z.unknown().pipe(..)`, `z.preprocess(..)` or a text that contains JSON.
 */
function readsEvent({ in: first }: z.core.$ZodPipeDef): boolean {
  return isOpenBehind(first, namingOf(first, new Set()));
}

function isOpenBehind(first: Schema, { isNamed, isOpen }: Naming): boolean {
  return !isNamed || (isOpen && !isTransforming(first));
}

interface Naming {
  /** Whether the schema contains an object whose fields it names. */
  readonly isNamed: boolean;
  /** Whether the schema contains a place that takes fields without naming them. */
  readonly isOpen: boolean;
}

function namingOf(schema: Schema, met: Set<Schema>): Naming {
  if (met.has(schema)) return { isNamed: false, isOpen: false };
  met.add(schema);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "pipe") {
    const first = namingOf(def.in, met);
    return isOpenBehind(def.in, first) ? either(first, namingOf(def.out, met)) : first;
  }
  const isLoose = def.type === "object" && def.catchall !== undefined && def.catchall._zod.def.type !== "never";
  const own = { isNamed: def.type === "object" && !isLoose, isOpen: isLoose || takesAnyField.has(def.type) };
  return partsOf(schema).reduce<Naming>((found, part) => either(found, namingOf(part.schema, met)), own);
}

function either(one: Naming, other: Naming): Naming {
  return { isNamed: one.isNamed || other.isNamed, isOpen: one.isOpen || other.isOpen };
}

const takesAnyField: ReadonlySet<string> = new Set(["any", "unknown", "custom", "transform", "record"]);

function isTransforming(schema: Schema): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type !== "pipe") return def.type === "transform";
  return "transform" in def || isTransforming(def.in) || isTransforming(def.out);
}

/** Whether the schema would turn `null` into something else, such as the text "null" or the number 0. */
function isCoerced(schema: Schema): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "nullable") return false;
  if ("innerType" in def) return isCoerced(def.innerType);
  return "coerce" in def && def.coerce;
}

/**
 * Makes a check that refuses unknown fields which differ from a known one by case only, and drops other unknown fields
 * unless `keepsOthers` is set. It also runs if a field is wrong, so that all problems are reported at once.
 */
function twins(names: readonly string[], keepsOthers: boolean): z.core.$ZodCheck<Record<string, unknown>> {
  const known = new Set(names);
  const byLowerCase = new Map(names.map((name) => [name.toLowerCase(), name]));
  const check = z.check<Record<string, unknown>>((payload) => {
    const { value, issues } = payload;
    // The check also runs if the value is not an object.
    if (typeof value !== "object" || (value as unknown) === null) return;
    const others = Object.keys(value).filter((name) => !known.has(name));
    for (const name of others.filter((other) => byLowerCase.has(other.toLowerCase()))) {
      // The code is not `unrecognized_keys`, because an intersection ignores that one if its other half takes the
      // field.
      issues.push({ code: "custom", path: [name], params: { isUnknownField: true }, message: "", input: value });
    }
    if (!keepsOthers) payload.value = Object.fromEntries(Object.entries(value).filter(([name]) => known.has(name)));
  });
  check._zod.def.when = () => true;
  return check;
}

/**
 * Returns the text of a number or a boolean. It returns `undefined` if the text may differ from what the producer
 * wrote: the number is too large for all its digits to be kept, or JavaScript writes it with an exponent.
 */
export function textOf(value: number | boolean): string | undefined {
  const text = String(value);
  if (typeof value === "boolean") return text;
  const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value) && !text.includes("e");
  return isExact ? text : undefined;
}

function toText(value: unknown, { issues }: z.core.ParsePayload): unknown {
  if (typeof value !== "number" && typeof value !== "boolean") return value;
  const text = textOf(value);
  if (text !== undefined) return text;
  issues.push({
    code: "custom",
    message: "is a number without an exact text: put it in quotation marks",
    input: value,
  });
  return z.NEVER;
}

/**
 * A schema within another one, and the path of its values within those of the other: `*` stands for any element or key.
 */
interface Part {
  readonly schema: Schema;
  readonly step: KnownField;
}

/** Lists the schemas that a schema consists of, as far as they read the event. */
function partsOf(schema: Schema): readonly Part[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const here = (...schemas: readonly Schema[]): Part[] => schemas.map((part) => ({ schema: part, step: [] }));
  const any = (...schemas: readonly Schema[]): Part[] => schemas.map((part) => ({ schema: part, step: ["*"] }));
  switch (def.type) {
    case "object":
      return [
        ...Object.entries(def.shape).map(([name, field]) => ({ schema: field, step: [name] })),
        ...(def.catchall === undefined ? [] : any(def.catchall)),
      ];
    case "array":
      return any(def.element);
    case "tuple":
      return [
        ...def.items.map((item, index) => ({ schema: item, step: [String(index)] })),
        ...(def.rest === null ? [] : any(def.rest)),
      ];
    case "record":
    case "map":
    case "set":
      return any(def.valueType);
    case "union":
      return here(...def.options);
    case "intersection":
      return here(def.left, def.right);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "catch":
    case "readonly":
    case "nonoptional":
      return here(def.innerType);
    case "pipe":
      return here(def.in, ...(readsEvent(def) ? [def.out] : []));
    case "lazy":
      return here(innerOf(schema, def));
    default:
      return [];
  }
}

const innerOfLazy = new WeakMap<Schema, Schema>();

/**
 * Returns the schema that a lazy one stands for. Zod's own `innerType` can't be used: if it is read before that schema
 * is defined, it throws, and is `undefined` from then on.
 */
function innerOf(lazy: Schema, { getter }: z.core.$ZodLazyDef): Schema {
  const inner = innerOfLazy.get(lazy) ?? getter();
  innerOfLazy.set(lazy, inner);
  return inner;
}

/**
 * Yields every schema within a schema with its path, beginning with the schema itself. A recursive schema is followed
 * into itself once.
 */
function* walk(
  schema: Schema,
  path: KnownField = [],
  holders: readonly Schema[] = [],
): Generator<{ schema: Schema; path: KnownField }> {
  if (holders.filter((holder) => holder === schema).length > 1) return;
  yield { schema, path };
  for (const part of partsOf(schema)) yield* walk(part.schema, [...path, ...part.step], [...holders, schema]);
}

/** Lists the fields that a schema knows, at every level. */
export function knownFields(schema: Schema): readonly KnownField[] {
  return [...walk(schema)].flatMap(({ schema: { _zod }, path }) => {
    const { def } = _zod as z.core.$ZodTypes["_zod"];
    const names =
      def.type === "object"
        ? Object.keys(def.shape)
        : def.type === "record"
          ? [...(def.keyType._zod.values ?? [])].map(String)
          : [];
    return names.map((name) => [...path, name]);
  });
}

/**
 * Lists the parts of a notification's schema that `toRequestSchema` can't handle, each as a sentence:
 *
 * - a field that both halves of an intersection change, because it is undefined which change counts,
 * - `z.success()`, which accepts wrong values, and `z.promise()`, which would have to be awaited.
 */
export function schemaProblems(schema: Schema): readonly string[] {
  const problems = [...walk(schema)].flatMap(({ schema: inner, path }) => {
    const { def } = (inner as z.core.$ZodTypes)._zod;
    const name = ["detail", ...path].join(".");
    switch (def.type) {
      case "success":
        return [`${name} is z.success(), which drops what the event has there: check it with a refinement.`];
      case "promise":
        return [`${name} is z.promise(), and an event has no promises: use what it promises.`];
      case "intersection":
        return changedTwice(def).map(
          (field) =>
            `${[name, ...field].join(".")} is changed by both halves of an intersection (by a transformation, a default, ..): let one of them change it.`,
        );
      default:
        return [];
    }
  });
  return [...new Set(problems)];
}

function changedTwice({ left, right }: z.core.$ZodIntersectionDef): readonly KnownField[] {
  const changing = (half: Schema) =>
    [...walk(half)].filter(({ schema, path }) => path.length > 0 && isChanging(schema));
  const others = changing(right);
  return changing(left)
    .filter(({ schema, path }) =>
      others.some((other) => other.schema !== schema && other.path.join("\n") === path.join("\n")),
    )
    .map(({ path }) => path);
}

/** Whether the schema itself may change a value that it takes. */
function isChanging(schema: Schema): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (["pipe", "transform", "default", "prefault", "catch"].includes(def.type)) return true;
  if ("coerce" in def && def.coerce) return true;
  return (def.checks ?? []).some(({ _zod }) => _zod.def.check === "overwrite");
}
