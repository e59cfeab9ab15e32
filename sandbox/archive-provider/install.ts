import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Machine, terraformPlatform } from "../tools/lookup";
import { archiveProvider } from "../tools/pinned-providers";

/**
 * Lays the stand-in out as a filesystem mirror, so that `terraform init` installs it like any provider.
 * @param hosts folders of registries, as the mirror of the AWS provider has them.
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

/** Terraform runs it in the stack's folder, so nothing may be looked up from there: neither tsx nor a tsconfig.json. */
function launcher(): string {
  const project = join(__dirname, "..", "..");
  const command = [
    process.execPath,
    "--import",
    pathToFileURL(require.resolve("tsx")).href,
    join(__dirname, "server.ts"),
  ];
  const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
  return `#!/bin/sh\nTSX_TSCONFIG_PATH=${quote(join(project, "tsconfig.json"))} exec ${command.map(quote).join(" ")}\n`;
}
