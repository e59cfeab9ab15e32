import Handlebars from "handlebars";
import { escapeHtml, toSubject } from "../../handler/contract/text";
import { askedForm, linesForm, type Reads, rowValue } from "../../handler/contract/template-data";
import { similarName } from "../../handler/notifications/problems";
import { type ContentType, either, isScalar } from "./content-type";
import { type Message, type Messages } from "./messages";
import { parseProblem } from "./parse-problem";
import { Paths } from "./paths";
import {
  type Compiled,
  type Part,
  type Partials,
  type Piece,
  type Place,
  type Problem,
  type ShownMessage,
  type Source,
} from "./pieces";
import { anyRow, counterPath, emitted, type Frame, type Inline, type Resolved, type Scope, type Value } from "./scope";
import { helperProblem, mustacheOf, placeOf, shown, shownBlock, shownPath, subexpressionProblem } from "./words";

/**
 * Compiles ordinary Handlebars to what SES stores. Each part reads its own tree of the template data, in which the
 * values are already as the part shows them: `{{title}}` of the HTML body becomes `{{html.title}}`. Partials, layouts and
 * inline partials are written out, because SES has no files.
 *
 * Every path is looked up in the type of the content; what would not be rendered, or would be rendered as something else
 * than the author sees, is a problem with its place.
 */
export function compilePart(
  source: Source,
  part: Part,
  content: ContentType,
  partials: Partials,
  messages: Messages,
): Compiled {
  const compiler = new Compiler(part, /\.(?:html|mjml)$/.test(source.file), partials, messages);
  const root: Frame = {
    type: content,
    reads: compiler.reads,
    depth: 0,
    path: [part],
    id: "",
    parent: undefined,
    params: new Map(),
    rows: undefined,
  };
  const program = compiler.parse(source);
  if (program !== undefined) {
    compiler.program(program, {
      file: source.file,
      frame: root,
      root,
      depth: 0,
      context: "",
      loops: 0,
      blockParams: new Map(),
      guards: new Set(),
      inlines: new Map(),
      partialBlock: undefined,
      message: undefined,
      within: [],
    });
  }
  const { pieces, reads, problems, readsMessages } = compiler;
  return { pieces, reads, problems, readsMessages };
}

const blockHelpers = ["if", "unless", "each", "with"] as const;
type BlockHelper = (typeof blockHelpers)[number];
const isBlockHelper = (name: string): name is BlockHelper => (blockHelpers as readonly string[]).includes(name);

class Compiler {
  readonly pieces: Piece[] = [];
  readonly problems: Problem[] = [];
  readonly reads: Reads = {};
  readonly readsMessages = new Set<string>();
  private readonly paths = new Paths((node, scope, problem) => {
    this.refuse(node, scope, problem);
  });
  private blocks = 0;
  private loopIds = 0;

  constructor(
    private readonly part: Part,
    /** Whether the author writes HTML or MJML, as also for a text that is derived from it. */
    private readonly isMarkup: boolean,
    private readonly partials: Partials,
    private readonly messages: Messages,
  ) {}

  /** @param line of the file that the whole text stands on. @default the text is the file */
  parse(source: Source, line?: number): hbs.AST.Program | undefined {
    try {
      const program = Handlebars.parse(source.text);
      if (line !== undefined) placeAt(program, line);
      return program;
    } catch (error) {
      const problem = parseProblem(source, error);
      this.problems.push(line === undefined ? problem : { ...problem, line, column: 1 });
      return undefined;
    }
  }

