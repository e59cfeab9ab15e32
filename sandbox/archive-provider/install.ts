import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The version that @cdktf/provider-archive 11.0.1 was generated from, and writes into `required_providers`. */
const version = "2.7.1";

/**
 * Lays the stand-in out as a filesystem mirror, so that `terraform init` installs it like any provider.
 * @param host the mirror's folder of the registry, as found for the AWS provider.
 * @param platform Terraform's name of it, for example `linux_amd64`.
 */
export function installArchiveStandIn(mirror: string, host: string, platform: string): void {
  const folder = join(mirror, host, "hashicorp", "archive", version, platform);
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, `terraform-provider-archive_v${version}`);
  // Terraform runs it in the stack's folder, so nothing may be looked up from there.
  const words = [process.execPath, "--import", require.resolve("tsx"), join(__dirname, "server.ts")];
  writeFileSync(executable, `#!/bin/sh\nexec ${words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")}\n`);
  chmodSync(executable, 0o755);
}
