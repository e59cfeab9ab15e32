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
  /** For people, for example "mirror (search)". */
  readonly by: string;
  /** The mirror's folder; none for what comes from the registry. */
  readonly folder?: string;
}

export interface ResolvedProviders {
  readonly aws: ProviderSource;
  readonly archive: ProviderSource;
  /** What Terraform needs to find them, TF_CLI_CONFIG_FILE included. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ResolveProvidersOptions {
  /** An absolute path. */
  readonly terraform: string;
  readonly awsMirror: Found<ProviderMirror> | undefined;
  readonly archiveMirror: Found<ProviderMirror> | undefined;
  /** Gets the configuration file and, where it is needed, the stand-in. */
  readonly workDirectory: string;
  readonly machine?: Machine;
  /** @returns why Terraform can't install it from its registry, or `undefined` where it can. */
  readonly whyNotInstallable?: (terraform: string, provider: PinnedProvider, machine: Machine) => string | undefined;
}

const registry: ProviderSource = { kind: "registry", by: "registry" };

/**
 * Decides where Terraform gets its providers: a mirror, its registry, or (the archive provider only) the stand-in.
 * @throws MissingToolsError where there is no way to one.
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
      // The stand-in speaks without TLS, on a Unix socket.
      ...(archive.kind === "stand-in" ? { TF_DISABLE_PLUGIN_TLS: "1" } : {}),
      // There is no cache beside the stand-in, because Terraform would keep the stand-in in it as the real provider.
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
    // Without it, the cache serves only what a lock file names, and each run starts without a lock file.
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
 * Asks the registry for the archive provider, which is small. Where it can't be had, the AWS provider can't be either.
 * @returns why the registry can't be used, where mirrors and the stand-in make up for it; `undefined` where it can.
 * @throws MissingToolsError where they don't.
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
    `No mirror holds ${names}, and Terraform can't install from its registry (it says: ${reason}): connect to it, or make a mirror elsewhere with "terraform providers mirror" and name it in TF_PROVIDER_MIRROR.`,
  ]);
}

function standIn({ awsMirror, workDirectory }: ResolveProvidersOptions, machine: Machine): ProviderSource {
  const folder = join(workDirectory, "archive-provider");
  installArchiveStandIn(folder, awsMirror?.value.hosts ?? [], machine);
  return { kind: "stand-in", by: "stand-in", folder };
}

/** Longer than Terraform's own time-outs on a dead network; the download itself takes seconds. */
const probeSeconds = 60;
const answers = new Map<string, string | undefined>();

/** Whether its registry can be reached is for Terraform to find out; asked once a process. */
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
        // One try: a start without a network shall not wait for a second.
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
