import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Testing, TerraformStack } from "cdktf";
import { Arns } from "../../../stacks/arns";
import { grantsDocument } from "../../../stacks/ci-grants";
import { smokeGrants } from "../../../stacks/ci-smoke-grants";
import { type Config } from "../../../stacks/config";
import { synthesized } from "../stack";
import { type EvaluatedRole } from "./evaluate";
import { policyDocument } from "./terraform-policy";

/** The role of the acceptance test of a stage, as `ci-access` makes it. */
export function smokeRole(config: Config): EvaluatedRole {
  const arns = Arns.of(config);
  const stack = new TerraformStack(Testing.app(), "smoke");
  new AwsProvider(stack, "aws", { region: config.region });
  grantsDocument(stack, "trials", smokeGrants({ arns, config }), "read");
  const [document] = Object.values(synthesized(stack).data("aws_iam_policy_document"));
  return {
    arn: arns.inAccount("iam", `role/ci/${arns.names.inAccount("ci-smoke")}`),
    policies: [policyDocument(document as never)],
  };
}
