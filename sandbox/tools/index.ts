import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** A tool of this machine, and how it was found. */
export interface Found<Value> {
  readonly value: Value;
  readonly by: string;
}

/** A filesystem mirror that holds a provider. */
export interface ProviderMirror {
  readonly folder: string;
  /** Folder of the registry within it. */
  readonly host: string;
}

export interface Tools {
  readonly terraform: Found<string>;
  /** The command that starts moto's server. */
  readonly moto: Found<readonly [string, ...string[]]>;
  /** `undefined`: Terraform has to install it from its registry. */
  readonly awsProvider: Found<ProviderMirror> | undefined;
  readonly archiveProvider: Found<ProviderMirror> | undefined;
}

/** Tools that the sandbox needs and the machine lacks, with how to get each. */
export class MissingToolsError extends Error {
  override readonly name = "MissingToolsError";

  constructor(readonly missing: readonly string[]) {
    super(`The sandbox can't start:\n${missing.map((line) => `  - ${line}`).join("\n")}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Looks for everything that the sandbox needs.
 * @throws MissingToolsError with all that is missing.
 */
export function findTools(environment: Environment = process.env): Tools {
  const missing: string[] = [];
  const terraform = findTerraform(environment, missing);
  const moto = findMoto(environment, missing);
  if (terraform === undefined || moto === undefined) throw new MissingToolsError(missing);
  return {
    terraform,
    moto,
    awsProvider: findMirror("aws", environment),
    archiveProvider: findMirror("archive", environment),
  };
}

/** Terraform 1.10 brought the S3 backend's lock file. */
function findTerraform(environment: Environment, missing: string[]): Found<string> | undefined {
  const fromEnvironment = environment.TERRAFORM_BINARY_NAME;
  const value = fromEnvironment ?? "terraform";
  const by = fromEnvironment === undefined ? "PATH" : "TERRAFORM_BINARY_NAME";
  const run = spawnSync(value, ["version", "-json"], {
    encoding: "utf8",
    env: { PATH: environment.PATH, CHECKPOINT_DISABLE: "1" },
  });
  if (run.status !== 0) {
    missing.push(
      `Terraform 1.10 or newer is missing (looked for "${value}" by ${by}): install it from https://developer.hashicorp.com/terraform/install, or set TERRAFORM_BINARY_NAME`,
    );
    return undefined;
  }
  const version = /"terraform_version": *"(\d+)\.(\d+)/.exec(run.stdout);
  if (version === null || Number(version[1]) * 1000 + Number(version[2]) < 1010) {
    missing.push(`Terraform is too old (${version?.[0] ?? "no version"}): 1.10 or newer is needed for the lock file`);
    return undefined;
  }
  return { value, by };
}

function findMoto(environment: Environment, missing: string[]): Found<readonly [string, ...string[]]> | undefined {
  const candidates: Found<readonly [string, ...string[]]>[] = [
    ...(environment.MOTO_SERVER === undefined
      ? []
      : [{ value: [environment.MOTO_SERVER] as const, by: "MOTO_SERVER" }]),
    { value: ["moto_server"], by: "PATH" },
    { value: ["python3", "-m", "moto.server"], by: "python3" },
  ];
  for (const candidate of candidates) {
    const [command, ...words] = candidate.value;
    if (spawnSync(command, [...words, "--help"], { env: { PATH: environment.PATH } }).status === 0) return candidate;
  }
  missing.push('moto\'s server is missing: pip install "moto[server]>=5", or set MOTO_SERVER to its moto_server');
  return undefined;
}

/** Where Terraform looks by itself (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories). */
function impliedMirrors(environment: Environment): string[] {
  const home = homedir();
  return [
    "terraform.d/plugins",
    join(home, ".terraform.d", "plugins"),
    join(environment.XDG_DATA_HOME ?? join(home, ".local", "share"), "terraform", "plugins"),
    ...(environment.XDG_DATA_DIRS ?? ["/usr/local/share", "/usr/share"].join(delimiter))
      .split(delimiter)
      .map((folder) => join(folder, "terraform", "plugins")),
    ...(process.platform === "darwin"
      ? [
          join(home, "Library/Application Support/io.terraform/plugins"),
          "/Library/Application Support/io.terraform/plugins",
        ]
      : []),
    ...(environment.APPDATA === undefined ? [] : [join(environment.APPDATA, "terraform.d", "plugins")]),
  ];
}

/** Last, the folders right below those where administrators put software: a mirror of any name. */
function searchedMirrors(): string[] {
  return ["/opt", "/srv", "/usr/local", "/usr/local/share", "/var/lib"].flatMap((folder) =>
    list(folder).map((name) => join(folder, name)),
  );
}

function findMirror(provider: string, environment: Environment): Found<ProviderMirror> | undefined {
  const places: readonly Found<readonly string[]>[] = [
    { value: environment.TF_PROVIDER_MIRROR?.split(delimiter) ?? [], by: "TF_PROVIDER_MIRROR" },
    { value: impliedMirrors(environment), by: "implied mirror" },
    { value: searchedMirrors(), by: "search" },
  ];
  for (const { value, by } of places) {
    for (const folder of value) {
      const host = list(folder).find((name) =>
        list(join(folder, name, "hashicorp", provider)).some((version) =>
          existsSync(join(folder, name, "hashicorp", provider, version, platform())),
        ),
      );
      if (host !== undefined) return { value: { folder, host }, by };
    }
  }
  return undefined;
}

/** Terraform's name of this platform. */
export function platform(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  return `${system}_${process.arch === "x64" ? "amd64" : process.arch}`;
}

/** What a folder holds; nothing where it can't be read. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
