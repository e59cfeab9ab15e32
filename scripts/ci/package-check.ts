import { existsSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "./artifact";
import { planAgain, Refusal } from "./refusal";
import { type Plan } from "./terraform";

/**
 * Holds each function's zip against the hash in the plan itself. Terraform would read the zip only when it comes to the
 * function, and would fail after it has changed other resources.
 * @param stackFolder the folder that the paths in the plan begin at.
 * @throws Refusal if a zip is missing or is not the planned one.
 */
export function checkPackages(plan: Plan, stackFolder: string): void {
  const problems = plan.resource_changes
    .filter(({ type, change }) => type === "aws_lambda_function" && !change.actions.includes("no-op"))
    .flatMap(({ address, change: { after } }) => describePackage(address, after ?? {}, stackFolder));
  if (problems.length > 0) throw new Refusal(`${problems.join(" ")} Nothing was changed: ${planAgain}.`);
}

function describePackage(address: string, after: Readonly<Record<string, unknown>>, stackFolder: string): string[] {
  const { filename, source_code_hash: planned } = after;
  if (typeof filename !== "string" || typeof planned !== "string") return [];
  const file = join(stackFolder, filename);
  if (!existsSync(file)) return [`The package of ${address}, ${filename}, did not come with the plan.`];
  const found = sha256(file, "base64");
  return found === planned
    ? []
    : [`The package of ${address}, ${filename}, has the hash ${found}, and ${planned} was planned.`];
}
