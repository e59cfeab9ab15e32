import * as fc from "fast-check";
import { Tokenizer } from "parse5";
import * as z from "zod";
import { render } from "../../../packages/aws-emulator/src/services/ses/render";
import { link, safeHtml } from "../../../handler/contract/content-types";
import { html, SafeHtml } from "../../../handler/contract/safe-html";
import { toTemplateData } from "../../../handler/contract/template-data";
import { compilePart } from "../../../stacks/templates/compile";
import { type ContentType, contentTypeOf } from "../../../stacks/templates/content-type";
import { contextProblems, withLanguage } from "../../../stacks/templates/html-context";
import { type Messages } from "../../../stacks/templates/messages";
import { type Part } from "../../../stacks/templates/pieces";

/** A type of content: its schema, and values that fit it. */
interface Typed {
  readonly schema: z.core.$ZodType;
  readonly value: fc.Arbitrary<unknown>;
  /** The type without the possibility that it is missing, where it may be. */
  readonly inner?: Typed;
}

const names = ["a", "b", "c", "d"] as const;

/** Texts that try to be markup, expressions, headers or Terraform's. */
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom(
    "",
    "0",
    "false",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='x",
    "{{a}}",
    "{{/if}}",
    "a\r\nBcc: eve@example.com",
    "-->",
    "</title>",
    "javascript:alert(1)",
    "\u2028\ud83c\u0000",
  ),
);

const scalars: readonly Typed[] = [
  { schema: z.string(), value: text },
  { schema: z.number(), value: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(0)) },
  { schema: z.boolean(), value: fc.boolean() },
  { schema: z.enum(["a", "b"]), value: fc.constantFrom("a", "b") },
  { schema: link(), value: fc.constantFrom("https://x.example/?a=1&b='2'", "mailto:a@example.com?subject=%22") },
  { schema: safeHtml(), value: text.map((each) => html`<b>${each}</b>`) },
];

const optional = (inner: Typed): Typed => ({
  schema: z.optional(inner.schema),
  value: fc.option(inner.value, { nil: undefined }),
  inner,
});

const { typed } = fc.letrec<{ typed: Typed; row: Typed; object: Typed }>((tie) => ({
  // A row is always there, but for a text or a number.
  row: tie("typed").map((type) => type.inner ?? type),
  typed: fc
    .tuple(
      fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom(...scalars),
        tie("object"),
        tie("row").map(({ schema, value }): Typed => ({
          schema: z.array(schema),
          value: fc.array(value, { maxLength: 3 }),
        })),
        tie("row").map(({ schema, value }): Typed => ({
          schema: z.record(z.string(), schema),
          value: fc.dictionary(text, value, { maxKeys: 3, noNullPrototype: true }),
        })),
      ),
      fc.boolean(),
    )
    .map(([type, isOptional]) => (isOptional ? optional(type) : type)),
  object: fc.dictionary(fc.constantFrom(...names), tie("typed"), { minKeys: 1, maxKeys: 3 }).map((fields): Typed => ({
    schema: z.object(Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))),
    value: fc.record(Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]))),
  })),
}));

const object = fc
  .dictionary(fc.constantFrom(...names), typed, { minKeys: 1, maxKeys: 4, noNullPrototype: true })
  .map((fields): Typed => ({
    schema: z.object(Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))),
    value: fc.record(Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]))),
  }));

/** Writes a template, mostly as the type wants it, and now and then wrong. */
class Author {
  constructor(private readonly draw: fc.GeneratorValue) {}

  /** @param frames the types of the contexts that the place is in, the innermost last. */
  template(frames: readonly ContentType[], depth = 0): string {
    const pieces = this.oneOf(depth > 3 ? [1] : [1, 1, 2, 3]);
    return Array.from({ length: pieces }, () => this.piece(frames, depth)).join("");
  }

  private piece(frames: readonly ContentType[], depth: number): string {
    const { path, type } = this.value(frames);
    const isStray = this.oneOf([...Array<boolean>(30).fill(false), true]);
    if (isStray) return this.oneOf(strays)(path);
    if (!type.optional || path.startsWith("@")) return this.use(path, type, frames, depth);
    if (this.oneOf([true, true, true, false])) return `{{#if ${path}}}${this.use(path, type, frames, depth)}{{/if}}`;
    return `{{#unless ${path}}}none{{else}}${this.use(path, type, frames, depth)}{{/unless}}`;
  }

