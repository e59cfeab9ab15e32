import { runSimulation } from "@cloud-copilot/iam-simulate";
import { type AuthorizationRequest } from "./authorization";

export interface PolicyStatement {
  readonly Sid: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly [member: string]: unknown;
}

export interface PolicyDocument {
  readonly Version: string;
  readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

/** A role as the evaluator sees it. */
export interface EvaluatedRole {
  readonly arn: string;
  readonly policies: readonly PolicyDocument[];
  /** @default none */
  readonly boundary?: PolicyDocument;
}

export interface Evaluation {
  readonly allowed: boolean;
  /** The resource's type by AWS's Service Authorization Reference; `*` where the action takes none. */
  readonly resourceType: string;
  /** The statements that allow the request, by their Sid. */
  readonly statements: readonly string[];
  /** What of the policies allows the request: `<sid> <action>` and `<sid> on <resource>`. */
  readonly used: readonly string[];
}

/**
 * Evaluates one request as IAM would, with the role's own policy.
 * @param resourcePolicy the policy of the resource, which AWS demands for a KMS key
 * (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
 * @throws Error where a policy is malformed, or where the action takes no such resource.
 */
export async function evaluate(
  { arn, policies, boundary }: EvaluatedRole,
  { action, resource, context }: AuthorizationRequest,
  resourcePolicy?: PolicyDocument,
): Promise<Evaluation> {
  const accountId = arn.split(":")[4] ?? "";
  const outcome = await runSimulation(
    {
      request: { action, principal: arn, resource: { resource, accountId }, contextVariables: { ...context } },
      identityPolicies: policies.map((policy, index) => ({ name: `policy ${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(boundary === undefined ? {} : { permissionBoundaryPolicies: [{ name: "boundary", policy: boundary }] }),
      ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    },
    {},
  );
  if (outcome.resultType === "error") throw new Error(`${action} on ${resource}: ${JSON.stringify(outcome.errors)}`);
  const results = outcome.resultType === "single" ? [outcome.result] : outcome.results;
  const statements = results.flatMap(({ analysis }) => analysis.identityAnalysis?.allowStatements ?? []);
  return {
    allowed: outcome.overallResult === "Allowed",
    resourceType: results[0]?.resourceType ?? "*",
    statements: [...new Set(statements.map(({ explain }) => explain.identifier))],
    used: statements.flatMap(({ explain }) => [
      ...matching(explain.actions).map(({ action: granted }) => `${explain.identifier} ${granted}`),
      ...matching(explain.resources).map(({ resource: granted }) => `${explain.identifier} on ${granted}`),
    ]),
  };
}

/** Everything that a role's policies grant, in the words of `Evaluation.used`. */
export function grantsOf({ policies }: EvaluatedRole): string[] {
  const statements = policies.flatMap(({ Statement }) => listed(Statement));
  return statements.flatMap(({ Sid, Action, Resource }) => [
    ...listed(Action).map((action) => `${Sid} ${action}`),
    ...listed(Resource).map((resource) => `${Sid} on ${resource}`),
  ]);
}

export interface GitHubToken {
  /** ARN of the identity provider that the token is of. */
  readonly provider: string;
  readonly sub: string;
  readonly aud: string;
  /** The branch or tag of the workflow. @default a token that does not say it */
  readonly ref?: string;
}

/** Whether a role's trust lets a token of GitHub's assume it. */
export async function trusts(trust: PolicyDocument, { provider, sub, aud, ref }: GitHubToken): Promise<boolean> {
  const accountId = provider.split(":")[4] ?? "";
  // AWS's reference lists the keys `sub` and `aud` for Google's provider and not for GitHub's, so the evaluator would leave
  // them out. The claims mean the same there: both are in OpenID Connect itself.
  const listedIssuer = "accounts.google.com";
  const outcome = await runSimulation(
    {
      request: {
        action: "sts:AssumeRoleWithWebIdentity",
        principal: provider,
        resource: { resource: `arn:aws:iam::${accountId}:role/any`, accountId },
        contextVariables: {
          [`${listedIssuer}:sub`]: sub,
          [`${listedIssuer}:aud`]: aud,
          ...(ref === undefined ? {} : { "token.actions.githubusercontent.com:ref": ref }),
        },
      },
      identityPolicies: [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: JSON.parse(
        JSON.stringify(trust).replace(/"token\.actions\.githubusercontent\.com:(sub|aud)"/g, `"${listedIssuer}:$1"`),
      ) as PolicyDocument,
    },
    {},
  );
  if (outcome.resultType === "error") throw new Error(JSON.stringify(outcome.errors));
  return outcome.overallResult === "Allowed";
}

function matching<Item extends { readonly matches: boolean }>(items: Item | readonly Item[] | undefined): Item[] {
  return listed(items).filter(({ matches }) => matches);
}

function listed<Item>(items: Item | readonly Item[] | undefined): Item[] {
  if (items === undefined) return [];
  return Array.isArray(items) ? [...(items as readonly Item[])] : [items as Item];
}
