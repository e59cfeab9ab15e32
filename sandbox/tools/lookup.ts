import { homedir } from "node:os";
import { type Environment } from "aws-emulator/processes";

/** A tool of this machine, and how it was found. */
export interface Found<Value> {
  readonly value: Value;
  /** How the tool was found, for example "PATH", "environment variable X", "implied mirror" or "search". */
  readonly by: string;
}

/** The result of a finder: the tool, or one sentence that says what is missing and how to get it. */
export type Lookup<Value> = { readonly found: Found<Value> } | { readonly missing: string };

/** Everything that the finders look at. Tests pass in a machine that consists of a few temporary folders. */
export interface Machine {
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly home: string;
  /** The project's folder. */
  readonly directory: string;
  /** The folders where the search for provider mirrors starts, after all other places. */
  readonly searchRoots: readonly string[];
}

export function thisMachine(environment: Environment = process.env): Machine {
  const home = homedir();
  return {
    environment,
    platform: process.platform,
    arch: process.arch,
    home,
    directory: process.cwd(),
    searchRoots: searchRootsOf(process.platform, home),
  };
}

function searchRootsOf(platform: NodeJS.Platform, home: string): readonly string[] {
  if (platform === "win32") return [];
  // On macOS, the user would be asked for permission if a program looked into the folders of the home.
  if (platform === "darwin") return ["/opt", "/usr/local"];
  return ["/opt", "/srv", "/usr/local", "/usr/share", "/usr/lib", "/var/lib", "/var/cache", "/mnt", home, "/home", "/"];
}

/** Terraform's name of a platform, for example `linux_amd64`. */
export function terraformPlatform({ platform, arch }: Pick<Machine, "platform" | "arch"> = process): string {
  const system = platform === "win32" ? "windows" : platform;
  const processor = { x64: "amd64", ia32: "386" }[arch] ?? arch;
  return `${system}_${processor}`;
}
