import { type Command, type Machine, type ProviderMirror, thisMachine } from "../../sandbox/tools";
import { type Found, type Lookup } from "../../sandbox/tools/lookup";
import { findProviderMirror } from "../../sandbox/tools/mirrors";
import { findMoto } from "../../sandbox/tools/moto";
import { awsProvider } from "../../sandbox/tools/pinned-providers";
import { findTerraform } from "../../sandbox/tools/terraform";

/** Tools that a test can need. The AWS provider has to be in a mirror, because tests download nothing. */
interface Requirements {
  readonly terraform: Found<string>;
  readonly moto: Found<Command>;
  readonly awsProvider: Found<ProviderMirror>;
}

const finders: { readonly [Name in keyof Requirements]: (machine: Machine) => Lookup<Requirements[Name]["value"]> } = {
  terraform: findTerraform,
  moto: findMoto,
  awsProvider: (machine) => {
    const found = findProviderMirror(awsProvider, machine);
    const { source, version } = awsProvider;
    if (found !== undefined) return { found };
    return { missing: `No mirror holds ${source} ${version}: name one in TF_PROVIDER_MIRROR.` };
  },
};

/** Tools that every integration test needs. A browser is needed only by the tests of the inbox. */
const required = ["terraform", "moto", "awsProvider"] as const;

/** One sentence for each tool that the integration tests need and that is missing. */
export function missingRequirements(machine: Machine = thisMachine()): string[] {
  const lookups = required.map((name) => finders[name](machine));
  return lookups.flatMap((lookup) => ("missing" in lookup ? [lookup.missing] : []));
}

/**
 * A `describe` that passes tools of the machine to its tests. A missing tool is an error here, because the set-up of
 * the integration tests has already checked them.
 */
export function describeWith<Name extends keyof Requirements>(
  names: readonly Name[],
  title: string,
  body: (found: Pick<Requirements, Name>) => void,
): void {
  describe(title, () => {
    const found = names.map((name) => {
      const lookup = finders[name](thisMachine());
      if ("missing" in lookup) throw new Error(lookup.missing);
      return [name, lookup.found] as const;
    });
    body(Object.fromEntries(found) as unknown as Pick<Requirements, Name>);
  });
}