  /** @param tags around the program, where SES does not get them. */
  program(program: hbs.AST.Program | undefined, scope: Scope, tags?: Inline["tags"]): void {
    if (program === undefined) return;
    const inlines = this.inlinesOf(program, scope);
    const inner = inlines.size === 0 ? scope : { ...scope, inlines: new Map([...scope.inlines, ...inlines]) };
    const { body } = program;
    for (const [at, statement] of body.entries()) {
      if (statement.type !== "ContentStatement") {
        this.statement(statement, inner);
        continue;
      }
      const next = body[at + 1];
      const before = at === 0 ? tags?.openStrip : unseenTags(body[at - 1])?.close;
      const after = next === undefined ? tags?.closeStrip : unseenTags(next)?.open;
      const { original, rightStripped, leftStripped } = statement as unknown as Content;
      const start = before === undefined || rightStripped !== true ? 0 : blanksBefore(original, before.close === true);
      // The first line of a partial keeps its indent.
      const isIndent = next?.type === "PartialStatement" && after?.open !== true;
      const end =
        after === undefined || leftStripped !== true || isIndent ? 0 : blanksBehind(original, after.open === true);
      const text = original.slice(start, Math.max(start, original.length - end));
      const place = placeOf(statement, scope.file);
      const line = place.line + original.slice(0, start).split("\n").length - 1;
      const written = scope.message?.isEscaped === true ? this.asText(text) : text;
      this.written({ ...place, line }, written, next !== undefined && unseenTags(next) === undefined, scope.message);
    }
  }

  /** Pushes a text of the author's. SES would read it as an expression where it has braces. */
  private written(place: Place, text: string, isBeforeTag: boolean, message?: ShownMessage): void {
    if (text.includes("{{") || (isBeforeTag && text.endsWith("\\"))) {
      const problem =
        "braces that are shown, as in \\{{..}}, and a backslash before {{..}} are read otherwise by SES: let `map` give that text";
      this.problems.push({ ...place, problem });
    }
    this.pieces.push({ kind: "static", text, place, ...(message === undefined ? {} : { message }) });
  }

  /** Writes a constant text as the part shows it. */
  private asText(text: string): string {
    if (this.isMarkup) return escapeHtml(text);
    return this.part === "subject" ? toSubject(text) : text;
  }

  private statement(statement: hbs.AST.Statement, scope: Scope): void {
    switch (statement.type) {
      case "CommentStatement":
      case "DecoratorBlock":
        return;
      case "MustacheStatement":
        this.mustache(statement as hbs.AST.MustacheStatement, scope);
        return;
      case "BlockStatement":
        this.block(statement as hbs.AST.BlockStatement, scope, undefined);
        return;
      case "PartialStatement":
      case "PartialBlockStatement":
        this.partial(statement as hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement, scope);
        return;
      default:
        this.refuse(statement, scope, `SES does not know ${statement.type}: write it out`);
    }
  }

  private refuse(node: hbs.AST.Node, { file }: Scope, problem: string): undefined {
    this.problems.push({ ...placeOf(node, file), problem });
    return undefined;
  }

  private mustache(statement: hbs.AST.MustacheStatement, scope: Scope): void {
    const { path, params, hash, escaped } = statement;
    if (path.type !== "PathExpression") {
      this.refuse(statement, scope, `${shown(statement)} is a constant: write it as text`);
      return;
    }
    const name = (path as hbs.AST.PathExpression).original;
    if (params.length === 0 && (hash as hbs.AST.Hash | undefined) === undefined) {
      this.show(statement, this.paths.resolve(path as hbs.AST.PathExpression, scope), scope, escaped);
      return;
    }
    if (name === "lookup" || name === "lines") {
      this[name](statement, scope);
      return;
    }
    if (name === "t") {
      this.message(statement, scope);
      return;
    }
    this.refuse(statement, scope, helperProblem(name, `{{${name}}}`));
  }

  /**
   * `{{t "key"}}`: a text of the messages file, written out as a partial is. With three braces it is markup of the
   * author's.
   */
  private message(statement: hbs.AST.MustacheStatement, scope: Scope): void {
    const program = this.messageProgram(statement, scope);
    if (program === undefined) return;
    const { key, message } = program;
    this.program(program.program, {
      ...scope,
      file: message.file,
      message: { tag: key, isEscaped: statement.escaped && this.isMarkup },
      within: [...scope.within, key],
    });
  }

