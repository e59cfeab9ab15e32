import { readdirSync } from "node:fs";
import { join } from "node:path";
import { findIamProblems, type Need, needsMetBy, needsOf, type Principal, type Statement, statementsOf } from "./iam";
import { code, generatedLine, refuse, table } from "./markdown";
import { ciRows } from "./iam-ci";
import { conditionInWords, lines, whatIs } from "./iam-words";
import { inWords, resourcesBehind } from "./references";
import { callsOf } from "./sdk-calls";
import { type CiStacks, type SynthesizedStack } from "./stack";

const handler = "handler/index.ts";

/**
 * @throws Error that lists each permission that nothing needs, each call that nothing allows, and each import that
 * hides calls.
 */
export function iamDocument(stack: SynthesizedStack, ci: CiStacks): string {
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
  const rows = ciRows(ci, needs);
  const denied = [ci.stateBackend, stack].flatMap((each) =>
    statementsOf(each)
      .filter(({ effect }) => effect === "Deny")
      .map((statement) => rowOf(each, statement, needs).slice(1, 4)),
  );
  return `${generatedLine}

# Who may do what

Every permission of a stage stands here with what needs it: a file of ours, the service of AWS that makes the call, or Terraform.
\`npm run docs\` fails where nothing needs a permission, and where nothing allows a call. Names are those behind project and stage;
\`<stage>\` is project and stage together. The stage is \`prod\` of \`project\` in us-east-1. A further notification needs no further permission.

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

${table(["Refused", "On", "Where"], denied)}

## GitHub's workflows

The stack \`ci-access\` makes three roles and a boundary for the functions ([ci-access.md](ci-access.md)). No role has a key: GitHub's
token for a job takes it on, and only where this holds of the token:

${table(["Role", "Where"], rows.trust)}

The rows are those of a stage with everything that it can switch on: a sending domain, its records in a hosted zone, tracking, and a
list of those who may be mailed. A stage without one of these has no permission for it, and without the list no condition on recipients.

### Plan and deploy

The plan role may do what the column _reads_ has, which includes the lock of the state. The deploy role may do both. Terraform used each
of these permissions when a test planned, applied, changed and destroyed a stage; \`npm run docs\` fails where one is in none of the
recorded requests. The last column has the kinds of resources that Terraform needs them for.

${table(["On", "Reads", "Changes", "Where", "Terraform needs it for"], rows.terraform)}

### Smoke

These are the calls of \`npm run smoke\` in the files that make them. \`npm run docs\` fails where the role lacks one, or has another. It
has none for \`--replay\`, which no workflow runs.

${table(["On", "May", "Needed by"], rows.smoke)}

### The most that a function may do

The deploy role writes the functions' policies, so the boundary limits what it can write. A function may do what both its policy above
and the boundary allow. \`ses:Recipients\` is the stage's list of those who may be mailed: the policies of its functions have the same
condition, each where the list fits, and none has it where everybody may be mailed. The synth warns where a list does not fit.

${table(["At most", "On", "Where", "Needed by"], rows.boundary)}

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
    lines(conditions.map((condition) => conditionInWords(stack, condition))),
    lines(joined(reasons)),
  ];
}

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
  if (principal.kind === "everybody" || principal.kind === "boundary") return principal.kind;
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
