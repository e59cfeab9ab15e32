import { type Reads } from "../../handler/contract/template-data";
import { type ContentType } from "./content-type";
import { type ShownMessage } from "./pieces";

/** A value that a path leads to. */
export interface Value {
  readonly kind: "value";
  readonly type: ContentType;
  readonly reads: Reads;
  /** How many blocks with a context of their own stand around the place where `path` begins. */
  readonly depth: number;
  readonly path: readonly string[];
  /** The same for the same value, however it is written. */
  readonly id: string;
  /** Whether the last part of `path` is the name of a field, so that another form can stand beside it. */
  readonly isField: boolean;
}

/** A constant that a partial was given. */
interface Constant {
  readonly kind: "constant";
  readonly value: string | number | boolean;
  /** Absent where it is a text of no messages file. */
  readonly message?: ShownMessage;
}

/** The number or the key of the row of a loop. */
interface Counter {
  readonly kind: "counter";
  readonly name: "index" | "key";
  /** How many loops stand around the loop's own rows, with that loop. */
  readonly loop: number;
}

export type Resolved = Value | Constant | Counter;

/** The context that names are looked up in. */
export interface Frame {
  readonly type: ContentType;
  readonly reads: Reads;
  readonly depth: number;
  readonly path: readonly string[];
  readonly id: string;
  readonly parent: Frame | undefined;
  /** What a partial was given by name. */
  readonly params: ReadonlyMap<string, Resolved>;
  /** The loop whose row this is. */
  readonly rows: { readonly loop: number; readonly kind: "list" | "record" } | undefined;
}

export interface Inline {
  readonly program: hbs.AST.Program | undefined;
  readonly scope: Scope;
  /** The tags around it; `undefined` for a file. */
  readonly tags?: hbs.AST.DecoratorBlock | hbs.AST.PartialBlockStatement;
}

export interface Scope {
  readonly file: string;
  readonly frame: Frame;
  readonly root: Frame;
  /** How many blocks with a context of their own stand around the place. A partial's context adds none. */
  readonly depth: number;
  /** The `id` of the context that the mail's renderer has at the place. A partial's own context is none of these. */
  readonly context: string;
  /** How many loops stand around the place. */
  readonly loops: number;
  readonly blockParams: ReadonlyMap<string, Resolved>;
  /** The `id` of each value that is known to be there. */
  readonly guards: ReadonlySet<string>;
  readonly inlines: ReadonlyMap<string, Inline>;
  /** What stands between `{{#> name}}` and `{{/name}}`. */
  readonly partialBlock: Inline | undefined;
  /** The text of a messages file that the place is in; `undefined` in a template's own file. */
  readonly message: ShownMessage | undefined;
  /** The partials and messages that the place is in, the outermost first. */
  readonly within: readonly string[];
}

/** The path as SES reads it from the place. */
export function emitted({ depth, path }: Value, scope: Scope, form = ""): string {
  if (depth < 0) return path[0] ?? "";
  const up = scope.depth - depth;
  const steps = path.join(".") + form;
  if (up === 0) return steps === "" ? "this" : steps;
  return steps === "" ? Array<string>(up).fill("..").join("/") : "../".repeat(up) + steps;
}

export function rowsOf(frame: Frame, loop: number): Frame["rows"] {
  for (let at: Frame | undefined = frame; at !== undefined; at = at.parent) if (at.rows?.loop === loop) return at.rows;
  return undefined;
}

export function counterPath({ name, loop }: { readonly name: string; readonly loop: number }, scope: Scope): string {
  return `@${"../".repeat(scope.loops - loop)}${name}`;
}

/** The value without which row it is of: two loops over one list may be at the same row. */
export const anyRow = (id: string): string => id.replace(/\[\d+\]/g, "[]");