  private messageProgram(
    call: hbs.AST.MustacheStatement | hbs.AST.SubExpression,
    scope: Scope,
  ): { readonly key: string; readonly message: Message; readonly program: hbs.AST.Program } | undefined {
    const [param, ...others] = call.params;
    if (param?.type !== "StringLiteral" || others.length > 0 || (call.hash as hbs.AST.Hash | undefined) !== undefined) {
      this.refuse(call, scope, 'a text is named by a constant, {{t "key"}}, and takes its values from where it stands');
      return;
    }
    const name = (param as hbs.AST.StringLiteral).value;
    const message = this.messages.find(name);
    this.readsMessages.add(scope.file);
    if (message === undefined) {
      this.refuse(call, scope, this.messages.missing(name));
      return;
    }
    const key = `{{t "${name}"}}`;
    if (scope.within.includes(key)) {
      this.refuse(
        call,
        scope,
        `the text "${name}" is written out within itself: ${[...scope.within, key].join(" > ")}`,
      );
      return;
    }
    const program = this.parse({ file: message.file, text: message.text }, message.line);
    return program === undefined ? undefined : { key, message, program };
  }

  /** `{{lines message}}`: the text with its line breaks, as Outlook shows them, too. */
  private lines(statement: hbs.AST.MustacheStatement, scope: Scope): void {
    const [param, ...others] = statement.params;
    if (param?.type !== "PathExpression" || others.length > 0) {
      this.refuse(statement, scope, "{{lines ..}} takes the name of one text");
      return;
    }
    if (this.part === "subject") {
      this.refuse(statement, scope, `a subject has one line: write {{${(param as hbs.AST.PathExpression).original}}}`);
      return;
    }
    const value = this.paths.resolve(param as hbs.AST.PathExpression, scope);
    if (value === undefined) return;
    const told = shownPath(param as hbs.AST.PathExpression);
    if (value.kind !== "value" || value.type.kind !== "text" || this.part === "text") {
      if (value.kind === "value" && value.type.kind !== "text")
        this.refuse(statement, scope, `${told} is no text, and only a text has lines`);
      else this.show(statement, value, scope, true);
      return;
    }
    if (!value.isField) {
      this.refuse(statement, scope, `${told} has no name: let the rows be objects, and give the text a field`);
      return;
    }
    if (!this.paths.isThere(statement, value, told, scope)) return;
    value.reads.lines = true;
    this.push(statement, scope, { kind: "value", form: "markup" }, emitted(value, scope, linesForm));
  }

  private lookup(statement: hbs.AST.MustacheStatement, scope: Scope): void {
    const [from, by, ...others] = statement.params;
    if (from?.type !== "PathExpression" || by === undefined || others.length > 0) {
      this.refuse(statement, scope, "{{lookup ..}} takes the name of an object and a key");
      return;
    }
    const value = this.paths.resolve(from as hbs.AST.PathExpression, scope);
    if (value === undefined) return;
    const told = shownPath(from as hbs.AST.PathExpression);
    if (value.kind !== "value" || isScalar(value.type)) {
      this.refuse(statement, scope, `${told} has no fields: {{lookup ..}} takes an object and a key`);
      return;
    }
    if (!this.paths.isThere(statement, value, told, scope)) return;
    if (by.type === "StringLiteral" || by.type === "NumberLiteral") {
      const key = `${(by as hbs.AST.StringLiteral | hbs.AST.NumberLiteral).value}`;
      this.show(statement, this.paths.field(statement, value, key, told, scope), scope, true);
      return;
    }
    const key = by.type === "PathExpression" ? this.paths.resolve(by as hbs.AST.PathExpression, scope) : undefined;
    if (by.type !== "PathExpression") this.refuse(statement, scope, subexpressionProblem);
    if (key === undefined) return;
    const keys = key.kind === "value" && key.type.kind === "text" ? key.type.values : undefined;
    if (key.kind !== "value" || keys === undefined || value.type.kind !== "object") {
      this.refuse(
        statement,
        scope,
        `{{lookup ..}} may find nothing, and SES would then send no mail: give the key a type with a list of values (z.enum), and ${told} a field for each; or put what belongs together into one list of rows`,
      );
      return;
    }
    if (!this.paths.isThere(statement, key, shownPath(by as hbs.AST.PathExpression), scope)) return;
    const found = keys.map((each) => this.paths.field(statement, value, each, told, scope));
    const values = found.filter((each): each is Value => each?.kind === "value");
    if (values.length < keys.length) return;
    const [first] = values;
    if (first === undefined) return;
    const type = values.map((each) => each.type).reduce((one, other) => either(one, other, told));
    const form = this.formOf(statement, { ...first, type, isField: false }, told, scope, true);
    if (form === undefined) return;
    for (const each of values) each.reads.plain = true;
    key.reads.plain = true;
    this.push(statement, scope, { kind: "value", form }, `lookup ${emitted(value, scope)} ${emitted(key, scope)}`);
  }

