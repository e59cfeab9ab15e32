import Handlebars from "handlebars";
import { type Problem, type Source } from "./pieces";

/** What Handlebars' parser read last. Its types do not have it. */
const { lexer } = (Handlebars as unknown as { readonly Parser: { readonly lexer: Lexer } }).Parser;

interface Lexer {
  readonly yylloc: { readonly first_line: number; readonly first_column: number };
}

/**
 * Tells an error of Handlebars' parser with its place and what to write. Its own message has a line only, and lists each
 * token that it would have accepted. It has to be called before anything else is parsed.
 */
export function parseProblem({ file, text }: Source, error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  const { first_line: line, first_column: column } = lexer.yylloc;
  const found = { file, line, column: column + 1 };
  const [, told, place] = /^(.*) - (\d+:\d+)$/.exec(message) ?? [];
  if (told !== undefined && place !== undefined) {
    const [atLine = 1, atColumn = 0] = place.split(":").map(Number);
    return { file, line: atLine, column: atColumn + 1, problem: mismatch(told) };
  }
  if (message.startsWith("Lexical error")) return { ...found, problem: "{{! has no end: write }} or, for {{!--, --}}" };
  const token = /got '(\w+)'$/.exec(message)?.[1] ?? "";
  const open = token === "EOF" ? openBlock(text) : undefined;
  return open === undefined
    ? { ...found, problem: tokenProblem(token, text, found) }
    : { file, ...open.place, problem: `${open.tag} has no end: write {{/${open.name}}} where it ends` };
}

function mismatch(told: string): string {
  const [, open, close] = /^(.*) doesn't match (.*)$/.exec(told) ?? [];
  return open === undefined || close === undefined
    ? `${told}: ../ leads out of a block at the beginning of a path only`
    : `the block "${open}" is closed by {{/${close}}}: blocks end in the reverse order that they begin in, this one with {{/${open}}}`;
}

/** @param at where the parser does not read on: the first line and column are 1. */
function tokenProblem(token: string, text: string, at: { readonly line: number; readonly column: number }): string {
  const lines = text.split("\n");
  const before =
    lines.slice(0, at.line - 1).join("\n") +
    (at.line > 1 ? "\n" : "") +
    (lines[at.line - 1] ?? "").slice(0, at.column - 1);
  const rest = text.slice(before.length);
  const start = Math.max(0, rest.startsWith("{{") ? before.length : before.search(/\{\{+(?:(?!\{\{)[\s\S])*$/));
  const [expression = ""] = /^\{*(?:[^{}]|\}(?!\}))*\}*/.exec(text.slice(start)) ?? [];
  const shown = expression.replace(/\s+/g, " ").trim().slice(0, mostTold);
  switch (token) {
    case "OPEN_ENDBLOCK":
      return `${shown} ends a block that has not begun: remove it, or write {{#..}} before it`;
    case "INVERSE":
      return `${shown} is outside of a block, or its block has one already: remove it, or write {{else if ..}}`;
  }
  if (!expression.includes("}}")) return `${shown} has no end: write }}`;
  if (/^\{\{\{[^}]*\}\}$/.test(expression)) return `${shown} begins with three braces and ends with two: write {{..}}`;
  if (/\[\d+\]/.test(expression))
    return `${shown} asks for a row by its number, and a list may have fewer: show the rows with {{#each}}, or let \`map\` give this one a name`;
  if (/[=!<>&|?+*%]/.test(expression.replace(/^\{+[~#^&>!*]*/, "")))
    return `${shown} has an operator, and Handlebars has none: let \`map\` give the finished value, or a flag for {{#if ..}}`;
  if (/^\{+[~#^&>]*\s*\}/.test(expression)) return `${shown} names nothing: write the name of a value`;
  return `${shown} can't be read here: a name has letters, digits and _, and fields of an object follow a dot, {{order.number}}`;
}

/** Most characters of the author's text that a message repeats. */
const mostTold = 60;

/** The innermost block that is open where the text ends. */
function openBlock(text: string) {
  const open: { readonly tag: string; readonly name: string; readonly at: number }[] = [];
  const bare = text.replace(/\{\{~?!--[\s\S]*?--~?\}\}|\{\{~?![\s\S]*?\}\}/g, (comment) =>
    comment.replace(/[^\n]/g, " "),
  );
  for (const { 0: tag, 1: sign, 2: name = "", index: at } of bare.matchAll(
    /\{\{~?(#[>*]?|\^|\/)\s*([^\s}~]+)[^}]*\}*/g,
  )) {
    if (sign === "/") open.pop();
    else open.push({ tag, name, at });
  }
  const last = open.at(-1);
  if (last === undefined) return undefined;
  const lines = text.slice(0, last.at).split("\n");
  return { ...last, place: { line: lines.length, column: (lines.at(-1) ?? "").length + 1 } };
}
