import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installArchiveStandIn } from "../archive-provider/install";
import { inheritedBy } from "../child-environment";
import { cliConfiguration } from "./cli-configuration";
import { type Found, type Machine, thisMachine } from "./lookup";
import { type ProviderMirror } from "./mirrors";
import { MissingToolsError } from "./missing-tools-error";
import { archiveProvider, awsProvider, ownPluginCache, type PinnedProvider } from "./pinned-providers";
import { storageFor } from "./storage";

interface ProviderSource {
  readonly kind: "mirror" | "registry" | "stand-in";
  /** A description for people, for example "mirror (search)". */
  readonly by: string;
  /** The mirror's folder; `undefined` where the provider comes from its registry. */
  readonly folder?: string;
}

export interface ResolvedProviders {
  readonly aws: ProviderSource;
  readonly archive: ProviderSource;
  /** The variables by which Terraform finds the providers, TF_CLI_CONFIG_FILE among them. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ResolveProvidersOptions {
  /** The absolute path of Terraform. */
  readonly terraform: string;
  readonly awsMirror: Found<ProviderMirror> | undefined;
  readonly archiveMirror: Found<ProviderMirror> | undefined;
  /** The folder for the configuration file and, where it is needed, for the stand-in. */
  readonly workDirectory: string;
  readonly machine?: Machine;
  /** @returns why Terraform can't install the provider from its registry; `undefined` where it can. */
  readonly whyNotInstallable?: (terraform: string, provider: PinnedProvider, machine: Machine) => string | undefined;
}

const registry: ProviderSource = { kind: "registry", by: "registry" };

/**
 * Decides where Terraform gets its providers from: a mirror, the registry, or (only for the archive provider) the
 * stand-in.
 * @throws MissingToolsError where a provider can't be had from any of them.
 */
export function resolveProviders(options: ResolveProvidersOptions): ResolvedProviders {
  const { awsMirror, archiveMirror, workDirectory, machine = thisMachine() } = options;
  const reason = awsMirror !== undefined && archiveMirror !== undefined ? undefined : whyNoRegistry(options, machine);
  const aws = awsMirror ? mirrorSource(awsMirror) : registry;
  const archive = archiveMirror
    ? mirrorSource(archiveMirror)
    : reason === undefined
      ? registry
      : standIn(options, machine);
  const configuration = join(workDirectory, "terraform.rc");
  const installations = [
    { provider: awsProvider.source, folder: aws.folder },
    { provider: archiveProvider.source, folder: archive.folder },
  ];
  writeFileSync(configuration, cliConfiguration(installations));
  return {
    aws,
    archive,
    environment: {
      TF_CLI_CONFIG_FILE: configuration,
      // The stand-in speaks without TLS on a Unix socket.
      ...(archive.kind === "stand-in" ? { TF_DISABLE_PLUGIN_TLS: "1" } : {}),
      // There is no plug-in cache where the stand-in is used, because Terraform would keep the stand-in there under the
      // name of the real provider.
      ...(aws.kind === "registry" && archive.kind !== "stand-in" ? cacheEnvironment(machine) : {}),
    },
  };
}

function mirrorSource({ value, by }: Found<ProviderMirror>): ProviderSource {
  return { kind: "mirror", by: `mirror (${by})`, folder: value.folder };
}

function cacheEnvironment(machine: Machine): Record<string, string> {
  const ofUser = machine.environment.TF_PLUGIN_CACHE_DIR;
  return {
    TF_PLUGIN_CACHE_DIR: ofUser ? madeFolder(ofUser) : ownCache(machine),
    // Without this variable, Terraform would use the cache only for providers in a lock file, and each run starts
    // without one.
    TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE: "1",
  };
}

function madeFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

function ownCache(machine: Machine): string {
  try {
    return storageFor(ownPluginCache, machine);
  } catch (error) {
    throw new MissingToolsError([`The providers need a folder: ${(error as Error).message}.`], { cause: error });
  }
}

/**
 * Tries to install the archive provider, which is small, from the registry. If that fails, the AWS provider can't be
 * installed from there either.
 * @returns why the registry can't be used, if mirrors and the stand-in can replace it; `undefined` where the registry
 * works.
 * @throws MissingToolsError where neither works.
 */
function whyNoRegistry(options: ResolveProvidersOptions, machine: Machine): string | undefined {
  const { terraform, awsMirror, archiveMirror, whyNotInstallable = askTerraform } = options;
  const reason = whyNotInstallable(terraform, archiveProvider, machine);
  if (reason === undefined) return undefined;
  const canStandIn = awsMirror !== undefined && machine.platform !== "win32";
  const missing = [
    ...(awsMirror === undefined ? [awsProvider] : []),
    ...(archiveMirror === undefined && !canStandIn ? [archiveProvider] : []),
  ];
  if (missing.length === 0) return reason;
  const names = missing.map(({ source, version }) => `${source} ${version}`).join(" and ");
  throw new MissingToolsError([
    `No mirror holds ${names}, and Terraform can't install from its registry (it says: ${reason}): connect this machine to the registry, or make a mirror elsewhere with "terraform providers mirror" and name it in TF_PROVIDER_MIRROR.`,
  ]);
}

function standIn({ awsMirror, workDirectory }: ResolveProvidersOptions, machine: Machine): ProviderSource {
  const folder = join(workDirectory, "archive-provider");
  installArchiveStandIn(folder, awsMirror?.value.hosts ?? [], machine);
  return { kind: "stand-in", by: "stand-in", folder };
}

/**
 * How long the registry may take to answer, in seconds. It is longer than Terraform's own time-outs without a network,
 * and the download takes only seconds.
 */
const probeSeconds = 60;
const answers = new Map<string, string | undefined>();

/** Lets Terraform itself find out whether the registry can be reached. Each registry is asked once in a process. */
function askTerraform(terraform: string, provider: PinnedProvider, machine: Machine): string | undefined {
  const key = `${terraform} ${provider.source}`;
  if (!answers.has(key)) answers.set(key, probe(terraform, provider, machine));
  return answers.get(key);
}

function probe(terraform: string, { type, source, version }: PinnedProvider, machine: Machine): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "terraform-probe-"));
  try {
    const configuration = join(folder, "terraform.rc");
    writeFileSync(configuration, cliConfiguration([]));
    writeFileSync(
      join(folder, "main.tf.json"),
      JSON.stringify({ terraform: { required_providers: { [type]: { source, version } } } }),
    );
    const run = spawnSync(terraform, ["init", "-backend=false", "-input=false", "-no-color"], {
      cwd: folder,
      env: {
        ...inheritedBy("terraform", machine.environment),
        TF_CLI_CONFIG_FILE: configuration,
        CHECKPOINT_DISABLE: "1",
        // One try is enough, because a start without a network should not take twice as long.
        TF_REGISTRY_DISCOVERY_RETRY: "0",
      },
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      timeout: probeSeconds * 1000,
    });
    if (run.status === 0) return undefined;
    const said = run.stderr.replaceAll(/[\s│╷╵]+/g, " ").trim();
    return said === "" ? `nothing within ${probeSeconds} s` : said;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
