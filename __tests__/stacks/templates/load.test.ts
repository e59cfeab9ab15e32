import { Testing } from "cdktf";
import Handlebars from "handlebars";
import * as z from "zod";
import { omit, type ZodMiniObject } from "zod/mini";
import { link, safeHtml } from "../../../handler/contract/content-types";
import { toTemplateData } from "../../../handler/contract/template-data";
import { catalogue } from "../../../handler/notifications";
import { seedCatalogue } from "../../../handler/notifications/seed";
import { NotificationStack } from "../../../stacks/notification-stack";
import { escapeForTerraform, loadTemplate, storedTemplateName, templateHash } from "../../../stacks/templates/load";
import { renderTemplate } from "../../../stacks/templates/render";
import { configOf } from "../../support/stack";
import { templateOfFiles } from "../../support/template-files";

const content = z.object({ title: z.string() });

/** Compiles a template whose content is one text, or another content. */
const check =
  (html: string, text = "{{title}}", subject = "{{title}}", schema: z.ZodType = content) =>
  () =>
    templateOfFiles({ id: "example", subject, content: schema }, { "body.html": html, "body.txt": text });

/** The mail that the content makes. */
function mail(schema: z.ZodType, value: unknown, bodies: Readonly<Record<string, string>>, subject = "S") {
  const template = templateOfFiles({ id: "example", subject, content: schema }, bodies);
  return renderTemplate(template, { ...toTemplateData(schema.parse(value), template.reads) });
}

it.each(catalogue.map((notification) => [notification.id, notification] as const))(
  "accepts the template of %s",
  (_, notification) => {
    expect(loadTemplate(notification).subject).not.toBe("");
  },
);

it("names file, line and column of what the mapping does not supply", () => {
  expect(check("<p>\n{{nothing}}</p>")).toThrow(/body\.html:2:3: \{\{nothing\}\} is not supplied by the mapping/);
});

it("names what was meant", () => {
  expect(check("<p>{{Title}}</p>")).toThrow("did you mean {{title}}?");
});

it.each([
  ["<p>\n\n {{#if title}}x", "3:2: {{#if title}} has no end: write {{/if}} where it ends"],
  ["{{#if title}}{{#if title}}a{{/if}} {{!-- {{/if}} --}}", "1:1: {{#if title}} has no end"],
  ["<p>{{#if title}}{{#each title}}</p>{{/if}}", '1:20: the block "each" is closed by {{/if}}'],
  ["<p>\n  {{/if}}</p>", "2:3: {{/if}} ends a block that has not begun"],
  ["{{#if title}}a{{else}}b{{else}}c{{/if}}", "1:24: {{else}} is outside of a block, or its block has one already"],
  ["<p>{{title}</p>", "1:11: {{title}</p> has no end: write }}"],
  ["<p>{{title</p> {{title}}", "1:6: {{title</p> has no end: write }}"],
  ["<p>{{{title}}</p>", "1:12: {{{title}} begins with three braces and ends with two"],
  ["<p>{{rows[0].name}}</p>", "1:6: {{rows[0].name}} asks for a row by its number"],
  [
    '<p>\n<b>{{#if title == "a"}}x{{/if}}</b></p>',
    '2:17: {{#if title == "a"}} has an operator, and Handlebars has none',
  ],
  ["{{#if title && title}}x{{/if}}", "1:13: {{#if title && title}} has an operator"],
  ["{{title | upper}}", "1:9: {{title | upper}} has an operator"],
  ["a {{}}", "1:5: {{}} names nothing"],
  ["{{user's name}}", "1:3: {{user's name}} can't be read here"],
  ["{{title/../x}}", "1:3: Invalid path: title/..: ../ leads out of a block at the beginning"],
  ["a {{!-- x", "1:3: {{! has no end"],
])("names the place of what can't be parsed, and what to write: %s", (html, problem) => {
  expect(check(html)).toThrow(`body.html:${problem}`);
});

