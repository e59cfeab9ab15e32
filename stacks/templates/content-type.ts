import * as z from "zod";
import { isLink, isSafeHtml } from "../../handler/contract/content-types";

/** A single value that a template shows or asks for. */
interface Scalar {
  readonly kind: "text" | "number" | "boolean" | "link" | "markup";
  readonly optional: boolean;
  /** Whether a condition over it can be false while it is there: an empty text, zero, or `false`. */
  readonly canBeFalse: boolean;
  /** The only texts that it can be, where they are known. */
  readonly values?: readonly string[];
}

interface Rows {
  readonly optional: boolean;
  /** The type of each row. It is a function, because a schema may contain itself. */
  readonly row: () => ContentType;
}

/** What a template may do with a value of the content. It is made from the Zod schema of the notification's content. */
export type ContentType =
  | Scalar
  | (Rows & {
      readonly kind: "list";
      /** Rows that the list has at least. */
      readonly least: number;
    })
  | (Rows & { readonly kind: "record" })
  | { readonly kind: "object"; readonly optional: boolean; readonly fields: () => ReadonlyMap<string, ContentType> };

/** A schema that does not say what a template would show. */
export class ContentTypeError extends Error {
  override readonly name = "ContentTypeError";
}

/** Names that a template could not tell from a helper, from a word of Handlebars, or from a form that the synth makes. */
const reserved = /^(?:if|unless|each|with|lookup|log|this|true|false|null|undefined|else|as)$|__/;

/**
 * Reads a type of the content from its schema, as it is after the schema has read it.
 * @param path of the value in the content, for messages.
 * @throws ContentTypeError that names the field, and what to write.
 */
export function contentTypeOf(schema: z.core.$ZodType, path: string): ContentType {
  if (isLink(schema)) return { kind: "link", optional: false, canBeFalse: false };
  if (isSafeHtml(schema)) return { kind: "markup", optional: false, canBeFalse: true };
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "string":
      return { kind: "text", optional: false, canBeFalse: least(schema) === 0 };
    case "template_literal":
      return { kind: "text", optional: false, canBeFalse: true };
    case "enum":
      return literals(z.core.util.getEnumValues(def.entries), path);
    case "literal":
      return literals(def.values, path);
    case "number":
      return { kind: "number", optional: false, canBeFalse: true };
    case "boolean":
      return { kind: "boolean", optional: false, canBeFalse: true };
    case "array":
      return {
        kind: "list",
        optional: false,
        least: least(schema),
        row: once(() => rowTypeOf(def.element, path)),
      };
    case "record":
      return {
        kind: "record",
        optional: false,
        row: once(() => rowTypeOf(def.valueType, path)),
      };
    case "object":
      return { kind: "object", optional: false, fields: once(() => fieldsOf(def.shape, path)) };
    case "union":
      return union(def.options, path);
    case "intersection":
      return both(contentTypeOf(def.left, path), contentTypeOf(def.right, path), path);
    case "optional":
    case "nullable":
      return { ...contentTypeOf(def.innerType, path), optional: true };
    case "nonoptional":
    case "default":
    case "prefault":
      return { ...contentTypeOf(def.innerType, path), optional: takesNull(def.innerType) };
    case "catch":
    case "readonly":
      return contentTypeOf(def.innerType, path);
    case "lazy":
      return lazy(schema as z.core.$ZodLazy, path);
    case "pipe":
      return contentTypeOf(def.out, path);
    default:
      throw new ContentTypeError(
        `${path} has the type ${def.type}, which no template can show: ${insteadOf(def.type)}.`,
      );
  }
}

/** The lazy schemas that are being read. */
const reading = new Set<z.core.$ZodLazy>();

function lazy(schema: z.core.$ZodLazy, path: string): ContentType {
  if (reading.has(schema)) {
    throw new ContentTypeError(
      `${path} is nothing but itself: let z.lazy(..) give an object or a list that contains it.`,
    );
  }
  reading.add(schema);
  try {
    return contentTypeOf(schema._zod.innerType, path);
  } finally {
    reading.delete(schema);
  }
}

function rowTypeOf(schema: z.core.$ZodType, path: string): ContentType {
  const type = contentTypeOf(schema, `${path}[]`);
  if (!type.optional || isScalar(type)) return type;
  throw new ContentTypeError(`${path} has rows that may be missing: let \`map\` leave them out.`);
}

function insteadOf(type: string): string {
  switch (type) {
    case "date":
      return "map it to a text with the formatters of `map`";
    case "bigint":
      return "map it to a text or to a number";
    case "transform":
      return "let `map` change the value, and describe the result";
    case "custom":
      return "use safeHtml() for markup, link() for an address, or a type of Zod";
    default:
      return "use texts, numbers, booleans, lists and objects";
  }
}

