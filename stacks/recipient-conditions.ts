import { type DataAwsIamPolicyDocumentStatementCondition } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { type RecipientPolicy, recipientPatterns } from "../handler/contract/recipient-policy";

/**
 * Bytes for the recipients in a role's policies, of the 10,240 that IAM takes for all of them together
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). The rest is for the other statements.
 */
const mostRecipientBytes = 4096;

/**
 * The condition on the recipients of a mail. `ForAllValues` holds for a request without the key, too, so `Null` demands
 * the key (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
 * @param identities of recipients that stand in the same policy.
 * @returns no condition where everybody may be mailed, and where the list is too long for the policy of a role: then the
 * function alone holds the list.
 */
export function recipientConditions(
  policy: RecipientPolicy,
  identities: readonly string[],
): DataAwsIamPolicyDocumentStatementCondition[] {
  const values = recipientPatterns(policy);
  if (values === undefined || Buffer.byteLength(JSON.stringify([values, identities])) > mostRecipientBytes) return [];
  return [
    { test: "ForAllValues:StringLike", variable: "ses:Recipients", values: [...values] },
    { test: "Null", variable: "ses:Recipients", values: ["false"] },
  ];
}
