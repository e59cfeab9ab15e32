import { type FetchOptions, fetchTerraform } from "./fetch-terraform";
import { installMoto } from "./install-moto";
import { type Found, type Lookup, type Machine, thisMachine } from "./lookup";
import { findProviderMirror, type ProviderMirror } from "./mirrors";
import { MissingToolsError } from "./missing-tools-error";
import { type Command, findMoto } from "./moto";
import { archiveProvider, awsProvider } from "./pinned-providers";
import { findTerraform, variableOfTerraform } from "./terraform";

export { type Command } from "./moto";
export { type Found, type Machine, thisMachine } from "./lookup";
export { type ProviderMirror } from "./mirrors";
export { MissingToolsError } from "./missing-tools-error";
export { resolveProviders } from "./providers";

export interface Tools {
  /** The absolute path of Terraform. */
  readonly terraform: Found<string>;
  /** The command that starts moto's server. */
  readonly moto: Found<Command>;
  /** `undefined` where no mirror holds the provider. */
  readonly awsProvider: Found<ProviderMirror> | undefined;
  readonly archiveProvider: Found<ProviderMirror> | undefined;
}

/**
 * Looks for everything that the sandbox needs, and fetches nothing.
 * @throws MissingToolsError with all that is missing.
 */
export function findTools(machine: Machine = thisMachine()): Tools {
  return toolsOf([findTerraform(machine), findMoto(machine)], machine);
}

export interface PrepareOptions {
  readonly machine?: Machine;
  /**
   * Is called for each tool that is fetched, with a line that says what it is, from where it comes, and where it goes.
   */
  readonly onFetch: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly fetchers?: Fetchers;
}

/** Each throws an error with the reason if the tool can't be fetched. */
export interface Fetchers {
  readonly terraform: (options: FetchOptions) => Promise<Found<string>>;
  readonly moto: (options: FetchOptions) => Promise<Found<Command>>;
}

const realFetchers: Fetchers = { terraform: fetchTerraform, moto: installMoto };

/**
 * Looks for everything that the sandbox needs, and fetches Terraform and moto where they are missing.
 * @throws MissingToolsError with everything that is missing and can't be fetched; the signal's reason where it is
 * aborted.
 */
export async function prepareTools({
  machine = thisMachine(),
  onFetch,
  signal,
  fetchers = realFetchers,
}: PrepareOptions): Promise<Tools> {
  const options = { machine, onFetch, signal };
  // The two are looked for at the same time, because each may take a minute to fetch.
  const lookups = await Promise.all([
    foundOrFetchedTerraform(fetchers, options),
    // moto is not installed on Windows: the sandbox's moto listens on a Unix socket, which Python does not support
    // there.
    orFetched(
      findMoto(machine),
      machine.environment.MOTO_SERVER || machine.platform === "win32" ? undefined : fetchers.moto,
      options,
    ),
  ]);
  return toolsOf(lookups, machine);
}

/**
 * Looks for Terraform alone, which a synth needs, and fetches it where it is missing.
 * @returns an absolute path.
 * @throws MissingToolsError where it is missing and can't be fetched.
 */
export async function prepareTerraform({
  machine = thisMachine(),
  onFetch,
  signal,
  fetchers = realFetchers,
}: Omit<PrepareOptions, "fetchers"> & { readonly fetchers?: Pick<Fetchers, "terraform"> }): Promise<Found<string>> {
  const lookup = await foundOrFetchedTerraform(fetchers, { machine, onFetch, signal });
  if ("missing" in lookup) throw new MissingToolsError([lookup.missing], { what: "The synth" });
  return lookup.found;
}

function foundOrFetchedTerraform(
  fetchers: Pick<Fetchers, "terraform">,
  options: FetchOptions,
): Promise<Lookup<string>> {
  const isNamed = variableOfTerraform(options.machine) !== undefined;
  return orFetched(findTerraform(options.machine), isNamed ? undefined : fetchers.terraform, options);
}

async function orFetched<Value>(
  lookup: Lookup<Value>,
  fetcher: ((options: FetchOptions) => Promise<Found<Value>>) | undefined,
  options: FetchOptions,
): Promise<Lookup<Value>> {
  if ("found" in lookup || fetcher === undefined) return lookup;
  try {
    return { found: await fetcher(options) };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { missing: `${lookup.missing} It can't be fetched either: ${(error as Error).message}.` };
  }
}

function toolsOf([terraform, moto]: readonly [Lookup<string>, Lookup<Command>], machine: Machine): Tools {
  if ("missing" in terraform || "missing" in moto) {
    throw new MissingToolsError([terraform, moto].flatMap((lookup) => ("missing" in lookup ? [lookup.missing] : [])));
  }
  return {
    terraform: terraform.found,
    moto: moto.found,
    awsProvider: findProviderMirror(awsProvider, machine),
    archiveProvider: findProviderMirror(archiveProvider, machine),
  };
}
