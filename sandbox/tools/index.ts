import { archiveProvider, awsProvider } from "./pinned-providers";
import { type Found, type Machine, thisMachine } from "./lookup";
import { findProviderMirror, type ProviderMirror } from "./mirrors";
import { MissingToolsError } from "./missing-tools-error";
import { type Command, findMoto } from "./moto";
import { findTerraform } from "./terraform";

export { type Command } from "./moto";
export { type Found, type Machine, thisMachine } from "./lookup";
export { type ProviderMirror } from "./mirrors";
export { MissingToolsError } from "./missing-tools-error";
export { resolveProviders, type ResolvedProviders } from "./providers";

export interface Tools {
  /** An absolute path. */
  readonly terraform: Found<string>;
  /** The command that starts moto's server. */
  readonly moto: Found<Command>;
  /** `undefined`: no mirror holds it. */
  readonly awsProvider: Found<ProviderMirror> | undefined;
  readonly archiveProvider: Found<ProviderMirror> | undefined;
}

/**
 * Looks for everything that the sandbox needs.
 * @throws MissingToolsError with all that is missing.
 */
export function findTools(machine: Machine = thisMachine()): Tools {
  const terraform = findTerraform(machine);
  const moto = findMoto(machine);
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
