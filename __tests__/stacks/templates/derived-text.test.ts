import Handlebars from "handlebars";
import * as z from "zod";
import { link } from "../../../handler/contract/content-types";
import { toTemplateData } from "../../../handler/contract/template-data";
import { templateOfFiles } from "../../support/template-files";

const schema = z.object({
  a: z.boolean(),
  b: z.boolean(),
  rows: z.array(z.object({ name: z.string(), price: z.string(), tags: z.array(z.string()) })),
  u: link(),
  name: z.string(),
});
const row = (name: string, tags: string[] = []) => ({ name, price: "9.00", tags });
const content = {
  a: true,
  b: true,
  rows: [row("x", ["1", "2"]), row("y")],
  u: "https://x.example/?a=1&b=2",
  name: "Ada",
};

/** The text part that is made of the HTML. Renderers that drop the line of a tag and those that don't show the same. */
function textOf(body: string, changes: Partial<z.input<typeof schema>> = {}, name = "body.html"): string {
  const { text, reads } = templateOfFiles({ id: "example", subject: "S", content: schema }, { [name]: body });
  const data = toTemplateData(schema.parse({ ...content, ...changes }), reads);
  const [dropped, kept] = [false, true].map((ignoreStandalone) =>
    Handlebars.compile(text, { noEscape: true, strict: true, ignoreStandalone })(data),
  );
  expect(kept).toBe(dropped);
  return dropped ?? "";
}

const p = (text: string) => `<p>${text}</p>`;

it.each([
  ["{{#if a}}<p>A</p>{{/if}}", {}, "1\n\nA\n\n2\n"],
  ["{{#if a}}<p>A</p>{{/if}}", { a: false }, "1\n\n2\n"],
  ["\n{{#if a}}\n<p>A</p>\n{{else}}\n<p>B</p>\n{{/if}}\n", { a: false }, "1\n\nB\n\n2\n"],
  ["{{#if a}}<div>A</div>{{else if b}}<div>B</div>{{/if}}", {}, "1\n\nA\n\n2\n"],
  ["{{#if a}}<div>A</div>{{else if b}}<div>B</div>{{/if}}", { a: false }, "1\n\nB\n\n2\n"],
  ["{{#if a}}<div>A</div>{{else if b}}<div>B</div>{{/if}}", { a: false, b: false }, "1\n\n2\n"],
  ["{{#if a}}<p>A</p>{{/if}}{{#if b}}<p>B</p>{{/if}}", {}, "1\n\nA\n\nB\n\n2\n"],
  ["{{#if a}}<p>A</p>{{/if}}{{#if b}}<p>B</p>{{/if}}", { a: false }, "1\n\nB\n\n2\n"],
  ["{{#if a}}<p>A</p>{{/if}}{{#if b}}<p>B</p>{{/if}}", { b: false }, "1\n\nA\n\n2\n"],
  ["{{#if a}}<p>A</p>{{/if}}{{#if b}}<p>B</p>{{/if}}", { a: false, b: false }, "1\n\n2\n"],
  ["{{#if a}}{{#if b}}<p>B</p>{{/if}}<div>D</div><div>E</div>{{/if}}", {}, "1\n\nB\n\nD\nE\n\n2\n"],
  ["{{#if a}}{{#if b}}<p>B</p>{{/if}}<div>D</div><div>E</div>{{/if}}", { b: false }, "1\n\nD\nE\n\n2\n"],
  ["{{#if a}}{{/if}}{{#if b}}{{! nothing }}{{else}}{{/if}}", {}, "1\n\n2\n"],
  ["<ul>{{#each rows}}<li>{{name}}</li>{{/each}}</ul>", {}, "1\n\n * x\n * y\n\n2\n"],
  ["{{#if rows}}<ul>{{#each rows}}<li>{{name}}</li>{{/each}}</ul>{{/if}}", { rows: [] }, "1\n\n2\n"],
  ["{{#each rows}}<p>{{name}}</p>{{else}}<p>None</p>{{/each}}", { rows: [] }, "1\n\nNone\n\n2\n"],
  ["<ol>{{#each rows}}<li>{{name}}</li>{{/each}}</ol>", {}, "1\n\n * x\n * y\n\n2\n"],
  ["<ol><li>A</li>{{#if a}}<li>B</li>{{/if}}<li>C</li></ol>", { a: false }, "1\n\n * A\n * C\n\n2\n"],
  ["<ol><li>A</li><li>B</li></ol>", {}, "1\n\n 1. A\n 2. B\n\n2\n"],
  [
    "<table>{{#each rows}}<tr{{#if @first}} class='x'{{/if}}><td>{{name}}</td><td><p>{{price}}</p></td></tr>{{/each}}<tr><td>Sum</td></tr></table>",
    {},
    "1\n\nx 9.00\ny 9.00\nSum\n\n2\n",
  ],
  [
    "<ul>{{#each rows}}<li>{{name}}<ul>{{#each tags}}<li>{{this}}</li>{{/each}}</ul></li>{{/each}}</ul>",
    {},
    "1\n\n * x\n   * 1\n   * 2\n * y\n\n2\n",
  ],
])("has no spare blank line, and none too few: %s with %j", (middle, changes, text) => {
  expect(textOf(p("1") + middle + p("2"), changes)).toBe(text);
});