/** The least length that the checks of the schema demand. */
function least({ _zod }: z.core.$ZodType): number {
  const bounds = (_zod.def.checks ?? []).map(({ _zod: { def } }) => {
    if ("minimum" in def && def.check === "min_length") return Number(def.minimum);
    return "length" in def && def.check === "length_equals" ? Number(def.length) : 0;
  });
  return Math.max(0, ...bounds);
}

/** Whether `null` is a value of the schema, which a default does not replace. */
const takesNull = (schema: z.core.$ZodType): boolean => z.safeParse(schema, null).success;

const literalKinds: ReadonlyMap<string | undefined, "text" | "number" | "boolean"> = new Map([
  ["string", "text"],
  ["number", "number"],
  ["boolean", "boolean"],
]);

function literals(values: readonly unknown[], path: string): ContentType {
  const present = values.filter((value) => value !== null && value !== undefined);
  const optional = present.length < values.length;
  const kinds = [...new Set(present.map((value) => typeof value))];
  const [only, ...others] = kinds;
  const kind = others.length > 0 ? undefined : literalKinds.get(only);
  if (kind === undefined) {
    throw new ContentTypeError(`${path} may be of several types (${kinds.join(", ")}): use values of one type.`);
  }
  const canBeFalse = present.some((value) => value === "" || value === 0 || value === false);
  return { kind, optional, canBeFalse, ...(kind === "text" ? { values: present.map(String) } : {}) };
}

function fieldsOf(shape: Readonly<Record<string, z.core.$ZodType>>, path: string): ReadonlyMap<string, ContentType> {
  return new Map(
    Object.entries(shape).map(([name, field]) => {
      if (!/^[A-Za-z_]\w*$/.test(name) || reserved.test(name) || name in Object.prototype) {
        throw new ContentTypeError(
          `${path}.${name} has a name that a template can't read: use letters, digits and single underscores, and no word of Handlebars or JavaScript.`,
        );
      }
      return [name, contentTypeOf(field, `${path}.${name}`)];
    }),
  );
}

/** Of several objects, a field that one of them lacks counts as optional. Other alternatives have to be of one kind. */
function union(options: readonly z.core.$ZodType[], path: string): ContentType {
  const isAbsent = ({ _zod }: z.core.$ZodType) => ["undefined", "null", "void"].includes(_zod.def.type);
  const present = options.filter((option) => !isAbsent(option));
  const [first, ...others] = present.map((option) => contentTypeOf(option, path));
  if (first === undefined) throw new ContentTypeError(`${path} is never there: remove it.`);
  const type = others.reduce((one, other) => either(one, other, path), first);
  return { ...type, optional: type.optional || present.length < options.length };
}

/** The type of a value that is of one type or of the other. */
export function either(one: ContentType, other: ContentType, path: string): ContentType {
  const optional = one.optional || other.optional;
  if (one.kind === "object" && other.kind === "object") {
    return {
      kind: "object",
      optional,
      fields: once(() => {
        const [left, right] = [one.fields(), other.fields()];
        return new Map(
          [...new Set([...left.keys(), ...right.keys()])].map((name) => {
            const [a, b] = [left.get(name), right.get(name)];
            const type = a !== undefined && b !== undefined ? either(a, b, `${path}.${name}`) : (a ?? b);
            return [
              name,
              {
                ...(type as ContentType),
                optional: a === undefined || b === undefined || (type as ContentType).optional,
              },
            ];
          }),
        );
      }),
    };
  }
  if (one.kind === "list" && other.kind === "list") {
    const row = once(() => either(one.row(), other.row(), `${path}[]`));
    return { kind: "list", optional, least: Math.min(one.least, other.least), row };
  }
  if (one.kind === "record" && other.kind === "record") {
    return { kind: "record", optional, row: once(() => either(one.row(), other.row(), `${path}[]`)) };
  }
  if (isScalar(one) && isScalar(other) && one.kind === other.kind) {
    const { values, ...scalar } = { ...one, optional, canBeFalse: one.canBeFalse || other.canBeFalse };
    return values === undefined || other.values === undefined
      ? scalar
      : { ...scalar, values: [...values, ...other.values] };
  }
  throw new ContentTypeError(
    `${path} may be of two types, ${one.kind} and ${other.kind}, and a template can't ask which: use two fields that may be missing.`,
  );
}

function both(one: ContentType, other: ContentType, path: string): ContentType {
  if (one.kind === "object" && other.kind === "object") {
    const fields = once(() => {
      const merged = new Map(one.fields());
      for (const [name, type] of other.fields()) {
        const known = merged.get(name);
        merged.set(name, known === undefined ? type : both(known, type, `${path}.${name}`));
      }
      return merged;
    });
    return { kind: "object", optional: one.optional && other.optional, fields };
  }
  if (one.kind === other.kind) return { ...one, optional: one.optional && other.optional };
  throw new ContentTypeError(`${path} is of two types at once, ${one.kind} and ${other.kind}: use one.`);
}

export function isScalar(type: ContentType): type is Scalar {
  return type.kind !== "list" && type.kind !== "record" && type.kind !== "object";
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
