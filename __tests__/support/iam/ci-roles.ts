import { GetPolicyCommand, GetPolicyVersionCommand, GetRolePolicyCommand, type IAMClient } from "@aws-sdk/client-iam";
import { type CiRoleName } from "./terraform-record";
import { type EvaluatedRole, type PolicyDocument } from "./evaluate";

/** Reads the roles of the stack `ci-access` from IAM, as Terraform has made them. @param account its ARNs' front. */
export async function readCiRoles(
  iam: IAMClient,
  nameOf: (suffix: string) => string,
  accountId: string,
): Promise<Record<CiRoleName, EvaluatedRole>> {
  const PolicyArn = `arn:aws:iam::${accountId}:policy/ci/${nameOf("ci-reads")}`;
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
  const VersionId = Policy?.DefaultVersionId;
  const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
  const changes = await iam.send(
    new GetRolePolicyCommand({ RoleName: nameOf("ci-deploy"), PolicyName: nameOf("ci-changes") }),
  );
  const reads = parse(PolicyVersion?.Document);
  const roleOf = (kind: CiRoleName, policies: readonly PolicyDocument[]) => ({
    arn: `arn:aws:iam::${accountId}:role/ci/${nameOf(`ci-${kind}`)}`,
    policies,
  });
  return { plan: roleOf("plan", [reads]), deploy: roleOf("deploy", [reads, parse(changes.PolicyDocument)]) };
}

function parse(document: string | undefined): PolicyDocument {
  return JSON.parse(decodeURIComponent(document ?? "")) as PolicyDocument;
}
