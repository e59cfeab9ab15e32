import { join } from "node:path";
import { programs } from "aws-emulator/testing/temporary";

/**
 * A program that prints Terraform's version. cdktf asks for the version before it synthesizes, and for nothing else.
 */
export function standInTerraform(): string {
  return join(programs({ terraform: "echo Terraform v1.11.4" }), "terraform");
}
