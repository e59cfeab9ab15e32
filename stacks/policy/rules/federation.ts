import { allowing, isOwnAccount } from "../ours";
import { type Finding, type Rule, type TrustedWorkflows } from "../rule";
import { all, type Attributes, objects, resourceBehind, strings, type SynthesizedStack } from "../synthesized";

/** The host that signs GitHub's tokens (https://docs.github.com/en/actions/reference/security/oidc). */
const github = "token.actions.githubusercontent.com";

/** The only audience that AWS's own action asks for. */
const audience = "sts.amazonaws.com";

/** The subject of a token: one repository, and an environment or a branch of it. */
const subject = /^repo:([^:*?]+\/[^:*?]+):(?:environment|ref):[^*?]+$/;

/** Rules on the identities of elsewhere that a role trusts. */
export const federationRules: readonly Rule[] = [
  {
    id: "federation-is-bound",
    checks:
      "A federated principal is an OIDC provider of this account, and its `aud` and `sub` are held by `StringEquals`, without a wildcard. For GitHub, `aud` is `sts.amazonaws.com`, and `sub` names one environment or ref of the one repository that the whole stack trusts. In `ci-access` that is the stage's own repository in one of the stage's two environments, and a role for the environment of the deployment holds `ref` to the deployed branch, where AWS reads it.",
    why: "Whoever can get a token that fits takes on the role: a pull request is anyone's, and a pattern fits names that others may choose (https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws).",
    check: (stack, _, { github: workflows }) => {
      const trusts = allowing(stack).flatMap(({ address, statement }) =>
        objects(statement.principals)
          .filter(({ type }) => type === "Federated")
          .flatMap(({ identifiers }) => strings(identifiers))
          .map((identifier) => ({ address, identifier, statement, host: hostOf(stack, identifier) })),
      );
      const repositories = trusts
        .filter(({ host }) => host === github)
        .flatMap(({ address, statement }) =>
          held(statement, `${github}:sub`).flatMap((sub) => {
            const [, repository] = subject.exec(sub) ?? [];
            return repository === undefined ? [] : [{ address, repository, sub }];
          }),
        );
      return [
        ...trusts.flatMap(({ address, identifier, statement, host }) =>
          [
            ...problemsOf(statement, identifier, host),
            ...(workflows === undefined || host !== github ? [] : strangersIn(statement, workflows)),
          ].map((problem): Finding => ({ address, problem, appliesTo: `${problem} ${conditionsOf(statement)}` })),
        ),
        ...repositories
          .filter(({ repository }) => workflows === undefined && repository !== repositories[0]?.repository)
          .map(({ address, repository, sub }): Finding => ({
            address,
            problem: `trusts ${repository} beside ${String(repositories[0]?.repository)}`,
            appliesTo: sub,
          })),
        ...all(stack.resource, "aws_iam_openid_connect_provider")
          .filter(([, { url }]) => hostIn(url) === github)
          .flatMap(([id, provider]) =>
            strings(provider.client_id_list)
              .filter((client) => client !== audience)
              .map((client) => ({
                address: `aws_iam_openid_connect_provider.${id}`,
                problem: `takes tokens for the audience ${client}`,
                appliesTo: client,
              })),
          ),
      ];
    },
  },
];

function problemsOf(statement: Attributes, identifier: string, host: string | undefined): string[] {
  if (host === undefined) return [`trusts ${identifier}, which is no OIDC provider of this account`];
  const [audiences, subjects] = [held(statement, `${host}:aud`), held(statement, `${host}:sub`)];
  if (host === github) {
    return [
      ...(audiences.join() === audience ? [] : [`does not hold ${host}:aud to ${audience}, by StringEquals`]),
      // Several values are as many subjects, of which any will do.
      ...(subjects.length === 1 && subject.test(subjects[0] ?? "")
        ? []
        : [`does not hold ${host}:sub to one environment or ref of one repository, by StringEquals`]),
    ];
  }
  return Object.entries({ aud: audiences, sub: subjects })
    .filter(([, values]) => values.length === 0 || values.some((value) => /[*?]/.test(value)))
    .map(([claim]) => `does not hold ${host}:${claim} by StringEquals`);
}

/** What a well-formed subject of GitHub's names that is not of the stage. */
function strangersIn(statement: Attributes, { repository, stage, ref }: TrustedWorkflows): string[] {
  const own = [stage, `${stage}-plan`].map((environment) => `repo:${repository}:environment:${environment}`);
  return held(statement, `${github}:sub`)
    .filter((sub) => subject.test(sub))
    .flatMap((sub) => {
      if (!own.includes(sub)) return [`trusts ${sub}, and the stage's workflows are ${own.join(" and ")}`];
      const isHeld = ref === undefined || sub !== own[0] || held(statement, `${github}:ref`).join() === ref;
      return isHeld ? [] : [`trusts ${sub} without holding ${github}:ref to ${ref}, by StringEquals`];
    });
}

/** All conditions in words, so that a suppression holds for these alone. */
function conditionsOf(statement: Attributes): string {
  const conditions = objects(statement.condition).map(
    ({ test, variable, values }) => `${String(test)} ${String(variable)} ${strings(values).join(", ")}`,
  );
  return conditions.length === 0 ? "without a condition" : `where ${conditions.sort().join(" and ")}`;
}

/** The values that the key may have. Terraform makes one list of several conditions on one key. */
function held(statement: Attributes, key: string): string[] {
  return objects(statement.condition)
    .filter(({ test, variable }) => test === "StringEquals" && String(variable).toLowerCase() === key)
    .flatMap(({ values }) => strings(values));
}

/** The host of an OIDC provider that is in the stack, or of this account. */
function hostOf(stack: SynthesizedStack, identifier: string): string | undefined {
  const found = resourceBehind(stack, identifier);
  if (found !== undefined) {
    return found.type === "aws_iam_openid_connect_provider" ? hostIn(found.attributes.url) : undefined;
  }
  const [, host] = /^arn:[^:]+:iam::[^:]+:oidc-provider\/([^*?]+)$/.exec(identifier) ?? [];
  return isOwnAccount(stack, identifier) ? host?.toLowerCase() : undefined;
}

const hostIn = (url: unknown): string =>
  String(url)
    .replace(/^https:\/\//, "")
    .toLowerCase();