it.each([
  ["a block's condition", "{{#if missing}}x{{/if}}"],
  ["a block", "{{#if title}}{{missing}}{{/if}}"],
  ["the other branch", "{{#if title}}x{{else}}{{missing}}{{/if}}"],
  ["a list", "{{#each missing}}x{{/each}}"],
  ["three braces", "{{{missing}}}"],
])("finds a variable that is not supplied in %s", (_, html) => {
  expect(check(html)).toThrow(/body\.html:1:\d+: \{\{\{?missing\}?\}\} is not supplied/);
});

it.each([
  ['{{"title"}}', "is a constant"],
  ["{{#if (missing title)}}x{{/if}}", "helpers within helpers"],
  ["{{#if title key=title}}x{{/if}}", "takes the name of one value, and nothing else"],
  ["{{@root.missing}}", "{{@root.missing}} is not supplied"],
  ["{{@index}}", "only within {{#each}}"],
  ["{{upper title}}", "is a helper of one's own, and SES has none"],
  ["{{#upper title}}x{{/upper}}", "is a helper of one's own, and SES has none"],
  ["{{log title}}", "remove it"],
  ["{{* title}}", "SES does not know Decorator"],
  ["{{{{title}}}}x{{{{/title}}}}", "does not say what it asks"],
])("refuses %s", (html, problem) => {
  expect(check(html)).toThrow(problem);
});

// JavaScript objects or Handlebars' helpers have these names, but SES looks for them in the data.
it.each(["constructor", "toString", "__proto__", "log", "lookup", "if", "each"])(
  "refuses {{%s}} as any other variable that is not supplied",
  (name) => {
    expect(check(`<p>{{${name}}}</p>`)).toThrow(`body.html:1:6: {{${name}}} is not supplied by the mapping`);
  },
);

it("names the subject's line in the definition", () => {
  expect(check("{{title}}", "{{title}}", "Hello {{name}}")).toThrow(
    /index\.ts:3: \{\{name\}\} is not supplied by the mapping; supplied are title/,
  );
});

it.each(["{{title}}\r\nBcc: eve@example.com", "Invoice \u202efdp.exe"])("refuses the subject %j", (subject) => {
  expect(check("{{title}}", "{{title}}", subject)).toThrow(
    "index.ts:3: the subject has a line break or another character that no header takes",
  );
});

it("fails the synth, and names all problems of the template at once", () => {
  const [first] = seedCatalogue;
  if (first === undefined) throw new Error("The catalogue is empty");
  const { subject, content: own } = first;
  try {
    Object.assign(first, { subject: "{{Subject}}", content: omit(own as ZodMiniObject, { timestamp: true }) });
    expect(() => new NotificationStack(Testing.app(), "notification", configOf(), seedCatalogue)).toThrow(
      /^The catalogue has 3 problems; nothing was synthesized\.\n[\s\S]*email-request\/index\.ts:\d+: \{\{Subject\}\}[\s\S]*layouts\/message\.mjml:\d+:\d+: \{\{timestamp\}\}[\s\S]*email-request\/body\.txt:5:\d+: \{\{timestamp\}\}/,
    );
  } finally {
    Object.assign(first, { subject, content: own });
  }
});