it.each([
  ["a mail that begins with a branch", "{{#if a}}<p>A</p>{{/if}}<p>B</p>", { a: false }, "B\n"],
  ["a mail that begins with a branch", "{{#if a}}<p>A</p>{{/if}}<p>B</p>", {}, "A\n\nB\n"],
  ["a mail that ends with a branch", "<p>A</p>{{#if a}}<p>B</p>{{/if}}", { a: false }, "A\n"],
  ["a mail that ends with a loop", "<p>A</p>{{#each rows}}<p>{{name}}</p>{{/each}}", {}, "A\n\nx\n\ny\n"],
  ["a branch within a line", "<p>Dear {{#if a}}{{name}}{{else}}you{{/if}}, hello</p>", {}, "Dear Ada, hello\n"],
  [
    "rows within a line",
    "<p>For {{#each rows}}{{name}}{{#unless @last}}, {{/unless}}{{/each}}.</p>",
    {},
    "For x, y.\n",
  ],
  [
    "a tag that takes the blanks around it",
    "<p>A</p> {{~#if a~}} <p>B {{~name~}} !</p>{{~/if~}} <p>C</p>",
    {},
    "A\n\nBAda!\n\nC\n",
  ],
  ["an address that is its own text", '<p><a href="{{u}}">{{u}}</a></p>', {}, "https://x.example/?a=1&b=2\n"],
  [
    "an address behind words",
    '<p><a {{#if a}}target="_blank"{{/if}} href="{{u}}">Go</a></p>',
    {},
    "Go [https://x.example/?a=1&b=2]\n",
  ],
  ["a hidden preheader", '<div style="display: none">Pre {{name}}</div><p>A</p>', {}, "A\n"],
  ["one that is hidden from Outlook", '<div style="max-height:0;mso-hide:all">Pre</div><p>A</p>', {}, "A\n"],
  [
    "one that is hidden by a style sheet, and what is hidden on small screens only",
    "<style>.pre, #x { color: red; display:none !important } @media (max-width: 9px) { .big { display: none } }</style><p class='pre'>Pre</p><i id='x'>x</i><p class='big'>A</p>",
    {},
    "A\n",
  ],
  ["a picture that says something", '<p><img src="https://x.example/a.png" alt="Up by 3 %"></p>', {}, "Up by 3 %\n"],
  ["a picture that says nothing", '<p>A<img src="https://x.example/a.png" alt=""></p>', {}, "A\n"],
  ["a picture that says what stands beside it", '<p><img src="{{u}}" alt="{{name}}">{{name}}</p>', {}, "Ada\n"],
  [
    "a picture that is a link",
    '<p>Shop</p><a href="{{u}}"><img src="{{u}}" alt="Shop"></a>',
    {},
    "Shop\n\nShop [https://x.example/?a=1&b=2]\n",
  ],
  [
    "cells with blocks in blocks",
    "<table><tr><td><div><b>A</b></div></td><td><table><tr><td><p>B</p></td></tr></table></td></tr></table>",
    {},
    "A B\n",
  ],
])("reads well: %s", (_, html, changes, text) => {
  expect(textOf(html, changes)).toBe(text);
});

it("has a paragraph for each component of MJML, and a line for columns", () => {
  const column = (text: string) => `<mj-column><mj-text>${text}</mj-text></mj-column>`;
  const body = `<mj-section><mj-column><mj-text>A</mj-text><mj-text>B</mj-text></mj-column></mj-section>
<mj-raw>{{#each rows}}</mj-raw><mj-section>${column("{{name}}")}${column("{{price}}")}</mj-section><mj-raw>{{/each}}</mj-raw>`;
  const mjml = `<mjml><mj-head><mj-preview>Pre</mj-preview></mj-head><mj-body>${body}</mj-body></mjml>`;
  expect(textOf(mjml, {}, "body.mjml")).toBe("A\n\nB\n\nx 9.00\n\ny 9.00\n");
});
