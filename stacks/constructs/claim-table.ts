import { type DataAwsIamPolicyDocumentStatement } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { Construct } from "constructs";

/** What was sent, and what is being sent: see handler/claims.ts. */
export class ClaimTable extends Construct {
  readonly table: DynamodbTable;

  constructor(scope: Construct, id: string, props: { readonly name: string; readonly deletionProtection: boolean }) {
    super(scope, id);
    this.table = new DynamodbTable(this, "table", {
      name: props.name,
      billingMode: "PAY_PER_REQUEST",
      hashKey: "id",
      attribute: [{ name: "id", type: "S" }],
      ttl: { attributeName: "expiresAt", enabled: true },
      pointInTimeRecovery: { enabled: true },
      serverSideEncryption: { enabled: true },
      // Without its claims, whatever comes again is mailed again.
      deletionProtectionEnabled: props.deletionProtection,
      ...(props.deletionProtection ? { lifecycle: { preventDestroy: true } } : {}),
    });
  }

  claimStatement(): DataAwsIamPolicyDocumentStatement {
    return { sid: "ClaimSends", actions: ["dynamodb:UpdateItem"], resources: [this.table.arn] };
  }
}
