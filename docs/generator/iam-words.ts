import { type Condition } from "./iam";
import { code } from "./markdown";
import { arnTail, inWords, resourcesBehind } from "./references";
import { type SynthesizedStack } from "./stack";

/** Parts of statements as the IAM matrix writes them. */

/** Lines of a table's cell, each once. */
export const lines = (texts: readonly string[]) => [...new Set(texts)].join("<br>");

/** A resource of a statement in words. What no resource of the stack answers to, or what many do, stands as its ARN ends. */
export function whatIs(stack: SynthesizedStack, text: string): string {
  const found = resourcesBehind(stack, text);
  const [only] = found;
  if (only !== undefined && found.length === 1 && (text.startsWith("${") || !text.includes("*"))) {
    return inWords(only, stack);
  }
  return code(withoutPrefix(arnTail(text) ?? text, stack));
}

function withoutPrefix(text: string, { prefix }: SynthesizedStack): string {
  return text.replaceAll(prefix, "<stage>");
}

/** Operators of conditions in words. The others stand as IAM has them. */
const operators: Readonly<Record<string, string>> = {
  ArnEquals: "is",
  ArnLike: "is like",
  ArnNotEquals: "is none of",
  Bool: "is",
  StringEquals: "is",
  StringLike: "is like",
};

/** A condition of a statement in words. */
export function conditionInWords(stack: SynthesizedStack, { test, variable, values }: Condition): string {
  if (test === "Null") return `${code(variable)} is ${values.includes("true") ? "not there" : "there"}`;
  const [, each, name = test] = /^(?:(ForAllValues|ForAnyValue):)?(.*)$/.exec(test) ?? [];
  const who = each === undefined ? "" : each === "ForAllValues" ? "each " : "one of ";
  const shown = values.map((value) =>
    resourcesBehind(stack, value).length > 0 || arnTail(value) ? whatIs(stack, value) : code(value),
  );
  return `${who}${code(variable)} ${operators[name] ?? name} ${shown.join(", ")}`;
}
