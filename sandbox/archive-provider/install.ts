import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { shellQuoted } from "aws-emulator/processes";
import { type Machine, terraformPlatform } from "../tools/lookup";
import { archiveProvider } from "../tools/pinned-providers";

/**
 * Puts the stand-in into a folder that is laid out as a filesystem mirror, so that `terraform init` installs it like
 * any provider.
 * @param hosts folders of the registries in the mirror of the AWS provider. The stand-in gets the same ones.
 */
export function installArchiveStandIn(
  mirror: string,
  hosts: readonly string[],
  machine: Pick<Machine, "platform" | "arch">,
): void {
  const { type, version } = archiveProvider;
  for (const host of hosts) {
    const folder = join(mirror, host, "hashicorp", type, version, terraformPlatform(machine));
    mkdirSync(folder, { recursive: true });
    const executable = join(folder, `terraform-provider-${type}_v${version}`);
    writeFileSync(executable, launcher());
    chmodSync(executable, 0o755);
  }
}

/**
 * The script that starts the stand-in. Terraform runs it in the stack's folder, where neither tsx nor a tsconfig.json
 * is found, so both are named by absolute paths.
 */
function launcher(): string {
  const project = join(__dirname, "..", "..");
  const command = [
    process.execPath,
    "--import",
    pathToFileURL(require.resolve("tsx")).href,
    join(__dirname, "server.ts"),
  ];
  return `#!/bin/sh\nTSX_TSCONFIG_PATH=${shellQuoted(join(project, "tsconfig.json"))} exec ${command.map(shellQuoted).join(" ")}\n`;
}
