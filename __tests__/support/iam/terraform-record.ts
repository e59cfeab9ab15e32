import { type PassingCall } from "../passage";
import { type Account, type AuthorizationRequest, authorizationsOf, unknownId } from "./authorization";
import { type AwsCall, awsCallOf } from "./aws-call";
import { evaluate, type EvaluatedRole, grantsOf, type PolicyDocument } from "./evaluate";

/** The roles with which CI runs Terraform. */
export type CiRoleName = "plan" | "deploy";

/** A request, with the roles that make it. */
export interface RoleRequest<Role extends string = CiRoleName> extends AuthorizationRequest {
  readonly roles: readonly Role[];
}

/** The calls that a program makes, each with the role that CI makes it with. */
export class CallRecord<Role extends string = CiRoleName> {
  private readonly calls: { readonly role: Role; readonly call: AwsCall }[] = [];
  /** The role whose calls are recorded now; `undefined`: nothing is recorded. */
  role: Role | undefined;

  readonly take = (call: PassingCall): void => {
    if (this.role !== undefined) this.calls.push({ role: this.role, call: awsCallOf(call) });
  };

  /** The policy that Terraform gave the stage's key. */
  get keyPolicy(): PolicyDocument {
    const given = this.calls.find(({ call }) => call.operation === "PutKeyPolicy")?.call.parameters.Policy;
    return JSON.parse(withoutIds(String(given))) as PolicyDocument;
  }

  /** The requests behind the calls, each once. @param account what the calls don't say. */
  async requests(account: Omit<Account, "keyOfAlias">): Promise<RoleRequest<Role>[]> {
    const aliases = this.calls.map(({ call }) => call).filter(({ operation }) => operation === "CreateAlias");
    const keyOfAlias = Object.fromEntries(
      aliases.map(({ parameters }) => [String(parameters.AliasName), String(parameters.TargetKeyId)]),
    );
    const found = new Map<string, { readonly request: AuthorizationRequest; readonly roles: Set<Role> }>();
    for (const { role, call } of this.calls) {
      for (const request of await authorizationsOf(call, { ...account, keyOfAlias })) {
        const resource = withoutIds(request.resource);
        const key = JSON.stringify({ ...request, resource });
        const { roles } = found.get(key) ?? { roles: new Set<Role>() };
        found.set(key, { request: { ...request, resource }, roles: roles.add(role) });
      }
    }
    return [...found.values()].map(({ request, roles }) => ({ ...request, roles: [...roles].sort() }));
  }
}

/** The ids that AWS makes differ from run to run. */
const withoutIds = (text: string) => text.replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, unknownId);

/** What holding the roles against requests has found. */
export interface Audit<Role extends string = CiRoleName> {
  /** The requests that a role would need and does not have. */
  readonly missing: readonly string[];
  /** What a role is granted, and no request has used. */
  readonly unused: readonly string[];
  /** The kinds of requests by action, type of the resource, and statements that allow it, with an example of each. */
  readonly kinds: Readonly<Record<string, RoleRequest<Role>>>;
}

/** @param keyPolicy of the stage's key: KMS asks it as well. @default the requests are of no key */
export async function audit<Role extends string>(
  roles: Readonly<Record<Role, EvaluatedRole>>,
  requests: readonly RoleRequest<Role>[],
  keyPolicy?: PolicyDocument,
): Promise<Audit<Role>> {
  const missing: string[] = [];
  const kinds = new Map<string, { readonly example: RoleRequest<Role>; readonly roles: Set<Role> }>();
  const used = new Map<Role, Set<string>>();
  for (const request of requests) {
    for (const role of request.roles) {
      const found = await evaluate(roles[role], request, resourcePolicyFor(request, keyPolicy));
      if (!found.allowed) missing.push(`${role}: ${request.action} on ${request.resource}`);
      used.set(role, new Set([...(used.get(role) ?? []), ...found.used]));
      // Two statements may allow one action, for example on the state and on its lock.
      const kind = `${request.action} on ${found.resourceType} by ${found.statements.join(", ")}`;
      const known = kinds.get(kind) ?? { example: request, roles: new Set<Role>() };
      kinds.set(kind, { example: known.example, roles: known.roles.add(role) });
    }
  }
  const unused = (Object.keys(roles) as Role[]).flatMap((role) =>
    grantsOf(roles[role])
      .filter((grant) => used.get(role)?.has(grant) !== true)
      .map((grant) => `${role}: ${grant}`),
  );
  const sorted = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    missing,
    unused,
    kinds: Object.fromEntries(
      sorted.map(([kind, { example, roles: of }]) => [kind, { ...example, roles: [...of].sort() }]),
    ),
  };
}

/** A key always has a policy. A new one and one that AWS manages leave the decision to the account's own policies. */
export function resourcePolicyFor({ action, resource, context }: AuthorizationRequest, keyPolicy?: PolicyDocument) {
  const [, , service, , accountId, name = ""] = resource.split(":");
  if (service !== "kms" || !name.startsWith("key/")) return undefined;
  if (Object.keys(context).some((key) => key.startsWith("aws:ResourceTag/"))) return keyPolicy;
  const Principal = { AWS: `arn:aws:iam::${accountId}:root` };
  return {
    Version: "2012-10-17",
    Statement: { Sid: "Account", Effect: "Allow", Principal, Action: action, Resource: "*" },
  };
}
