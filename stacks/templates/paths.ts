import { similarName } from "../../handler/notifications/problems";
import { type ContentType, isScalar } from "./content-type";
import { counterPath, type Resolved, rowsOf, type Scope, type Value } from "./scope";
import { shownPath } from "./words";

/** Looks the paths of a template up in the type of the content. */
export class Paths {
  /** @param refuse takes a problem, with what it is about. */
  constructor(private readonly refuse: (node: hbs.AST.Node, scope: Scope, problem: string) => void) {}

  /** Looks a path up. What it does not find is a problem. */
  resolve(path: hbs.AST.PathExpression, scope: Scope): Resolved | undefined {
    const told = shownPath(path);
    const isScoped = /^(?:this|\.)(?:[./]|$)/.test(path.original);
    if (path.data) return this.dataValue(path, told, scope);
    let { frame } = scope;
    for (let up = 0; up < path.depth; up += 1) {
      if (frame.parent === undefined) {
        this.refuse(path, scope, `${told} leads out of the content: there is no block around it to leave`);
        return;
      }
      frame = frame.parent;
    }
    const [first, ...others] = path.parts;
    const own: Value = { kind: "value", ...frame, isField: isScalar(frame.type) };
    if (first === undefined) {
      if (frame === scope.root || frame.id === "") {
        this.refuse(path, scope, `${told} is the whole content: name one of its fields`);
        return;
      }
      return own;
    }
    const given = path.depth === 0 && !isScoped ? scope.blockParams.get(first) : undefined;
    const start = given ?? frame.params.get(first);
    if (start === undefined) return this.fields(path, own, path.parts, told, scope);
    if (others.length === 0) return start;
    if (start.kind !== "value") {
      this.refuse(path, scope, `${told}: ${first} has no fields`);
      return;
    }
    return this.fields(path, start, others, told, scope);
  }

  /** Whether a shared part asks for a value by a name that its place does not know: it was not given, and is false. */
  isNotGiven({ data, depth, parts, original }: hbs.AST.PathExpression, { within, frame, blockParams }: Scope): boolean {
    const [name, ...others] = parts;
    if (within.length === 0 || data || depth > 0 || name === undefined || others.length > 0 || original !== name)
      return false;
    const fields = frame.type.kind === "object" ? [...frame.type.fields().keys()] : [];
    const known = [...fields, ...frame.params.keys(), ...blockParams.keys()];
    return !known.includes(name) && similarName(name, known) === undefined;
  }

  private dataValue(path: hbs.AST.PathExpression, told: string, scope: Scope): Resolved | undefined {
    const [name, ...others] = path.parts;
    if (name === "root") {
      if (others.length === 0) {
        this.refuse(path, scope, `${told} is the whole content: name one of its fields`);
        return;
      }
      return this.fields(path, { kind: "value", ...scope.root, isField: false }, others, told, scope);
    }
    const loop = scope.loops - path.depth;
    const known = ["index", "key", "first", "last"];
    if (name === undefined || !known.includes(name) || others.length > 0) {
      const meant = name === undefined ? undefined : similarName(name, [...known, "root"]);
      this.refuse(
        path,
        scope,
        `${told} is nothing that SES knows${meant === undefined ? ": there are @index, @first, @last, @key and @root" : `; did you mean @${meant}?`}`,
      );
      return;
    }
    const rows = rowsOf(scope.frame, loop);
    if (rows === undefined) {
      this.refuse(path, scope, `${told} has a value only within {{#each}}, and SES would send no mail`);
      return;
    }
    if (name === "key" && rows.kind === "list") {
      this.refuse(path, scope, `${told} is a key, and a list has none: use @index`);
      return;
    }
    if (name === "index" || name === "key") return { kind: "counter", name, loop };
    return {
      kind: "value",
      type: { kind: "boolean", optional: false, canBeFalse: true },
      reads: {},
      depth: -1,
      path: [counterPath({ name, loop }, scope)],
      id: `@${name}@${loop}`,
      isField: false,
    };
  }

