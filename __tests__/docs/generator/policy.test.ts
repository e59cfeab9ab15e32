import { suppressionsOf } from "../../../docs/generator/documents";
import { policyDocument } from "../../../docs/generator/policy";
import { peers } from "../../../docs/generator/policy-peers";
import { synthesizeForCi } from "../../../docs/generator/stack";
import { rules } from "../../../stacks/policy/rules";

const suppression = {
  rule: "no-wildcard",
  address: "data.aws_iam_policy_document.reads",
  appliesTo: ["ses:GetAccount on *"],
  reason: "GetAccount has no resource-level permissions in IAM.",
};

it("has a row for each rule, and one for each suppression with its reason", () => {
  const document = policyDocument({
    "The stack": [suppression],
    "The other stack": [suppression, { ...suppression, address: "data.x.y" }],
  });
  for (const { id, why } of rules) {
    expect(document).toContain(`| \`${id}\` | `);
    expect(document).toContain(why.replaceAll("|", "\\|"));
  }
  expect(document).toContain("\nThe stack has this one:\n");
  expect(document).toMatch(/\nThe other stack has these:\n[^]*`data\.x\.y`/);
  expect(document).toContain(
    "| `no-wildcard` | `data.aws_iam_policy_document.reads` | `ses:GetAccount on *` | GetAccount has no resource-level permissions in IAM. |",
  );
});

it("has the suppressions of every stack of a stage, and says of a stack that it has none", () => {
  const stacks = synthesizeForCi();
  expect(Object.values(suppressionsOf(stacks))).toEqual([
    stacks.notification.suppressions,
    stacks.ciAccess.suppressions,
    stacks.stateBackend.suppressions,
  ]);
  expect(Object.keys(suppressionsOf(stacks))).toHaveLength(Object.keys(stacks).length);
  const document = policyDocument(suppressionsOf({ ...stacks, ciAccess: { ...stacks.ciAccess, suppressions: [] } }));
  expect(document).toContain("\nThe notification stack has ");
  expect(document).toContain("\nThe stack `ci-access` has none.\n");
  const inState = { ...stacks.stateBackend, suppressions: [suppression] };
  expect(policyDocument(suppressionsOf({ ...stacks, stateBackend: inState }))).toMatch(
    /\nThe stack `state-backend` has this one:\n[^]*GetAccount has no/,
  );
});

it("says what each rule of the peers is here", () => {
  const document = policyDocument({});
  for (const { id, answer } of peers.flatMap((peer) => peer.rules)) {
    const here = "held" in answer ? "held" : "suppressed" in answer ? "suppressed because" : "not applicable";
    expect(document).toContain(`| ${id} | ${here} | `);
  }
});

it("answers each rule once, and each answer that is no rule has a reason of substance", () => {
  for (const peer of peers) {
    const ids = peer.rules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { answer } of peer.rules) {
      if ("held" in answer) expect(answer.held).not.toEqual([]);
      if ("suppressed" in answer) expect(answer.suppressed).toMatch(/^[A-Z].{20,}\.$/);
    }
  }
});

it("refuses an answer that names a rule that does not exist", () => {
  const [peer] = peers;
  const renamed = [
    { title: "Peer", source: peer?.source ?? "", rules: [{ id: "P1", answer: { held: ["no-wildcards"] } }] },
  ];
  expect(() => policyDocument({}, undefined, renamed)).toThrow(
    /docs\/policy\.md can't be generated\. Correct docs\/generator\/policy-peers\.ts\.\n {2}Peer's P1 is held by no-wildcards, which is no rule\./,
  );
});
