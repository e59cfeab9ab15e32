import { homedir } from "node:os";
import { type Environment } from "aws-emulator/processes";

/** A tool of this machine, and how it was found. */
export interface Found<Value> {
  readonly value: Value;
  /** "PATH", "environment variable X", "implied mirror", "search".. */
  readonly by: string;
}

/** What a finder answers: the tool, or one sentence that says what is missing and how to get it. */
export type Lookup<Value> = { readonly found: Found<Value> } | { readonly missing: string };

/** What the finders look at. Injected, so that a test's machine is a few temporary folders. */
export interface Machine {
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly home: string;
  /** The project's folder. */
  readonly directory: string;
  /** Where the last search for provider mirrors starts. */
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
  // macOS asks the user for permission when a program looks into a home's folders.
  if (platform === "darwin") return ["/opt", "/usr/local"];
  return ["/opt", "/srv", "/usr/local", "/usr/share", "/usr/lib", "/var/lib", "/var/cache", "/mnt", home, "/home", "/"];
}

/** Terraform's name of a platform, for example `linux_amd64`. */
export function terraformPlatform({ platform, arch }: Pick<Machine, "platform" | "arch"> = process): string {
  const system = platform === "win32" ? "windows" : platform;
  const processor = { x64: "amd64", ia32: "386" }[arch] ?? arch;
  return `${system}_${processor}`;
}