  private fields(
    node: hbs.AST.Node,
    from: Value,
    names: readonly string[],
    told: string,
    scope: Scope,
  ): Value | undefined {
    let value: Value | undefined = from;
    for (const [at, name] of names.entries()) {
      const rest = `.${names.slice(at).join(".")}`;
      const before = told.endsWith(`${rest}}}`) ? told.slice(0, -rest.length - 2) : `{{${names.slice(0, at).join(".")}`;
      if (at > 0 && !this.isThere(node, value, `${before}}}`, scope)) return undefined;
      value = this.field(node, value, name, told, scope);
      if (value === undefined) return undefined;
    }
    return value;
  }

  field(node: hbs.AST.Node, value: Value, name: string, told: string, scope: Scope): Value | undefined {
    const { type } = value;
    const inner = (of: ContentType): Value => ({
      ...value,
      type: of,
      reads: ((value.reads.fields ??= {})[name] ??= {}),
      path: [...value.path, name],
      id: `${value.id}.${name}`,
      isField: true,
    });
    switch (type.kind) {
      case "object": {
        const field = type.fields().get(name);
        if (field !== undefined) return inner(field);
        this.unknown(node, value, name, told, scope);
        return;
      }
      case "record":
        this.refuse(
          node,
          scope,
          `${told} names a row of a record, which may be missing: show the rows with {{#each}}, or describe them as fields, with z.object`,
        );
        return;
      case "list": {
        this.refuse(
          node,
          scope,
          name === "length"
            ? `${told} is nothing that SES knows: let \`map\` give the number of rows`
            : `${told} may be missing, because a list may have fewer rows: show them with {{#each}}`,
        );
        return;
      }
      default: {
        this.refuse(
          node,
          scope,
          `${told} is not supplied: what stands before ".${name}" is a ${type.kind} and has no fields`,
        );
        return;
      }
    }
  }

  private unknown(node: hbs.AST.Node, { type, id }: Value, name: string, told: string, scope: Scope): undefined {
    if (name === "amazonSESUnsubscribeUrl") {
      // https://docs.aws.amazon.com/ses/latest/dg/sending-email-subscription-management.html
      this.refuse(
        node,
        scope,
        `${told} is filled in by the contact lists of SES v2's SendEmail, and SendTemplatedEmail has none: let \`map\` give an address of your own, of the type link()`,
      );
      return;
    }
    const known = type.kind === "object" ? [...type.fields().keys()] : [];
    const meant = similarName(name, known);
    const outer = [];
    for (
      let { parent } = scope.frame, up = "../";
      parent !== undefined && id === scope.frame.id;
      parent = parent.parent, up += "../"
    ) {
      if (parent.params.has(name) || (parent.type.kind === "object" && parent.type.fields().has(name)))
        outer.push(`${up}${name}`);
    }
    const hint =
      outer[0] !== undefined
        ? `did you mean {{${outer[0]}}}?`
        : meant !== undefined
          ? `did you mean {{${told.replace(/^\{+|\}+$/g, "").replace(new RegExp(`${name}$`), meant)}}}?`
          : `supplied are ${known.slice(0, mostTold).join(", ")}${known.length > mostTold ? ", .." : ""}`;
    this.refuse(node, scope, `${told} is not supplied by the mapping; ${hint}`);
  }

  /** Whether the value is there: it always is, or a block around the place has asked for it. */
  isThere(node: hbs.AST.Node, { type, id }: Value, told: string, scope: Scope): boolean {
    if (!type.optional || scope.guards.has(id)) return true;
    const name = told.replace(/^\{+[~&\s]*|[~\s]*\}+$/g, "");
    this.refuse(node, scope, `${told} may be missing: show it within {{#if ${name}}}..{{/if}}`);
    return false;
  }
}

/** Most names that a message lists. */
const mostTold = 20;
