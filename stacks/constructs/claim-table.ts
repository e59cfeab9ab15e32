import { type DataAwsIamPolicyDocumentStatement } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { Construct } from "constructs";
import { keyAttribute, timeToLiveAttribute } from "../../handler/contract/claim-row";

/** The table of the claims, which say what was sent and what is being sent: handler/claims.ts. */
export class ClaimTable extends Construct {
  readonly table: DynamodbTable;

  constructor(scope: Construct, id: string, props: { readonly name: string; readonly deletionProtection: boolean }) {
    super(scope, id);
    this.table = new DynamodbTable(this, "table", {
      name: props.name,
      billingMode: "PAY_PER_REQUEST",
      hashKey: keyAttribute,
      attribute: [{ name: keyAttribute, type: "S" }],
      ttl: { attributeName: timeToLiveAttribute, enabled: true },
      pointInTimeRecovery: { enabled: true },
      serverSideEncryption: { enabled: true },
      // Without its claim, a mail whose event comes again is sent again.
      deletionProtectionEnabled: props.deletionProtection,
      ...(props.deletionProtection ? { lifecycle: { preventDestroy: true } } : {}),
    });
  }

  claimStatement(): DataAwsIamPolicyDocumentStatement {
    return { sid: "ClaimSends", actions: ["dynamodb:UpdateItem"], resources: [this.table.arn] };
  }
}
