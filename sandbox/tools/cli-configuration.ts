import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Machine } from "./lookup";

/** The parts of a user's Terraform configuration that say where providers are. */
export interface ProviderPlaces {
  readonly mirrors: readonly string[];
  readonly pluginCache?: string;
}

/** Reads the file that Terraform itself would read: that of TF_CLI_CONFIG_FILE, or else the one in the user's home. */
export function readCliConfiguration({ environment, platform, home }: Machine): ProviderPlaces {
  const ofUser = platform === "win32" ? join(environment.APPDATA ?? home, "terraform.rc") : join(home, ".terraformrc");
  const file = environment.TF_CLI_CONFIG_FILE ? environment.TF_CLI_CONFIG_FILE : ofUser;
  try {
    return parseCliConfiguration(readFileSync(file, "utf8"), environment);
  } catch {
    // Terraform itself only warns if the file does not exist.
    return { mirrors: [] };
  }
}

/**
 * Reads the two settings where they are written in the usual form. A setting in another form is ignored, which does no
 * harm.
 */
export function parseCliConfiguration(text: string, environment: Machine["environment"]): ProviderPlaces {
  const withoutComments = text.replace(/^\s*(#|\/\/).*$/gm, "");
  const valueOf = (name: string, within: string) => {
    const literal = new RegExp(`^\\s*${name}\\s*=\\s*("(?:[^"\\\\]|\\\\.)*")`, "m").exec(within)?.[1];
    return literal === undefined ? undefined : String(JSON.parse(literal));
  };
  const blocks = [...withoutComments.matchAll(/filesystem_mirror\s*\{([^{}]*)\}/g)].map(([, body = ""]) => `\n${body}`);
  const pluginCache = valueOf("plugin_cache_dir", withoutComments)?.replace(
    // Terraform expands environment variables in this setting.
    /\$\{?(\w+)\}?/g,
    (_, name: string) => environment[name] ?? "",
  );
  return {
    mirrors: blocks.map((body) => valueOf("path", body)).filter((path) => path !== undefined),
    ...(pluginCache === undefined ? {} : { pluginCache }),
  };
}

/** A provider and the mirror that it comes from. `folder` is `undefined` where it comes from its registry. */
export interface Installation {
  readonly provider: string;
  readonly folder: string | undefined;
}

/** Makes a configuration by which each provider comes only from its given place. */
export function cliConfiguration(installations: readonly Installation[]): string {
  const mirrored = installations.filter(({ folder }) => folder !== undefined);
  const blocks = mirrored.map(
    ({ provider, folder }) =>
      `  filesystem_mirror {\n    path    = ${JSON.stringify(folder)}\n    include = [${JSON.stringify(provider)}]\n  }\n`,
  );
  // Without `exclude`, Terraform would also ask the registry for the mirrored providers, and fail without a network.
  const exclude = JSON.stringify(mirrored.map(({ provider }) => provider));
  return `provider_installation {\n${blocks.join("")}  direct {\n    exclude = ${exclude}\n  }\n}\n`;
}
