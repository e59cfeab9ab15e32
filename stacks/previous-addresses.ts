import { type TerraformResource } from "cdktf";
import { Construct, RootConstruct } from "constructs";

/**
 * Tells Terraform that the resource had another place in the construct tree in an earlier version. Without this, an
 * apply puts the physical resource under its new address and then destroys it under the old one.
 * @param path of construct ids in the earlier version, beginning below the stack.
 */
export function movedFrom(resource: TerraformResource, ...path: readonly [string, ...string[]]): void {
  // cdktf leaves a construct with the id "Default" out of logical ids, as it does with the stack.
  const place = path.reduce<Construct>((scope, id) => new Construct(scope, id), new RootConstruct("Default"));
  resource.moveFromId(`${resource.terraformResourceType}.${resource.cdktfStack.getLogicalId(place.node)}`);
}