// The cases of ../shared/field-cases.json whose kind is `template` or `body`.
describe("what people have met in the field", () => {
  const rows = z.object({ items: z.array(z.object({ name: z.string() })) });

  it("shows rows over a list, and refuses them over a text", () => {
    const html = "<ul>{{#each items}}<li>{{name}}</li>{{else}}none{{/each}}</ul>";
    const sent = (items: string[]) =>
      mail(rows, { items: items.map((name) => ({ name })) }, { "body.html": html }).html;
    expect(sent(["a", "<b>"])).toContain('<li dir="auto">a</li><li dir="auto">&lt;b&gt;</li>');
    expect(sent([])).toContain("<ul>none</ul>");
    expect(check(html, "x", "S", z.object({ items: z.string() }))).toThrow(
      "{{items}} has no rows: {{#each ..}} takes a list",
    );
  });

  it.each([
    ["a number of zero", z.object({ asked: z.number() }), { asked: 0 }],
    ["false", z.object({ asked: z.boolean() }), { asked: false }],
    ["an empty text", z.object({ asked: z.string() }), { asked: "" }],
    ["what is missing", z.object({ asked: z.string().optional() }), {}],
    ["no rows", z.object({ asked: z.array(z.string()) }), { asked: [] }],
    ["no keys", z.object({ asked: z.record(z.string(), z.string()) }), { asked: {} }],
    ["no object", z.object({ asked: z.object({ a: z.string() }).optional() }), {}],
  ])("takes %s for false", (_, schema, value) => {
    expect(mail(schema, value, { "body.html": "<p>{{#if asked}}yes{{else}}no{{/if}}</p>" }).html).toContain(
      "<p>no</p>",
    );
  });

  it("shows a number of zero that it takes for false", () => {
    const html = "<p>{{#if unread}}You have {{unread}}{{else}}all {{unread}} read{{/if}}</p>";
    expect(mail(z.object({ unread: z.number() }), { unread: 0 }, { "body.html": html }).text).toBe("all 0 read\n");
  });

  it.each([
    ["{{#title}}<h2>{{title}}</h2>{{/title}}", "write {{#if title}}..{{/if}}"],
    ["{{^title}}none{{/title}}", "write {{#unless title}}..{{/unless}}"],
    ["{{#with title}}{{title}}{{/with}}", "{{title}} has no fields: {{#with ..}} takes an object"],
  ])("refuses %s, which SES would not render", (html, problem) => {
    expect(check(html)).toThrow(problem);
  });

  it("escapes in the HTML, and not in the subject and the text", () => {
    const subject = "Tom & Jerry's <sale>";
    expect(mail(content, { title: subject }, { "body.html": "<p>{{title}}</p>" }, "{{title}}")).toEqual({
      subject,
      html: '<div lang="en" dir="auto"><p dir="auto">Tom &amp; Jerry&#39;s &lt;sale&gt;</p></div>\n',
      text: `${subject}\n`,
    });
  });

  it("escapes a text whatever its name is", () => {
    const schema = z.object({ detailsHtml: z.string() });
    const { html } = mail(schema, { detailsHtml: "<img src=x>" }, { "body.html": "<p>{{detailsHtml}}</p>" });
    expect(html).toContain("&lt;img src=x&gt;");
  });

  it("takes fields of objects, and inline partials", () => {
    const schema = z.object({ contact: z.object({ firstName: z.string() }), title: z.string() });
    const html = '<p>Dear {{contact.firstName}}, {{#* inline "greet"}}Hi {{title}}{{/inline}}{{> greet}}</p>';
    expect(mail(schema, { contact: { firstName: "Ada" }, title: "T" }, { "body.html": html }).text).toBe(
      "Dear Ada, Hi T\n",
    );
  });

  // Handlebars itself says what the blanks and line breaks around a tag become.
  it.each([
    '{{#* inline "p"}}\n  P{{title}}\n{{/inline~}}\nHello {{> p}}!\n',
    '{{#* inline "p"}}\nP{{title}}\n{{/inline}}\nHello\n  {{> p}}\nend {{~> p~}} \n.',
    'a\n{{> p}}\nb\n{{#* inline "p"}}P\n{{/inline}}\n',
    '{{#> p}}\nbody\n{{/p}}\nend\n{{#* inline "p"}}<\n{{> @partial-block}}\n>\n{{/inline}}',
    "a\n{{! what it is for }}\nb {{~!-- {{x}} --~}} c\n",
    "a\n  {{#if title}}\n  {{! x }}\n  yes\n  {{else}}\n  no\n  {{/if}}\nb\n",
  ])("leaves the blanks around partials and comments that Handlebars leaves: %j", (text) => {
    const value = { title: "T" };
    expect(mail(content, value, { "body.html": "x", "body.txt": text }).text).toBe(
      Handlebars.compile(text, { noEscape: true })(value),
    );
  });

  it.each([
    "\\{{title}} {{title}}",
    "C:\\\\{{title}}",
    '{{> p label="{{title}}"}}{{#* inline "p"}}{{label}}{{/inline}}',
  ])("refuses braces that are shown, which SES may read as an expression: %s", (html) => {
    expect(check(html)).toThrow(/body\.html:1:\d+: braces that are shown, as in \\\{\{/);
  });

  it("derives the text part where none is written", () => {
    const html =
      '<h1>{{title}}</h1><p>Pay <a href="{{pay}}">now</a></p><ul>{{#each rows}}<li>{{this}}</li>{{/each}}</ul>';
    const schema = z.object({ title: z.string(), pay: link(), rows: z.array(z.string()) });
    const value = { title: "A & B", pay: "https://shop.example/?a=1&b=2", rows: ["x", "y"] };
    const { text } = mail(schema, value, { "body.html": html });
    expect(text).toContain("A & B\n");
    expect(text).toContain("Pay now [https://shop.example/?a=1&b=2]");
    expect(text).toMatch(/x[\s\S]*y/);
  });

  it.each([
    ["T", "Yes"],
    ["", "No"],
  ])("derives the text of a page that a condition stands around: %j", (title, text) => {
    const page = (word: string) => `<html><head><title>x</title></head><body><p>${word}</p></body></html>`;
    const html = `{{#if title}}${page("Yes")}{{else}}${page("No")}{{/if}}`;
    expect(mail(content, { title }, { "body.html": html }).text.trim()).toBe(text);
  });

  it("keeps the cells of a table apart in the text", () => {
    const html = "<table>{{#each items}}<tr><td>{{name}}</td><td>9.00</td></tr>{{/each}}</table>";
    const { text } = mail(rows, { items: [{ name: "Seats" }, { name: "Storage" }] }, { "body.html": html });
    expect(text).toBe("Seats 9.00\nStorage 9.00\n");
  });

  it.each([
    ["{{title}}", false],
    ["{{#if title}} {{title}} {{/if}}", false],
    ["{{title}}!", true],
    ["{{#if title}}a{{else}}b{{/if}}", true],
    // One branch is enough: a mail with a blank subject is better than one that is parked.
    ["{{#if title}}a{{/if}}", true],
  ])("knows whether the subject %s has words of its own: %s", (subject, hasWords) => {
    expect(check("x", "x", subject)().reads.hasWords).toBe(hasWords);
  });

  it("refuses more than SES stores", () => {
    expect(check("x".repeat(520_000))).toThrow(/the template has \d+ bytes, and SES stores 512000/);
  });

  it("shows the lines of a text in every client, with its indents and columns", () => {
    const title = "ID    QTY\r\n1     20\r\tindent\n\nl4\u2028l5\u0085l6";
    const { html, text } = mail(
      content,
      { title },
      { "body.html": "<p>{{lines title}}</p>", "body.txt": "{{lines title}}" },
    );
    expect(html).toContain(
      "ID&nbsp;&nbsp;&nbsp; QTY<br>\n1&nbsp;&nbsp;&nbsp;&nbsp; 20<br>\n&nbsp;&nbsp;&nbsp;&nbsp;indent<br>\n<br>\nl4<br>\nl5<br>\nl6",
    );
    expect(text).toBe(title);
  });

  it("lets each block take its direction from its text, and keeps what the author has set", () => {
    const html = '<html lang="ar"><body><p>{{title}}</p><p dir="ltr">{{title}}</p><p>x</p></body></html>';
    expect(mail(content, { title: "שלום" }, { "body.html": html }).html).toBe(
      '<html dir="auto" lang="ar"><body dir="auto"><p dir="auto">שלום</p><p dir="ltr">שלום</p><p>x</p></body></html>',
    );
  });
});

describe("markup and addresses", () => {
  const schema = z.object({ text: z.string(), address: link(), note: safeHtml(), flag: z.boolean() });
  const inHtml = (html: string) => check(html, "x", "S", schema);

  it.each([
    ['<a href="{{address}}">{{text}}</a>', undefined],
    ["<p>{{{note}}}</p>", undefined],
    ["<p>{{&note}}</p>", undefined],
    ['<img alt="{{text}}" src="{{address}}">', undefined],
    ['<a href="{{text}}">x</a>', "is no checked address: give it the type link()"],
    ['<a href="https://x.example/{{address}}">x</a>', "has text before it"],
    ["<p>{{note}}</p>", "show it with {{{note}}}"],
    ["<p>{{{text}}}</p>", "without escaping it"],
    ['<p style="color:{{text}}">x</p>', "stands in the attribute style"],
    ['<p onclick="{{text}}">x</p>', "stands in the attribute onclick"],
    ["<p title={{text}}>x</p>", "has no quotation marks around it"],
    ["<p {{text}}>x</p>", "stands in the tag <p> itself"],
    ["<{{text}}>x", "stands in a tag's name"],
    ["<script>{{text}}</script>", "stands within <script>"],
    ["<style>{{text}}</style>", "stands within <style>"],
    ["<!-- {{text}} -->", "stands in a comment, which is mailed"],
    ['<!--[if mso]><a href="{{text}}">x</a><![endif]-->', "is no checked address"],
    ["<svg><text>{{text}}</text></svg>", "stands within <svg>"],
    ['<p title="{{#if text}}a">{{/if}}', "let each of its branches close what it opens"],
    ['<a href="{{address}}', "that is not closed"],
    ["<script{{#if flag}} async{{/if}}>{{text}}</script>", "stands within <script>"],
    ["<s{{#if flag}}cript{{else}}pan{{/if}}>{{text}}", "stands within a name"],
    ["<{{#if flag}}script{{else}}b{{/if}}>{{text}}", "stands in a tag's name"],
    ['<p {{#if flag}}on{{/if}}click="{{text}}">', "stands within a name"],
    ['<a {{#if flag}}target="_blank"{{/if}}href="{{text}}">x</a>', "is no checked address"],
    ['<p {{#if flag}}title="a"{{/if}}style="{{text}}">x</p>', "stands in the attribute style"],
    ['<a href{{#if flag}}{{/if}}="{{text}}">x</a>', "is no checked address"],
    ["<!{{#if flag}}--{{/if}} >", "stands in a tag's name"],
    ['<a href="{{address}}{{address}}">x</a>', "has text before it"],
    ['<script src="{{address}}"></script>', "only a link or a picture"],
    ['<base href="{{address}}">', "only a link or a picture"],
    ['<link rel="stylesheet" href="{{address}}">', "only a link or a picture"],
    ['<form action="{{address}}"></form>', "only a link or a picture"],
    ['<svg><animate values="{{text}}"></svg>', "stands within <animate>"],
    ['<html{{#if flag}} class="a"{{/if}}><p{{#if flag}} class="a"{{/if}}>{{text}}</p></html>', undefined],
    ['<a href="{{#if flag}}{{address}}{{else}}https://x.example{{/if}}">x</a>', undefined],
    ["<title>{{{note}}}</title>", "<title> shows a text only"],
  ])("%s", (html, problem) => {
    if (problem === undefined) expect(inHtml(html)).not.toThrow();
    else expect(inHtml(html)).toThrow(problem);
  });
});

describe("the types of the content", () => {
  const shows = (schema: z.ZodType, value: unknown, html: string) =>
    mail(schema, value, { "body.html": html, "body.txt": "x" }).html;

  it("keep a list of lists, and rows of which nothing is read", () => {
    const grid = z.object({ grid: z.array(z.array(z.string())), title: z.string() });
    const value = { grid: [["a", "b"], [], ["[object Object]"]], title: "T" };
    const html =
      "{{#each grid}}<p>{{#if this}}{{#each this}}{{this}}{{../../title}},{{/each}}{{else}}none{{/if}}</p>{{/each}}";
    expect(shows(grid, value, html)).toContain(
      '<p dir="auto">aT,bT,</p><p dir="auto">none</p><p dir="auto">[object Object]T,</p>',
    );
    const pair = z.object({ a: z.object({ x: z.string() }), b: z.object({ x: z.string() }), title: z.string() });
    const both = { a: { x: "1" }, b: { x: "2" }, title: "T" };
    expect(shows(pair, both, "<p>{{#with a}}{{#with ../b}}{{../../title}}{{/with}}{{/with}}</p>")).toContain(">T<");
  });

  it("keep null behind a default", () => {
    const schema = z.object({
      note: z.string().nullable().default("x"),
      to: z.object({ a: z.string() }).nullish().nonoptional(),
    });
    expect(check("<p>{{note}}</p>", "x", "S", schema)).toThrow("{{note}} may be missing");
    expect(check("<p>{{to.a}}</p>", "x", "S", schema)).toThrow("{{to}} may be missing");
    expect(check("<p>{{note}}</p>", "x", "S", z.object({ note: z.string().optional().default("x") }))).not.toThrow();
  });

  it.each([
    ["a field called constructor", z.object({ constructor: z.string() }), "content.constructor has a name"],
    ["a field called if", z.object({ if: z.string() }), "content.if has a name"],
    [
      "a date",
      z.object({ at: z.date() }),
      "content.at has the type date, which no template can show: map it to a text",
    ],
    ["rows that may be missing", z.object({ rows: z.array(z.object({}).nullable()) }), "has rows that may be missing"],
    [
      "a text and a list",
      z.object({ a: z.union([z.string(), z.array(z.string())]) }),
      "may be of two types, text and list",
    ],
    ["no object", z.array(z.string()), "content has to be an object"],
    ["an object that may be missing", z.object({}).optional(), "content has to be an object"],
  ])("are refused with %s", (_, schema, problem) => {
    expect(check("<p>{{#if at}}x{{/if}}{{#each rows}}x{{/each}}{{a}}</p>", "x", "S", schema)).toThrow(problem);
  });

  it.each([
    ["{{r.a}}", "{{r.a}} names a row of a record"],
    ["{{lookup r k}}", "{{lookup ..}} may find nothing"],
    ["{{#with o as |each at|}}{{at}}{{/with}}", "{{at}} is not supplied"],
    ["{{#each r}}{{#each ../r}}x{{/each}}{{/each}}", "goes through rows that the place is in"],
    ["{{#with o}}{{#with ../o}}x{{/with}}{{/with}}", "names what the place is in"],
    ["{{^l}}none{{/l}}", "write {{#unless l}}"],
    ["{{#each l}}{{../c.e}}{{/each}}", "{{../c}} may be missing: show it within {{#if ../c}}"],
    ["&#123;&#123;k&#125;&#125;", "has braces that SES would read as an expression"],
  ])("refuse %s", (html, problem) => {
    const keys = z.enum(["a", "b"]);
    const schema = z.object({
      r: z.record(keys, z.string()),
      k: keys,
      o: z.object({ a: z.string() }),
      l: z.array(z.string()),
      c: z.object({ e: z.string() }).optional(),
    });
    const bodies = html.startsWith("&") ? { "body.html": `<p>${html}</p>` } : { "body.html": html, "body.txt": "x" };
    expect(() => templateOfFiles({ id: "example", subject: "S", content: schema }, bodies)).toThrow(problem);
  });
});

describe("what other engines take, too", () => {
  const schema = z.object({ title: z.string(), name: z.string().min(1), rows: z.array(z.string()), address: link() });
  const value = { title: "T", name: "Ada", rows: ["x", "y"], address: "https://x.example" };
  const text = (body: string) => mail(schema, value, { "body.html": "x", "body.txt": body }).text;

  it.each([
    ["what stands in the block of a partial that there is none of", "{{#> foot}}Bye {{name}}{{/foot}}", "Bye Ada"],
    [
      "a value that a partial was not given",
      '{{#* inline "p"}}{{#if cta}}a{{else}}b{{/if}}{{/inline}}{{> p}}{{> p cta="c"}}',
      "ba",
    ],
    [
      "a condition of a partial over what is always there",
      '{{#* inline "p"}}{{#if name}}a{{/if}}{{/inline}}{{> p}}',
      "a",
    ],
    [
      "a partial over a text",
      '{{#* inline "p"}}<{{this}}>{{/inline}}{{#each rows}}{{> p this}}{{/each}}{{> p title}}',
      "<x><y><T>",
    ],
  ])("shows %s", (_, body, shown) => {
    expect(text(body)).toBe(shown);
  });

  it.each([
    ["{{#> foota}}x{{/foota}}{{#* inline 'foot'}}{{/inline}}", 'there is no partial "foota"'],
    ["{{#if cta}}a{{/if}}", "{{cta}} is not supplied"],
    ['{{#* inline "p"}}{{#if Title}}a{{/if}}{{/inline}}{{> p}}', "did you mean {{title}}?"],
    ['{{#* inline "p"}}{{cta}}{{/inline}}{{> p}}', "{{cta}} is not supplied"],
    ["{{#each rows}}{{#each ../rows}}{{@../index}}{{@index}}{{/each}}{{/each}}", "goes through rows"],
    [
      "{{amazonSESUnsubscribeUrl}}",
      "is filled in by the contact lists of SES v2's SendEmail, and SendTemplatedEmail has none",
    ],
    ['<meta http-equiv="refresh" content="{{title}}">', "stands in the attribute content"],
    ['<meta content="{{title}}" {{#if title}}http-equiv="refresh"{{/if}}>', "stands in the attribute content"],
  ])("refuses %s", (html, problem) => {
    expect(check(html, "x", "S", schema)).toThrow(problem);
  });

  it.each(['<meta name="description" content="{{title}}">', '<a href="tel:+4930123456">Call</a>'])(
    "takes %s",
    (html) => {
      expect(check(html, "x", "S", schema)).not.toThrow();
    },
  );

  it("refuses two numbers side by side, which Handlebars may add up", () => {
    const grid = z.object({ rows: z.array(z.object({ cells: z.array(z.string()) })) });
    const html = (between: string) =>
      `{{#each rows}}{{#each cells}}{{@../index}}${between}{{@index}}{{/each}}{{/each}}`;
    expect(check(html(""), "x", "S", grid)).toThrow("{{@index}} stands right behind another number");
    expect(check(html("."), "x", "S", grid)).not.toThrow();
  });

  it("says that body.txt is to be written where the text can't be derived", () => {
    expect(() =>
      templateOfFiles(
        { id: "example", subject: "S", content: z.object({ note: safeHtml() }) },
        { "body.html": "{{{note}}}" },
      ),
    ).toThrow("let `map` give the text as well, and write body.txt with it");
  });

  it("refuses a type that is nothing but itself, and takes one that contains itself", () => {
    const nothing: z.ZodType = z.lazy(() => nothing.optional());
    expect(check("{{a}}", "x", "S", z.object({ a: nothing }))).toThrow("content.a is nothing but itself");
    const tree: z.ZodType = z.lazy(() => z.object({ name: z.string(), leaves: z.array(tree) }));
    expect(check("{{a.name}}{{#each a.leaves}}{{name}}{{/each}}", "x", "S", z.object({ a: tree }))).not.toThrow();
  });
});

describe("MJML", () => {
  const mjml = (body: string) => () =>
    templateOfFiles({ id: "example", subject: "S", content }, { "body.mjml": body, "body.txt": "x" });

  it("is refused where it would leave something out, with the author's line", () => {
    const column = (inner: string) =>
      `<mjml><mj-body><mj-section><mj-column>\n${inner}</mj-column></mj-section></mj-body></mjml>`;
    expect(mjml(column("<mj-text>{{title}}</mj-text>"))().html).toContain("{{html.title}}");
    expect(mjml(column("{{title}}"))).toThrow(/body\.mjml:2:1: MJML leaves \{\{title\}\} out here/);
    expect(mjml(column("<mj-oops>{{title}}</mj-oops>"))).toThrow("Element mj-oops doesn't exist");
    expect(mjml(`<mj-include path="./head.mjml" />${column("x")}`)).toThrow("<mj-include> is not read");
    expect(mjml("<p>{{title}}</p>")).toThrow("MJML: ");
  });

  // MJML's own validation sees none of these, neither soft nor strict.
  it.each([
    ["\n  <mj-text>{{title}} is", "3:3: <mj-text> is not closed, and MJML would leave out what is in it"],
    ["<mj-text>{{title}}\n<mj-button href='https://x.example'>b</mj-button>", "2:1: <mj-text> is not closed"],
    ["<mj-text>{{title}}</mj-text></mj-text>", "2:29: </mj-text> closes nothing: remove it"],
    ["<mj-text>{{title}}</mj-text> and more ", '2:30: MJML leaves the text "and more" out in <mj-column>: put it into'],
    ["<mj-text color='red>{{title}}</mj-text>", "2:1: this tag has no end: is a quotation mark missing?"],
    ["<MJ-Text>{{title}}</MJ-Text>", "2:1: MJML leaves <MJ-Text> out: write mj-text in small letters"],
  ])("is refused where MJML would leave it out without a word: %s", (inner, problem) => {
    const source = `<mjml><mj-body><mj-section><mj-column>\n${inner}</mj-column></mj-section></mj-body></mjml>`;
    expect(mjml(source)).toThrow(`body.mjml:${problem}`);
  });

  it("is refused where a partial does not close what it opens, with the partial's line", () => {
    const source = `<mjml><mj-body><mj-section>\n{{#* inline "c"}}<mj-column><mj-text>x</mj-text>{{/inline}}{{> c}}</mj-section></mj-body></mjml>`;
    expect(mjml(source)).toThrow("body.mjml:2:18: <mj-column> is not closed");
  });

  it("the shared layout shows rows as it shows paragraphs", () => {
    const shown = z.object({ title: z.string(), timestamp: z.string(), source: z.string() });
    const body = "{{#> message}}<mj-table><tr><td>{{title}}</td></tr></mj-table>{{/message}}";
    const files = { "body.mjml": body, "body.txt": "{{title}}" };
    const { html } = templateOfFiles({ id: "example", subject: "S", content: shown }, files);
    expect(html).toMatch(/padding:0 32px 16px;[^<]*<table\b[^>]*color:#1c2430;[^>]*font-size:16px;/);
  });

  it("tells a misspelt name alone, and nothing of what is a link only in the HTML", () => {
    const body = `<mjml><mj-body><mj-section><mj-column>
<mj-text>{{titel}}</mj-text>
<mj-button href="{{address}}">Pay</mj-button></mj-column></mj-section></mj-body></mjml>`;
    const linked = { id: "example", subject: "S", content: z.object({ title: z.string(), address: link() }) };
    const failed = () => templateOfFiles(linked, { "body.mjml": body, "body.txt": "x" });
    expect(failed).toThrow("{{titel}}");
    expect(failed).not.toThrow("mj-button");
  });
});

describe("the hash of a template", () => {
  const template = { subject: "{{subject}}", html: "<p>{{title}}</p>", text: "{{title}}" };

  it.each(["subject", "html", "text"] as const)("is another one where the %s is", (part) => {
    expect(templateHash({ ...template, [part]: `${template[part]} ` })).not.toBe(templateHash(template));
  });

  it("is another one where a text has moved from part to part", () => {
    expect(templateHash({ ...template, html: template.text, text: template.html })).not.toBe(templateHash(template));
  });

  it.each([
    ["Windows", "\r\n"],
    ["old Macs", "\r"],
  ])("is the same with the line ends of %s", (_, lineEnd) => {
    const lines = (end: string) => check(["<p>", "{{title}}</p>", ""].join(end), ["{{title}}", ""].join(end))();
    expect(lines(lineEnd).html).toBe(lines("\n").html);
    expect(templateHash(lines(lineEnd))).toBe(templateHash(lines("\n")));
  });

  it("is a part of the stored name, behind project, stage and id", () => {
    expect(
      storedTemplateName("shop-dev", { id: "mail", subject: "", content }, undefined, () => ({
        ...check("x")(),
        ...template,
      })),
    ).toBe(`shop-dev-mail-${templateHash(template)}`);
    expect(templateHash(template)).toMatch(/^[0-9a-f]{8}$/);
  });
});

it("keeps Terraform from interpolating", () => {
  expect(escapeForTerraform("${a} %{b} $x")).toBe("$${a} %%{b} $x");
});
