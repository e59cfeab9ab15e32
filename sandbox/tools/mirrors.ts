import { existsSync, readdirSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { readCliConfiguration } from "./cli-configuration";
import { firstLine } from "./executables";
import { type Found, type Machine, terraformPlatform, thisMachine } from "./lookup";
import { type PinnedProvider, pluginCaches } from "./pinned-providers";

/** A folder in which Terraform finds a provider without its registry (`filesystem_mirror`). */
export interface ProviderMirror {
  readonly folder: string;
  /** Paths of the registries' folders that hold the provider. A mirror is laid out as `<host>/<namespace>/<type>`. */
  readonly hosts: readonly string[];
}

/**
 * Limits of the search through the file system. The depth is enough for /home/<user>/<work>/<mirror>/<host>, and the
 * time is short enough that nobody waits.
 */
const searchDepth = 5;
const searchMilliseconds = 2000;

/**
 * Folders that are not searched, because they are large, virtual or of other programs. Hidden folders are skipped as
 * well, because a `.terraform` belongs to one stack.
 */
const notSearched = new Set(["proc", "sys", "dev", "run", "boot", "snap", "tmp", "node_modules", "lost+found"]);

/** Finds a mirror that holds exactly the version that the stacks ask for. */
export function findProviderMirror(
  provider: PinnedProvider,
  machine: Machine = thisMachine(),
): Found<ProviderMirror> | undefined {
  const isMirror = (folder: string) => mirrorAt(folder, provider, machine);
  for (const { value: folders, by } of knownPlaces(machine)) {
    for (const folder of folders) {
      const value = isMirror(resolve(machine.directory, folder));
      if (value !== undefined) return { value, by };
    }
  }
  const value = search(machine.searchRoots, isMirror);
  return value && { value, by: "search" };
}

function knownPlaces(machine: Machine): Found<readonly string[]>[] {
  const configuration = readCliConfiguration(machine);
  return [
    {
      value: (machine.environment.TF_PROVIDER_MIRROR ?? "").split(delimiter).filter((folder) => folder !== ""),
      by: "environment variable TF_PROVIDER_MIRROR",
    },
    // What the user has configured comes before the implied folders, as in Terraform.
    { value: configuration.mirrors, by: "Terraform's CLI configuration" },
    { value: impliedMirrors(machine), by: "implied mirror" },
    { value: pluginCaches(machine, configuration), by: "plugin cache" },
  ];
}

/**
 * Folders that Terraform uses as mirrors without any configuration:
 * https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
 */
export function impliedMirrors({ environment, platform, home }: Machine): string[] {
  const ofWork = join("terraform.d", "plugins");
  if (platform === "win32") {
    const data = environment.APPDATA ?? join(home, "AppData", "Roaming");
    return [ofWork, join(data, "terraform.d", "plugins"), join(data, "HashiCorp", "Terraform", "plugins")];
  }
  const ofUser = join(home, ".terraform.d", "plugins");
  if (platform === "darwin") {
    const support = join("Library", "Application Support", "io.terraform", "plugins");
    return [ofWork, ofUser, join(home, support), join("/", support)];
  }
  const ofData = environment.XDG_DATA_HOME ? environment.XDG_DATA_HOME : join(home, ".local", "share");
  const ofSystem = environment.XDG_DATA_DIRS ? environment.XDG_DATA_DIRS : "/usr/local/share:/usr/share";
  return [ofWork, ofUser, ...[ofData, ...ofSystem.split(":")].map((folder) => join(folder, "terraform", "plugins"))];
}

function mirrorAt(folder: string, provider: PinnedProvider, machine: Machine): ProviderMirror | undefined {
  const hosts = list(folder).filter((host) => holds(join(folder, host), provider, machine));
  return hosts.length > 0 ? { folder, hosts } : undefined;
}

/**
 * Whether a mirror holds the provider for this machine, unpacked (`<version>/<platform>/<executable>`) or packed (a
 * zip). Terraform reads both.
 */
function holds(hostFolder: string, { type, version }: PinnedProvider, machine: Machine): boolean {
  const folder = join(hostFolder, "hashicorp", type);
  const platform = terraformPlatform(machine);
  const unpacked = join(folder, version, platform);
  return (
    existsSync(join(folder, `terraform-provider-${type}_${version}_${platform}.zip`)) ||
    list(unpacked).some((name) => name.startsWith(`terraform-provider-${type}`) && !isScript(join(unpacked, name)))
  );
}

/**
 * Whether a provider is a script. Real providers are programs in machine code. A script with a provider's name is the
 * stand-in of a sandbox, of this checkout or of another: it is gone when that sandbox ends, even though a plug-in cache
 * can hold a copy for longer.
 */
function isScript(file: string): boolean {
  try {
    return firstLine(file).startsWith("#!");
  } catch {
    return false;
  }
}

/** Searches level by level, so that a mirror near a root is found before the time runs out in a deep tree. */
function search(
  roots: readonly string[],
  isMirror: (folder: string) => ProviderMirror | undefined,
): ProviderMirror | undefined {
  const deadline = Date.now() + searchMilliseconds;
  const seen = new Set<string>();
  let level: readonly string[] = roots;
  for (let depth = 0; depth < searchDepth; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      if (seen.has(folder)) continue;
      if (Date.now() > deadline) return undefined;
      seen.add(folder);
      const children = folders(folder);
      // Only a folder of a registry has a child `hashicorp`, so most folders cost only this check.
      if (children.some((name) => existsSync(join(folder, name, "hashicorp")))) {
        const mirror = isMirror(folder);
        if (mirror !== undefined) return mirror;
      }
      next.push(...children.map((name) => join(folder, name)));
    }
    level = next;
  }
  return undefined;
}

function folders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !notSearched.has(entry.name))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** The entries of a folder; an empty list where the folder can't be read. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
