import { type Rule } from "../../stacks/policy/rule";
import { ruleGroups } from "../../stacks/policy/rules";
import { type PlacedSuppression, suppressionRule } from "../../stacks/policy/suppressions";
import { generatedLine, refuse, table } from "./markdown";
import { type Peer, peers } from "./policy-peers";

type Groups = Readonly<Record<string, readonly Rule[]>>;

/**
 * @param suppressions those of each stack, by what a sentence calls the stack.
 * @throws Error that lists every rule that a peer's answer names and that does not exist.
 */
export function policyDocument(
  suppressions: Readonly<Record<string, readonly PlacedSuppression[]>>,
  groups: Groups = ruleGroups,
  answered: readonly Peer[] = peers,
): string {
  refuse("docs/policy.md", "docs/generator/policy-peers.ts", findPeerProblems(groups, answered));
  return `${generatedLine}

# Policy

Each synth checks the stack's Terraform JSON against these rules, and fails with every violation: the rule, the resource, what is
wrong there, and why it matters. The rules are in \`stacks/policy/rules\`, and
[ADR 19](decisions/0019-policy-as-code.md) says why they are our own.

## Rules

${Object.entries(groups)
  .map(
    ([title, rules]) => `### ${title}

${table(
  ["Rule", "What it checks", "Why"],
  rules.map(({ id, checks, why }) => [`\`${id}\``, checks, why]),
)}`,
  )
  .join("\n\n")}

## Suppressions

A resource may be exempt from a rule, with a reason. The exemption stands beside the resource:

\`\`\`ts
suppress(document, {
  rule: "no-wildcard",
  appliesTo: ["ses:GetAccount on *"],
  reason: "GetAccount has no resource-level permissions: IAM takes it on every resource or not at all.",
});
\`\`\`

Where a violation ends with a text in square brackets, \`appliesTo\` has to name that text, so that the suppression covers nothing that
is added later. A reason has at least 30 characters. ${suppressionRule.checks} Otherwise the synth fails with
\`${suppressionRule.id}\`, which can't be suppressed. Each synth prints every suppression.

${Object.entries(suppressions)
  .map(([stack, ofStack]) => suppressionSection(stack, ofStack))
  .join("\n\n")}

## The rules of others

${answered.map(peerSection).join("\n\n")}
`;
}

function suppressionSection(stack: string, suppressions: readonly PlacedSuppression[]): string {
  if (suppressions.length === 0) return `${stack} has none.`;
  return `${stack} has ${suppressions.length === 1 ? "this one" : "these"}:

${table(
  ["Rule", "Resource", "For", "Reason"],
  suppressions.map(({ rule, address, appliesTo = [], reason }) => [
    `\`${rule}\``,
    `\`${address}\``,
    appliesTo.map((part) => `\`${part}\``).join(", "),
    reason,
  ]),
)}`;
}

function peerSection({ title, source, rules }: Peer): string {
  return `### ${title}

${source}

${table(
  ["Rule", "Here", "By, or because"],
  rules.map(({ id, answer }) => {
    if ("held" in answer) return [id, "held", answer.held.map((rule) => `\`${rule}\``).join(", ")];
    return "suppressed" in answer
      ? [id, "suppressed because", answer.suppressed]
      : [id, "not applicable", answer.notApplicable];
  }),
)}`;
}

function findPeerProblems(groups: Groups, answered: readonly Peer[]): string[] {
  const known = Object.values(groups)
    .flat()
    .map(({ id }) => id);
  return answered.flatMap(({ title, rules }) =>
    rules.flatMap(({ id, answer }) =>
      ("held" in answer ? answer.held : [])
        .filter((rule) => !known.includes(rule))
        .map((rule) => `${title}'s ${id} is held by ${rule}, which is no rule.`),
    ),
  );
}
