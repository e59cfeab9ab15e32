import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { Construct } from "constructs";
import { ciPath } from "../function-boundary";

export interface CiRoleProps {
  readonly name: string;
  readonly description: string;
  readonly trust: {
    /** ARN of the account's identity provider. */
    readonly providerArn: string;
    /** The provider's host, with which its condition keys begin. */
    readonly issuer: string;
    readonly audience: string;
    /** The subject of the tokens that may assume the role, in full. */
    readonly subject: string;
    /** The branch or tag whose workflows may assume the role, for example `refs/heads/main`. @default any */
    readonly ref?: string;
  };
}

/** A role that workflows of one repository assume with a token of GitHub's. It has no permission of its own yet. */
export class CiRole extends Construct {
  readonly role: IamRole;

  constructor(scope: Construct, id: string, { name, description, trust }: CiRoleProps) {
    super(scope, id);
    const trusted = new DataAwsIamPolicyDocument(this, "trust", {
      statement: [
        {
          sid: "Workflows",
          actions: ["sts:AssumeRoleWithWebIdentity"],
          principals: [{ type: "Federated", identifiers: [trust.providerArn] }],
          condition: [
            { test: "StringEquals", variable: `${trust.issuer}:aud`, values: [trust.audience] },
            { test: "StringEquals", variable: `${trust.issuer}:sub`, values: [trust.subject] },
            ...(trust.ref === undefined
              ? []
              : [{ test: "StringEquals", variable: `${trust.issuer}:ref`, values: [trust.ref] }]),
          ],
        },
      ],
    });
    this.role = new IamRole(this, "role", { name, path: ciPath, description, assumeRolePolicy: trusted.json });
  }
}
