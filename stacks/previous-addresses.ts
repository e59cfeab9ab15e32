import { type TerraformResource } from "cdktf";
import { Construct, RootConstruct } from "constructs";

/**
 * Tells Terraform that the resource stood at another place of the construct tree before: without it, an apply puts the
 * physical resource under its new address, and then destroys it under the old one.
 * @param path of construct ids, from the stack on.
 */
export function movedFrom(resource: TerraformResource, ...path: readonly [string, ...string[]]): void {
  // cdktf leaves a construct of the name "Default" out of logical ids, as it does the stack.
  const place = path.reduce<Construct>((scope, id) => new Construct(scope, id), new RootConstruct("Default"));
  resource.moveFromId(`${resource.terraformResourceType}.${resource.cdktfStack.getLogicalId(place.node)}`);
}