  private use(path: string, type: ContentType, frames: readonly ContentType[], depth: number): string {
    const inner = (type: ContentType) => this.template([...frames, type], depth + 1);
    switch (type.kind) {
      case "list":
        return this.oneOf([
          () =>
            `{{#each ${path}}}<p>{{@index}}${inner(type.row())}{{#unless @last}}, {{/unless}}</p>{{else}}none{{/each}}`,
          () => `{{#each ${path} as |row at|}}{{at}}${inner(type.row())}{{/each}}`,
        ])();
      case "record":
        return `{{#each ${path}}}<i title="{{@key}}">{{@key}}</i>${inner(type.row())}{{/each}}`;
      case "object":
        return this.oneOf([
          () => `{{#with ${path}}}${inner(type)}{{/with}}`,
          () => this.template([...frames.slice(0, -1), type], 9).replaceAll(/\{\{(?=[a-d])/g, `{{${path}.`),
        ])();
      case "boolean":
        return `{{#if ${path}}}yes{{else}}${depth > 3 ? "no" : this.template(frames, depth + 1)}{{/if}}`;
      case "markup":
        return this.oneOf([`{{{${path}}}}`, `{{&${path}}}`]);
      case "link":
        return this.oneOf([`<a href="{{${path}}}">{{${path}}}</a>`, `<a href='{{${path}}}'>x</a>`]);
      default:
        return this.oneOf([
          `{{${path}}}`,
          `<p>{{~${path}~}}</p>`,
          `<i title="{{${path}}}">x</i>`,
          `<p>{{lines ${path}}}</p>`,
          `{{#if ${path}}}{{${path}}}{{else}}none{{/if}}`,
          `{{> part a=${path}}}`,
          `{{t "plain"}}<i title="{{t "plain"}}">x</i>{{> part a=(t "plain")}}`,
          `{{#with ..}}{{t "named"}}{{/with}}{{t "named"}}`,
        ]);
    }
  }

  /** A value that can be read here, however it is written. */
  private value(frames: readonly ContentType[]): { readonly path: string; readonly type: ContentType } {
    const up = this.oneOf(frames.map((_, at) => at).concat(0, 0));
    const frame = frames[frames.length - 1 - up];
    if (frame?.kind !== "object")
      return { path: up === 0 ? "this" : Array(up).fill("..").join("/"), type: frame ?? absent };
    const [name, type] = this.oneOf([...frame.fields()]);
    return { path: "../".repeat(up) + (up === 0 ? this.oneOf(["", "this."]) : "") + name, type };
  }

  private oneOf<Value>(values: readonly Value[]): Value {
    return this.draw(() => fc.constantFrom(...values));
  }
}

const absent: ContentType = { kind: "text", optional: false, canBeFalse: true };

/** What somebody might write by mistake. */
const strays: readonly ((path: string) => string)[] = [
  (path) => `{{${path}.x}}`,
  (path) => `{{${path}}}`,
  (path) => `{{{${path}}}}`,
  (path) => `{{#${path}}}x{{/${path}}}`,
  (path) => `{{#each ${path}}}{{this}}{{/each}}`,
  (path) => `{{#with ${path}}}{{this}}{{/with}}`,
  (path) => `{{#if ${path}}}x{{/if}}`,
  (path) => `{{lookup ${path} ${path}}}`,
  (path) => `<a href="{{${path}}}">x</a>`,
  (path) => `<p style="{{${path}}}">`,
  (path) => `<{{${path}}}>`,
  (path) => `{{${path.toUpperCase()}}}`,
  () => "{{@index}}{{@key}}",
  () => "{{../a}}{{@root.a}}",
  () => "{{a}}{{#if a}}{{b}}{{/if}}",
  () => '{{#if a}}<i title="{{else}}<p>{{/if}}',
  () => "{{> @partial-block}}{{> other}}",
  (path) => `<a {{#if ${path}}}title="x"{{/if}}href="{{${path}}}">x</a>`,
  (path) => `<script{{#if ${path}}} async{{/if}}>{{${path}}}</script>`,
  (path) => `<p {{#if ${path}}}on{{/if}}click="{{${path}}}">x</p>`,
  (path) => `<s{{#if ${path}}}cript{{/if}}>{{${path}}}`,
  (path) => `{{#each ${path}}}{{#each this}}{{this}}{{../../a}}{{/each}}{{/each}}`,
  (path) => `{{#with ${path}}}{{#with ../b}}{{../../a}}{{/with}}{{/with}}`,
];

const partials = {
  names: ["part"],
  read: (name: string) => (name === "part" ? { file: "part.html", text: "{{#if a}}<p>{{a}}</p>{{/if}}" } : undefined),
};

const texts: Readonly<Record<string, string>> = { plain: `Fish & <chips> "'`, named: "<u>{{a}}</u> & co" };
const messages: Messages = {
  find: (key) => {
    const found = texts[key];
    return found === undefined ? undefined : { text: found, file: "messages.en.json", line: 1 };
  },
  missing: (key) => key,
  problems: [],
};

/** The tags of the HTML, each with the names of its attributes, and the addresses in them. */
function tagsOf(markup: string): { tags: string[]; addresses: string[] } {
  const tags: string[] = [];
  const addresses: string[] = [];
  const ignore = () => undefined;
  new Tokenizer(
    { sourceCodeLocationInfo: false },
    {
      onStartTag: ({ tagName, attrs }) => {
        tags.push([tagName, ...attrs.map(({ name }) => name)].join(" "));
        addresses.push(...attrs.flatMap(({ name, value }) => (name === "href" ? [value] : [])));
      },
      onEndTag: ignore,
      onComment: ({ data }) => tags.push(`!--${data}`),
      onDoctype: ignore,
      onCharacter: ignore,
      onWhitespaceCharacter: ignore,
      onNullCharacter: ignore,
      onEof: ignore,
      onParseError: null,
    },
  ).write(markup, true);
  return { tags, addresses };
}

const known = ["p", "p dir", "i title", "a href", "td", "td dir", "i title dir", "b", "br", "div lang dir"];

it("lets nothing pass that SES would not render, or that would show markup of an event", () => {
  let passed = 0;
  let shown = 0;
  fc.assert(
    fc.property(
      object.chain(({ schema, value }) => fc.tuple(fc.constant(schema), value)),
      fc.gen(),
      fc.constantFrom<Part>("html", "html", "text", "subject"),
      ([schema, value], draw, part) => {
        const source = new Author(draw).template([contentTypeOf(schema, "content")]);
        const compiled = compilePart(
          { file: { html: "body.html", text: "body.txt", subject: "index.ts" }[part], text: source },
          part,
          contentTypeOf(schema, "content"),
          partials,
          messages,
        );
        const problems = [...compiled.problems, ...(part === "html" ? contextProblems(compiled.pieces) : [])];
        if (problems.length > 0) return;
        passed += 1;
        if (compiled.pieces.some(({ kind }) => kind !== "static")) shown += 1;
        const pieces = part === "html" ? withLanguage(compiled.pieces, "en") : compiled.pieces;
        const stored = { subject: "", html: "", text: "", [part]: pieces.map((piece) => piece.text).join("") };
        const reads = { subject: {}, text: {}, html: {}, [part]: compiled.reads, hasWords: true };
        const content = z.core.parse(schema, value);
        // SES gets the data as JSON.
        const data = JSON.parse(JSON.stringify(toTemplateData(content, reads))) as Record<string, unknown>;
        const mail = render(stored, data)[part];
        if (part === "subject") expect(mail.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        if (part !== "html") return;
        const { tags, addresses } = tagsOf(mail);
        expect(tags.filter((tag) => !known.includes(tag))).toEqual([]);
        expect(addresses.filter((address) => !/^(?:https:|mailto:)/.test(address) && address !== "")).toEqual([]);
      },
    ),
    { numRuns: 10_000, seed: 20261127, endOnFailure: true },
  );
  // The test would say nothing if every template were refused.
  expect(passed).toBeGreaterThan(1000);
  expect(shown).toBeGreaterThan(300);
});

it("has markup from the tag alone", () => {
  const name = '<img src=x onerror="alert(1)">';
  expect(String(html`<b>${name}</b> ${html`<i>${1}</i>`} ${["&", html`<br />`]}${undefined}`)).toBe(
    "<b>&lt;img src=x onerror=&quot;alert(1)&quot;&gt;</b> <i>1</i> &amp;<br />",
  );
  expect(safeHtml().safeParse("<b>x</b>").success).toBe(false);
  expect(safeHtml().safeParse(Object.create(SafeHtml.prototype)).success).toBe(true);
});

it.each([
  ["https://x.example", true],
  ["HTTPS://x.example/a?b=c#d", true],
  ["mailto:a@example.com?subject=x", true],
  ["http://x.example", false],
  ["javascript:alert(1)", false],
  ["https:x", false],
  ["//x.example", false],
  ["https://user@x.example", false],
  ["https://x.example/a b", false],
  ["https://x.example/\n", false],
  ["data:text/html,x", false],
  ["mailto:", false],

  ["", false],
])("as an address, %j is %s", (address, isLink) => {
  expect(link().safeParse(address).success).toBe(isLink);
  expect(link().check(z.core._minLength(1), z.core.describe("of the invoice")).safeParse(address).success).toBe(isLink);
});
