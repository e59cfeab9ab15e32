import { readdirSync } from "node:fs";
import { join } from "node:path";
import { findIamProblems, type Need, needsMetBy, needsOf, type Principal, type Statement, statementsOf } from "./iam";
import { code, generatedLine, refuse, table } from "./markdown";
import { arnTail, inWords, resourcesBehind } from "./references";
import { callsOf } from "./sdk-calls";
import { type SynthesizedStack } from "./stack";

const handler = "handler/index.ts";

/**
 * @throws Error that lists each permission that nothing needs, each call that nothing allows, and each import that
 * hides calls.
 */
export function iamDocument(stack: SynthesizedStack): string {
  const { calls, problems } = callsOf(handler);
  const needs = needsOf(stack, calls);
  refuse("docs/iam.md", "the policies in stacks/constructs, or the calls of the code", [
    ...problems,
    ...findIamProblems(stack, needs),
  ]);
  const statements = statementsOf(stack);
  const allowed = (kind: Principal["kind"]) =>
    statements
      .filter(({ effect, principals }) => effect === "Allow" && principals.some((each) => each.kind === kind))
      .map((statement) => rowOf(stack, statement, needs));
  const head = ["Who", "May", "On", "Where", "Needed by"];
  return `${generatedLine}

# Who may do what

Every permission of a stage stands here with what needs it: a file of ours, or the service of AWS that makes the call.
\`npm run docs\` fails where nothing needs a permission, and where nothing allows a call. Names are those behind project and stage;
\`<stage>\` is project and stage together. A further notification needs no further permission.

## The functions

The code's calls are read from the commands of the AWS SDK that its files import.

${table(head, allowed("role"))}

## AWS's services

${table(head, allowed("service"))}

## The account

People and Terraform manage the key with these, as far as their own policies let them.

${table(
  head.slice(0, 4),
  allowed("account").map((row) => row.slice(0, 4)),
)}

## What is refused to everybody

${table(
  ["Refused", "On", "Where"],
  statements.filter(({ effect }) => effect === "Deny").map((statement) => rowOf(stack, statement, needs).slice(1, 4)),
)}

## The commands

A command has the permissions of the person who runs it. These are all the calls that the files which it loads can make; \`npm run plan\`,
\`npm run deploy\` and \`npm run destroy\` run Terraform instead.

${table(["Command", "Calls", "In"], commandRows())}
`;
}

function rowOf(stack: SynthesizedStack, statement: Statement, needs: readonly Need[]): string[] {
  const { principals, actions, resources, conditions } = statement;
  const reasons = actions.flatMap((action) => needsMetBy(stack, statement, action, needs)).map(({ reason }) => reason);
  return [
    lines(principals.map((principal) => whoIs(stack, principal))),
    lines(actions.map(code)),
    lines(resources.map((text) => whatIs(stack, text))),
    lines(conditions.map(({ test, variable, values }) => conditionInWords(stack, test, variable, values))),
    lines(joined(reasons)),
  ];
}

const lines = (texts: readonly string[]) => [...new Set(texts)].join("<br>");

/** Reasons that differ only in the rule's name, as one: EventBridge, for rule `a`, rule `b`. */
function joined(reasons: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const reason of new Set(reasons)) {
    const [first = "", rest] = reason.split(", for rule ");
    groups.set(first, [...(groups.get(first) ?? []), ...(rest === undefined ? [] : [rest])]);
  }
  return [...groups].map(([first, rules]) => {
    if (rules.length === 0) return first;
    return `${first}, for ${rules.length === 1 ? "rule" : "rules"} ${rules.join(", ")}`;
  });
}

function whoIs(stack: SynthesizedStack, principal: Principal): string {
  if (principal.kind === "everybody") return "everybody";
  if (principal.kind !== "role") return principal.name.endsWith(":root") ? "the account" : code(principal.name);
  const { role: own } = principal;
  const functions = Object.entries(stack.resources.aws_lambda_function ?? {}).filter(([, { role }]) =>
    resourcesBehind(stack, role).some(({ address }) => address === own.address),
  );
  if (functions.length === 0) return inWords(own, stack);
  return lines(
    functions.map(([id, attributes]) =>
      inWords({ type: "aws_lambda_function", address: `aws_lambda_function.${id}`, attributes }, stack),
    ),
  );
}

/** A resource of a statement in words. What no resource of the stack answers to, or what many do, stands as its ARN ends. */
function whatIs(stack: SynthesizedStack, text: string): string {
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

function conditionInWords(stack: SynthesizedStack, test: string, variable: string, values: readonly string[]): string {
  const [, each, name = test] = /^(?:(ForAllValues|ForAnyValue):)?(.*)$/.exec(test) ?? [];
  const who = each === undefined ? "" : each === "ForAllValues" ? "each " : "one of ";
  const shown = values.map((value) =>
    resourcesBehind(stack, value).length > 0 || arnTail(value) ? whatIs(stack, value) : code(value),
  );
  return `${who}${code(variable)} ${operators[name] ?? name} ${shown.join(", ")}`;
}

function commandRows(): string[][] {
  const folder = "operations/commands";
  return readdirSync(join(__dirname, "..", "..", folder))
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .flatMap((file) => {
      const { calls, problems } = callsOf(`${folder}/${file}`);
      refuse("docs/iam.md", "the imports of the AWS SDK", problems);
      const files = [...new Set(calls.map((call) => call.file))];
      return files.map((from, at) => [
        at === 0 ? code(`npm run ${file.replace(".ts", "")}`) : "",
        lines(calls.filter((call) => call.file === from).map(({ action }) => code(action))),
        code(from),
      ]);
    });
}
