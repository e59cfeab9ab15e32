import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Machine } from "./lookup";

/** What of a user's Terraform configuration says where providers are. */
export interface ProviderPlaces {
  readonly mirrors: readonly string[];
  readonly pluginCache?: string;
}

/** The file that Terraform itself would read: TF_CLI_CONFIG_FILE, else the one of the user's home. */
export function readCliConfiguration({ environment, platform, home }: Machine): ProviderPlaces {
  const ofUser = platform === "win32" ? join(environment.APPDATA ?? home, "terraform.rc") : join(home, ".terraformrc");
  const file = environment.TF_CLI_CONFIG_FILE ? environment.TF_CLI_CONFIG_FILE : ofUser;
  try {
    return parseCliConfiguration(readFileSync(file, "utf8"), environment);
  } catch {
    // Terraform only warns of a file that does not exist.
    return { mirrors: [] };
  }
}

/** Reads the two settings in their usual form; whatever is written in another way is not found, and does no harm. */
export function parseCliConfiguration(text: string, environment: Machine["environment"]): ProviderPlaces {
  const withoutComments = text.replace(/^\s*(#|\/\/).*$/gm, "");
  const valueOf = (name: string, within: string) => {
    const literal = new RegExp(`^\\s*${name}\\s*=\\s*("(?:[^"\\\\]|\\\\.)*")`, "m").exec(within)?.[1];
    return literal === undefined ? undefined : String(JSON.parse(literal));
  };
  const blocks = [...withoutComments.matchAll(/filesystem_mirror\s*\{([^{}]*)\}/g)].map(([, body = ""]) => `\n${body}`);
  const pluginCache = valueOf("plugin_cache_dir", withoutComments)?.replace(
    // Terraform expands variables in this one.
    /\$\{?(\w+)\}?/g,
    (_, name: string) => environment[name] ?? "",
  );
  return {
    mirrors: blocks.map((body) => valueOf("path", body)).filter((path) => path !== undefined),
    ...(pluginCache === undefined ? {} : { pluginCache }),
  };
}

/** A provider, and the mirror that it comes from; none for what comes from its registry. */
export interface Installation {
  readonly provider: string;
  readonly folder: string | undefined;
}

/** A configuration in which each provider comes from its place, and from nowhere else. */
export function cliConfiguration(installations: readonly Installation[]): string {
  const mirrored = installations.filter(({ folder }) => folder !== undefined);
  const blocks = mirrored.map(
    ({ provider, folder }) =>
      `  filesystem_mirror {\n    path    = ${JSON.stringify(folder)}\n    include = [${JSON.stringify(provider)}]\n  }\n`,
  );
  // A bare `direct` would ask the registry for the mirrored ones as well, and fail without a network.
  const exclude = JSON.stringify(mirrored.map(({ provider }) => provider));
  return `provider_installation {\n${blocks.join("")}  direct {\n    exclude = ${exclude}\n  }\n}\n`;
}
