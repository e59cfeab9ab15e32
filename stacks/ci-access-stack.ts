import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamOpenidConnectProvider } from "@cdktf/provider-aws/lib/iam-openid-connect-provider";
import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Annotations, TerraformOutput, TerraformStack } from "cdktf";
import { type Construct } from "constructs";
import { Arns } from "./arns";
import { type CiSettings } from "./ci-config";
import { grantsDocument, stageGrants } from "./ci-grants";
import { smokeGrants } from "./ci-smoke-grants";
import { type Config } from "./config";
import { CiRole, type CiRoleProps } from "./constructs/ci-role";
import { boundaryName, boundaryStatements, ciPath, holdsRecipients } from "./function-boundary";
import { enforcePolicy } from "./policy";

/** The host that signs GitHub's tokens (https://docs.github.com/en/actions/reference/security/oidc). */
const issuer = "token.actions.githubusercontent.com";

/** The audience that `aws-actions/configure-aws-credentials` asks for. */
const audience = "sts.amazonaws.com";

/** The branch that deploy.yml deploys. */
const deployedRef = "refs/heads/main";

export interface CiAccessProps extends Config {
  readonly ci: CiSettings;
  /** Where the stage's state is. */
  readonly state: { readonly bucket: string; readonly key: string };
}

/**
 * What GitHub's workflows need to plan and deploy one stage without long-lived keys. A person with administrator's rights
 * applies this stack; the roles that it makes can't change it (docs/decisions/0018-ci-access.md).
 */
export class CiAccessStack extends TerraformStack {
  constructor(scope: Construct, id: string, props: CiAccessProps) {
    super(scope, id);
    const arns = Arns.of(props);
    const { names, partition } = arns;
    const { accountId, region, stage, ci } = props;
    new AwsProvider(this, "aws", {
      region,
      allowedAccountIds: [accountId],
      defaultTags: [{ tags: { project: props.projectName, stage, "managed-by": "cdktf" } }],
    });

    const statement = boundaryStatements(arns, props);
    const boundary = new DataAwsIamPolicyDocument(this, "function-boundary-document", { statement });
    if (props.recipientPolicy.mode === "restricted" && !holdsRecipients(statement)) {
      Annotations.of(this).addWarning(
        "The allowed recipients don't fit into the boundary of the functions' roles, so the boundary does not hold the list. " +
          "To have it there, too, name domains in place of addresses (allowedRecipients in stacks/stages.ts).",
      );
    }
    new IamPolicy(this, "function-boundary", {
      name: boundaryName(names),
      path: ciPath,
      description: `The most that a function of ${names.prefix} may do`,
      policy: boundary.json,
    });

    // No thumbprint is given: IAM trusts GitHub by its own list of certificate authorities
    // (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html).
    const providerArn = ci.manageProvider
      ? new IamOpenidConnectProvider(this, "github", { url: `https://${issuer}`, clientIdList: [audience] }).arn
      : arns.inAccount("iam", `oidc-provider/${issuer}`);
    const grants = stageGrants({
      arns,
      config: props,
      state: { bucketArn: `arn:${partition}:s3:::${props.state.bucket}`, key: props.state.key },
    });
    // Plan and drift run in the environment `<stage>-plan`, and the deployment in `<stage>`, whose approval and branches
    // GitHub enforces before it signs a token (.github/workflows/).
    const trust = (environment: string) => ({
      providerArn,
      issuer,
      audience,
      subject: `repo:${ci.repository}:environment:${environment}`,
    });
    // GitHub makes an environment that is not there, without any protection, for the first job that names it
    // (https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments). Whoever may
    // push a branch could so take on these roles before somebody has made the environment, or after it was deleted. AWS
    // reads the branch from the token in its commercial Regions only
    // (https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/).
    const held = partition === "aws" ? { ref: deployedRef } : {};
    const deployment = { ...trust(stage), ...held };
    const roleOf = (kind: string, trusted: CiRoleProps["trust"], what = kind) =>
      new CiRole(this, kind, {
        name: names.inAccount(`ci-${kind}`),
        description: `GitHub's workflows ${what} ${names.prefix} with it`,
        trust: trusted,
      });
    const plan = roleOf("plan", trust(`${stage}-plan`));
    const deploy = roleOf("deploy", deployment);
    // The test after a deployment puts events and reads what became of them. The deploy role may do neither.
    const smoke = roleOf("smoke", deployment, "test");

    const reads = new IamPolicy(this, "reads", {
      name: names.inAccount("ci-reads"),
      path: ciPath,
      description: `What a plan of ${names.prefix} reads, and the lock of its state`,
      policy: grantsDocument(this, "reads-document", grants, "read").json,
    });
    for (const [kind, { role }] of Object.entries({ plan, deploy })) {
      new IamRolePolicyAttachment(this, `${kind}-reads`, { role: role.name, policyArn: reads.arn });
    }
    new IamRolePolicy(this, "changes", {
      name: names.inAccount("ci-changes"),
      role: deploy.role.name,
      policy: grantsDocument(this, "changes-document", grants, "write").json,
    });

    new IamRolePolicy(this, "trials", {
      name: names.inAccount("ci-smoke"),
      role: smoke.role.name,
      policy: grantsDocument(this, "trials-document", smokeGrants({ arns, config: props }), "read").json,
    });

    enforcePolicy(this, names.prefix, { github: { repository: ci.repository, stage, ...held } });
    this.output("plan_role_arn", plan.role.arn, "The role that a workflow assumes to plan the stage");
    this.output("deploy_role_arn", deploy.role.arn, "The role that a workflow assumes to deploy the stage");
    this.output(
      "smoke_role_arn",
      smoke.role.arn,
      "The role that a workflow assumes to test the stage after a deployment",
    );
  }

  private output(name: string, value: string, description: string): void {
    new TerraformOutput(this, name, { value, description }).overrideLogicalId(name);
  }
}