  private show(
    statement: hbs.AST.MustacheStatement,
    value: Resolved | undefined,
    scope: Scope,
    escaped: boolean,
  ): void {
    if (value === undefined) return;
    if (value.kind === "constant") {
      this.written(placeOf(statement, scope.file), this.asText(String(value.value)), false, value.message);
      return;
    }
    if (value.kind === "counter") {
      if (/^\{\{~?@/.test(this.pieces.at(-1)?.text ?? "")) {
        this.refuse(
          statement,
          scope,
          `${shown(statement)} stands right behind another number, and the two may be added up: put a text between them`,
        );
        return;
      }
      this.push(statement, scope, { kind: "value", form: "text" }, counterPath(value, scope));
      return;
    }
    const form = this.formOf(statement, value, shown(statement), scope, escaped);
    if (form === undefined) return;
    value.reads.plain = true;
    this.push(statement, scope, { kind: "value", form }, emitted(value, scope));
  }

  /** What the value may be where it is shown; `undefined` where it can't be shown, which is then a problem. */
  private formOf(
    node: hbs.AST.Node,
    value: Value,
    told: string,
    scope: Scope,
    escaped: boolean,
  ): "text" | "link" | "markup" | undefined {
    const { type } = value;
    const name = told.replace(/^\{+[~&\s]*|[~\s]*\}+$/g, "");
    switch (type.kind) {
      case "boolean": {
        this.refuse(node, scope, `${told} is true or false: ask for it with {{#if ${name}}}`);
        return;
      }
      case "list":
      case "record": {
        this.refuse(node, scope, `${told} has rows: show them with {{#each ${name}}}`);
        return;
      }
      case "object": {
        this.refuse(node, scope, `${told} has fields: show one of ${[...type.fields().keys()].join(", ")}`);
        return;
      }
      case "markup":
        if (this.part !== "html") {
          this.refuse(
            node,
            scope,
            `${told} is markup, and only the HTML body shows that: let \`map\` give the text as well${this.part === "text" ? ", and write body.txt with it" : ""}`,
          );
          return;
        }
        if (escaped) {
          this.refuse(node, scope, `${told} is markup: show it with {{{${name}}}}`);
          return;
        }
        break;
      default:
        if (!escaped && this.part === "html") {
          this.refuse(
            node,
            scope,
            `${told} would show a text without escaping it: write {{${name}}}, or make it markup with safeHtml() and the tag html\`..\``,
          );
          return;
        }
    }
    if (!this.paths.isThere(node, value, told, scope)) return undefined;
    return type.kind === "markup" || type.kind === "link" ? type.kind : "text";
  }

  private block(statement: hbs.AST.BlockStatement, scope: Scope, chained: string | undefined): void {
    const { path, params } = statement;
    const name = (path as { readonly original?: string }).original ?? "";
    const hash = statement.hash as hbs.AST.Hash | undefined;
    if (!isBlockHelper(name) || params.length === 0) {
      this.foreignBlock(statement, name, scope);
      return;
    }
    const [param] = params;
    if (params.length > 1 || hash !== undefined || param?.type !== "PathExpression") {
      const what = params.some(({ type }) => type === "SubExpression")
        ? subexpressionProblem
        : `{{#${name} ..}} takes the name of one value, and nothing else`;
      this.refuse(statement, scope, what);
      return;
    }
    const isNotGiven =
      (name === "if" || name === "unless") && this.paths.isNotGiven(param as hbs.AST.PathExpression, scope);
    const value: Resolved | undefined = isNotGiven
      ? { kind: "constant", value: false }
      : this.paths.resolve(param as hbs.AST.PathExpression, scope);
    const told = shownPath(param as hbs.AST.PathExpression);
    if (name === "each" || name === "with") this.loopOrWith(statement, name, value, told, scope, chained);
    else this.condition(statement, name, value, told, scope, chained);
  }

  private condition(
    statement: hbs.AST.BlockStatement,
    name: "if" | "unless",
    value: Resolved | undefined,
    told: string,
    scope: Scope,
    chained: string | undefined,
  ): void {
    const program = statement.program as hbs.AST.Program | undefined;
    const inverse = statement.inverse as hbs.AST.Program | undefined;
    if (value === undefined || value.kind === "constant") {
      // Nothing is asked of a constant: only the branch that is taken is written out.
      const isTrue = value === undefined || (value.value !== false && value.value !== "" && value.value !== 0);
      const taken = (name === "if") === isTrue ? program : inverse;
      if (chained !== undefined && taken !== undefined)
        this.tag(statement, scope, "else", chained, statement.openStrip);
      this.program(taken, scope);
      if (value === undefined) this.program(taken === program ? inverse : program, scope);
      return;
    }
    if (value.kind === "counter") {
      this.refuse(statement, scope, `${told} is a number or a key: ask for @first or @last`);
      return;
    }
    const { type } = value;
    const form = type.kind === "number" || type.kind === "record" ? askedForm : "";
    if (form !== "" && !value.isField) {
      this.refuse(statement, scope, `${told} has no name: let the rows be objects, and give the value a field`);
      return;
    }
    // A shared part may be given what is always there in one place, and not in another.
    if (isAlways(type) && !scope.guards.has(value.id) && scope.within.length === 0) {
      this.refuse(
        statement,
        scope,
        `${told} is always there, so the condition is always true: remove it, or let the schema say what may be missing`,
      );
    }
    if (form === "") value.reads.plain = true;
    else value.reads.asked = true;
    const there = { ...scope, guards: new Set([...scope.guards, value.id]) };
    this.branches(statement, `${name} ${emitted(value, scope, form)}`, chained, {
      open: scope,
      program: name === "if" ? there : scope,
      inverse: name === "if" ? scope : there,
    });
  }

  private loopOrWith(
    statement: hbs.AST.BlockStatement,
    name: "each" | "with",
    value: Resolved | undefined,
    told: string,
    scope: Scope,
    chained: string | undefined,
  ): void {
    if (value === undefined) return;
    const type = value.kind === "value" ? value.type : undefined;
    const hasRows = type?.kind === "list" || type?.kind === "record";
    if (value.kind !== "value" || type === undefined || (name === "each" ? !hasRows : type.kind !== "object")) {
      const what = name === "each" ? "rows: {{#each ..}} takes a list" : "fields: {{#with ..}} takes an object";
      this.refuse(statement, scope, `${told} has no ${what}`);
      return;
    }
    // Handlebars counts no step for a context that is the same as the one around it, so that ../ would lead elsewhere.
    if (anyRow(scope.context) === anyRow(value.id) + (name === "each" ? "[]" : "")) {
      const what = name === "each" ? "goes through rows that the place is in" : "names what the place is in";
      this.refuse(
        statement,
        scope,
        `{{#${name} ${told.slice(2, -2)}}} ${what}: let \`map\` give what belongs together`,
      );
      return;
    }
    const names = (statement.program as hbs.AST.Program | undefined)?.blockParams ?? [];
    const loops = scope.loops + (name === "each" ? 1 : 0);
    const frame: Frame = hasRows
      ? {
          type: type.row(),
          reads: rowReads(value.reads, type.row()),
          depth: scope.depth + 1,
          path: isScalar(type.row()) ? [rowValue] : [],
          id: `${value.id}[${(this.loopIds += 1)}]`,
          parent: scope.frame,
          params: new Map(),
          rows: { loop: loops, kind: type.kind },
        }
      : {
          type,
          reads: value.reads,
          depth: scope.depth + 1,
          path: [],
          id: value.id,
          parent: scope.frame,
          params: new Map(),
          rows: scope.frame.rows,
        };
    value.reads.plain = true;
    const given: Resolved[] = [
      { kind: "value", ...frame, isField: isScalar(frame.type) },
      ...(hasRows ? [{ kind: "counter", name: type.kind === "record" ? "key" : "index", loop: loops } as const] : []),
    ];
    const inner: Scope = {
      ...scope,
      frame,
      depth: frame.depth,
      context: frame.id,
      loops,
      blockParams: new Map([
        ...scope.blockParams,
        ...names.flatMap((each, at) => (given[at] === undefined ? [] : [[each, given[at]] as const])),
      ]),
      guards: new Set([...scope.guards, value.id]),
    };
    this.branches(statement, `${name} ${emitted(value, scope)}`, chained, {
      open: scope,
      program: inner,
      inverse: scope,
    });
  }

  private branches(
    statement: hbs.AST.BlockStatement,
    head: string,
    chained: string | undefined,
    scopes: { readonly open: Scope; readonly program: Scope; readonly inverse: Scope },
  ): void {
    const block = chained ?? String((this.blocks += 1));
    const program = statement.program as hbs.AST.Program | undefined;
    const inverse = statement.inverse as (hbs.AST.Program & { readonly chained?: boolean }) | undefined;
    this.tag(statement, scopes.open, chained === undefined ? `#${head}` : `else ${head}`, block, statement.openStrip);
    this.program(program, scopes.program);
    if (inverse?.chained === true) {
      for (const next of inverse.body) this.block(next as hbs.AST.BlockStatement, scopes.inverse, block);
    } else if (inverse !== undefined) {
      this.tag(statement, scopes.open, "else", block, statement.inverseStrip);
      this.program(inverse, scopes.inverse);
    }
    if (chained === undefined)
      this.tag(statement, scopes.open, `/${head.split(" ")[0] ?? ""}`, block, statement.closeStrip);
  }

  private tag(
    statement: hbs.AST.BlockStatement,
    scope: Scope,
    inner: string,
    block: string,
    strip: hbs.AST.StripFlags | undefined,
  ): void {
    const place = placeOf(statement, scope.file);
    this.pieces.push({ kind: "block", text: mustacheOf(inner, strip), place, shown: shownBlock(statement), block });
  }

  /** A block whose name is no helper of SES: Mustache's sections, and helpers of one's own. */
  private foreignBlock(statement: hbs.AST.BlockStatement, name: string, scope: Scope): void {
    if (statement.params.length > 0) {
      this.refuse(statement, scope, helperProblem(name, `{{#${name}}}`));
      return;
    }
    const value = this.paths.resolve(statement.path, scope);
    if (value?.kind !== "value") {
      if (value !== undefined) this.refuse(statement, scope, `{{#${name}}} asks nothing: remove it`);
      return;
    }
    const { kind } = value.type;
    const isInverse = (statement.program as hbs.AST.Program | undefined) === undefined;
    const hasRows = kind === "list" || kind === "record";
    const helper = isInverse ? "unless" : hasRows ? "each" : kind === "object" ? "with" : "if";
    this.refuse(
      statement,
      scope,
      `{{#${name}}} does not say what it asks, and SES would send no mail: write {{#${helper} ${name}}}..{{/${helper}}}`,
    );
  }

  private inlinesOf(program: hbs.AST.Program, scope: Scope): ReadonlyMap<string, Inline> {
    return new Map(
      program.body.flatMap((statement) => {
        if (statement.type !== "DecoratorBlock") return [];
        const tags = statement as hbs.AST.DecoratorBlock;
        const { path, params, program: body } = tags;
        const [name] = params;
        if ((path as { readonly original?: string }).original !== "inline" || name?.type !== "StringLiteral") {
          this.refuse(statement, scope, 'SES knows one decorator: {{#* inline "name"}}..{{/inline}}');
          return [];
        }
        return [[(name as hbs.AST.StringLiteral).value, { program: body, scope, tags }] as const];
      }),
    );
  }

  private partial(statement: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement, scope: Scope): void {
    const called = statement.name as hbs.AST.Expression & { readonly original?: string | number };
    if (called.type === "SubExpression" || called.original === undefined) {
      this.refuse(statement, scope, "a partial is written out at synth, so its name has to be a constant");
      return;
    }
    const name = String(called.original);
    const frame = this.partialFrame(statement, name, scope);
    if (frame === undefined) return;
    if (name === "@partial-block") {
      const block = scope.partialBlock;
      if (block === undefined) {
        this.refuse(
          statement,
          scope,
          "{{> @partial-block}} has a place in a layout only: call it with {{#> name}}..{{/name}}",
        );
        return;
      }
      this.program(
        block.program,
        { ...block.scope, frame, depth: scope.depth, context: scope.context, loops: scope.loops, guards: scope.guards },
        block.tags,
      );
      return;
    }
    if (scope.within.includes(name)) {
      this.refuse(
        statement,
        scope,
        `the partial "${name}" is written out within itself: ${[...scope.within, name].join(" > ")}`,
      );
      return;
    }
    const block = statement.type === "PartialBlockStatement" ? statement : undefined;
    const found = this.partialOf(name, scope);
    if (found === undefined) {
      const meant = similarName(name, [...scope.inlines.keys(), ...this.partials.names]);
      if (block !== undefined && meant === undefined) {
        this.program(block.program, { ...scope, frame }, block);
        return;
      }
      this.refuse(
        statement,
        scope,
        `there is no partial "${name}" in handler/notifications/partials or layouts${meant === undefined ? "" : `; did you mean {{> ${meant}}}?`}`,
      );
      return;
    }
    const inner: Scope = {
      ...found.scope,
      frame,
      depth: scope.depth,
      context: scope.context,
      loops: scope.loops,
      guards: scope.guards,
      blockParams: new Map(),
      inlines: new Map([
        ...found.scope.inlines,
        ...scope.inlines,
        ...(block === undefined ? [] : this.inlinesOf(block.program, scope)),
      ]),
      partialBlock: block === undefined ? undefined : { program: block.program, scope, tags: block },
      within: [...scope.within, name],
    };
    this.program(found.program, inner, found.tags);
  }

  private partialOf(name: string, scope: Scope): Inline | undefined {
    const inline = scope.inlines.get(name);
    if (inline !== undefined) return inline;
    const source = this.partials.read(name);
    const program = source === undefined ? undefined : this.parse(source);
    if (source === undefined) return undefined;
    return {
      program: program ?? Handlebars.parse(""),
      scope: { ...scope, file: source.file, inlines: new Map(), message: undefined },
    };
  }

  /** The context of a partial: that of its place, or the object that it is given, with what it is given by name. */
  private partialFrame(
    statement: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement,
    name: string,
    scope: Scope,
  ): Frame | undefined {
    const [param, ...others] = statement.params;
    const pairs = (statement.hash as hbs.AST.Hash | undefined)?.pairs ?? [];
    let frame = scope.frame;
    if (others.length > 0) {
      this.refuse(statement, scope, `{{> ${name}}} takes one object, and values by name`);
      return;
    }
    if (param !== undefined) {
      if (param.type !== "PathExpression") {
        this.refuse(statement, scope, `{{> ${name}}} takes the name of an object`);
        return;
      }
      const value = this.paths.resolve(param as hbs.AST.PathExpression, scope);
      if (value === undefined) return undefined;
      const told = shownPath(param as hbs.AST.PathExpression);
      if (value.kind !== "value" || !(value.type.kind === "object" || isScalar(value.type))) {
        this.refuse(statement, scope, `${told} has no fields: {{> ${name}}} takes an object, or a single value`);
        return;
      }
      if (!this.paths.isThere(statement, value, told, scope)) return undefined;
      frame = { ...value, parent: scope.frame, params: new Map(), rows: scope.frame.rows };
    }
    const params = new Map(frame.params);
    for (const { key, value } of pairs) {
      const given = this.argument(value, scope);
      if (given === undefined) return undefined;
      params.set(key, given);
    }
    return { ...frame, params };
  }

  private argument(expression: hbs.AST.Expression, scope: Scope): Resolved | undefined {
    switch (expression.type) {
      case "PathExpression":
        return this.paths.resolve(expression as hbs.AST.PathExpression, scope);
      case "StringLiteral":
      case "NumberLiteral":
      case "BooleanLiteral":
        return {
          kind: "constant",
          value: (expression as hbs.AST.StringLiteral).value,
          ...(scope.message === undefined ? {} : { message: { ...scope.message, isEscaped: true } }),
        };
      case "SubExpression":
        return this.messageArgument(expression as hbs.AST.SubExpression, scope);
      default: {
        this.refuse(expression, scope, "a partial takes names and constants");
        return;
      }
    }
  }

  /** `(t "key")`: a text that is a constant. */
  private messageArgument(expression: hbs.AST.SubExpression, scope: Scope): Resolved | undefined {
    if ((expression.path as { readonly original?: string }).original !== "t") {
      this.refuse(expression, scope, subexpressionProblem);
      return;
    }
    const found = this.messageProgram(expression, scope);
    if (found === undefined) return undefined;
    const { body } = found.program;
    if (body.some(({ type }) => type !== "ContentStatement")) {
      this.refuse(
        expression,
        scope,
        `${found.key} shows values, and a partial takes constants: write it into the partial`,
      );
      return;
    }
    return {
      kind: "constant",
      value: body.map((each) => (each as hbs.AST.ContentStatement).value).join(""),
      message: { tag: found.key, isEscaped: true },
    };
  }

  private push(
    statement: hbs.AST.MustacheStatement,
    { file }: Scope,
    piece: { readonly kind: "value"; readonly form: "text" | "link" | "markup" },
    path: string,
  ): void {
    const text = mustacheOf(path, statement.strip);
    this.pieces.push({ ...piece, text, place: placeOf(statement, file), shown: shown(statement) });
  }
}

function isAlways(type: ContentType): boolean {
  if (type.optional) return false;
  if (isScalar(type)) return !type.canBeFalse;
  return type.kind === "object" || (type.kind === "list" && type.least > 0);
}

/** What is read of a row. An object stays an object and a list a list, also where nothing in it is read. */
function rowReads(reads: Reads, row: ContentType): Reads {
  const of = (reads.rows ??= {});
  if (row.kind === "object") of.fields ??= {};
  if (row.kind === "list" || row.kind === "record") of.rows ??= {};
  return of;
}

/** A text of the author's. The types of Handlebars say that `original` holds flags. */
interface Content {
  /** The text as it is written. */
  readonly original: string;
  /** Whether Handlebars strips blanks where the text begins, because of the tag before it. */
  readonly rightStripped?: boolean;
  /** Whether Handlebars strips blanks where the text ends, because of the tag behind it. */
  readonly leftStripped?: boolean;
}

interface Tags {
  readonly open: Partial<hbs.AST.StripFlags> | undefined;
  readonly close: Partial<hbs.AST.StripFlags> | undefined;
}

/** Lets all of the program stand on one line of its file. */
function placeAt(node: unknown, line: number): void {
  if (typeof node !== "object" || node === null) return;
  for (const [name, value] of Object.entries(node)) {
    if (name !== "loc") placeAt(value, line);
    else (node as hbs.AST.Node).loc = { ...(value as hbs.AST.SourceLocation), start: { line, column: 0 } };
  }
}

/** The outer tags of a statement that SES does not get, because it is written out or left out; else `undefined`. */
function unseenTags(statement: hbs.AST.Statement | undefined): Tags | undefined {
  switch (statement?.type) {
    case "MustacheStatement": {
      const { path, params, strip } = statement as hbs.AST.MustacheStatement;
      const isMessage = (path as { readonly original?: string }).original === "t" && params.length > 0;
      return isMessage ? { open: strip, close: strip } : undefined;
    }
    case "CommentStatement":
    case "PartialStatement": {
      const { strip } = statement as hbs.AST.PartialStatement;
      return { open: strip, close: strip };
    }
    case "DecoratorBlock":
    case "PartialBlockStatement": {
      const { openStrip, closeStrip } = statement as hbs.AST.PartialBlockStatement;
      return { open: openStrip, close: closeStrip };
    }
    default:
      return undefined;
  }
}

/*
 * What Handlebars strips of a text at a tag: all blanks at `~`, and the rest of the line where a tag has a line of its own.
 * At the tags that SES gets, SES strips.
 */
const blanksBefore = (text: string, isTilde: boolean): number =>
  (isTilde ? /^\s*/ : /^[ \t]*\r?\n?/).exec(text)?.[0].length ?? 0;
const blanksBehind = (text: string, isTilde: boolean): number =>
  text.length - (isTilde ? text.trimEnd() : text.replace(/[ \t]+$/, "")).length;
