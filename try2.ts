import * as z from "zod";
import { compilePart } from "./stacks/templates/compile";
import { contentTypeOf } from "./stacks/templates/content-type";
import { contextProblems } from "./stacks/templates/html-context";
import { link, safeHtml } from "./handler/contract/content-types";
const type = contentTypeOf(z.object({ t: z.string(), u: link(), m: safeHtml(), f: z.boolean() }), "content");
for (const t of process.argv.slice(2)) {
  const c = compilePart({ file: "body.html", text: t }, "html", type, {names:[],read:()=>undefined});
  console.log("SRC ", t); for (const p of [...c.problems,...contextProblems(c.pieces)]) console.log("  ! ", `${p.line}:${p.column}: ${p.problem}`);
}
