import * as z from "zod";
import Handlebars from "handlebars";
import { compilePart } from "/work/wt/content/stacks/templates/compile";
import { contentTypeOf } from "/work/wt/content/stacks/templates/content-type";
import { toData } from "/work/wt/content/handler/contract/template-data";
import { escapeHtml } from "/work/wt/content/handler/contract/text";
const row = z.object({ name: z.string(), qty: z.number(), note: z.string().optional() });
const schema = z.object({ title: z.string(), rows: z.array(row), by: z.record(z.string(), z.number()), addr: z.object({ city: z.string(), zip: z.string().optional() }).optional(), tags: z.array(z.string()), urgent: z.boolean(), lang: z.enum(["en","fr"]), greet: z.object({en: z.string(), fr: z.string()}), total: z.number() });
const type = contentTypeOf(schema, "content");
const partials: Record<string,string> = { button: "[{{label}} {{title}} {{#if label}}L{{else}}N{{/if}}]", addr: "<{{city}}{{#if zip}} {{zip}}{{/if}} {{../title}}>", lay: "HEAD {{title}} {{> @partial-block}} FOOT" };
const P = { names: Object.keys(partials), read: (n: string) => partials[n]===undefined?undefined:{ file: n+".html", text: partials[n]! } };
const data = { title: "A&B", rows: [{name:"x<", qty: 0}, {name: "y", qty: 2, note: "n"}], by: {"k&": 3}, tags: ["t<"], urgent: false, lang: "fr", greet: {en:"hi",fr:"salut"}, total: 5 };
for (const t of process.argv.slice(2)) {
  const c = compilePart({ file: "body.html", text: t }, "html", type, P);
  const text = c.pieces.map(p=>p.text).join("");
  console.log("SRC ", t); console.log("OUT ", text); for (const p of c.problems) console.log("  ! ", `${p.file}:${p.line}:${p.column}: ${p.problem}`);
  if (c.problems.length===0) { const d = { html: toData(data, c.reads, escapeHtml) }; console.log("DATA", JSON.stringify(d)); console.log("MAIL", Handlebars.compile(text,{noEscape:true,strict:true})(d)); }
}
