import { type Place } from "./pieces";

/** What messages and the compiled template call things. */

export const subexpressionProblem =
  "SES does not know (helpers within helpers): let `map` give the value, or put one block into the other";

export function helperProblem(name: string, told: string): string {
  return name === "log"
    ? `${told} writes to a log that nobody has: remove it`
    : `${told} is a helper of one's own, and SES has none: let \`map\` give the finished value`;
}

export function mustacheOf(inner: string, strip: Partial<hbs.AST.StripFlags> | undefined): string {
  return `{{${strip?.open === true ? "~" : ""}${inner}${strip?.close === true ? "~" : ""}}}`;
}

export function shownPath(path: hbs.AST.PathExpression): string {
  return `{{${path.original}}}`;
}

export function shown({ path, params, escaped }: hbs.AST.MustacheStatement): string {
  const words = [path, ...params].map(wordOf).join(" ");
  return escaped ? `{{${words}}}` : `{{{${words}}}}`;
}

export function shownBlock({ path, params }: hbs.AST.BlockStatement): string {
  return `{{#${[path, ...params].map(wordOf).join(" ")}}}`;
}

/** A name or a constant, as the author wrote it. */
function wordOf(expression: hbs.AST.Expression): string {
  const { original } = expression as { readonly original?: string | number | boolean };
  return original === undefined ? ".." : String(original);
}

export function placeOf({ loc }: hbs.AST.Node, file: string): Place {
  return { file, line: loc.start.line, column: loc.start.column + 1 };
}
