import { type Command, type Machine, type ProviderMirror, thisMachine } from "../../sandbox/tools";
import { type Found, type Lookup } from "../../sandbox/tools/lookup";
import { findProviderMirror } from "../../sandbox/tools/mirrors";
import { findMoto } from "../../sandbox/tools/moto";
import { awsProvider } from "../../sandbox/tools/pinned-providers";
import { findTerraform } from "../../sandbox/tools/terraform";

/** What a test can need of the machine. The AWS provider is one only in a mirror: tests download nothing. */
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

/** What the integration tests as a whole can't do without; a browser is a matter of the inbox's own tests. */
const required = ["terraform", "moto", "awsProvider"] as const;

/** One sentence for each tool that the integration tests need and the machine lacks. */
export function missingRequirements(machine: Machine = thisMachine()): string[] {
  const lookups = required.map((name) => finders[name](machine));
  return lookups.flatMap((lookup) => ("missing" in lookup ? [lookup.missing] : []));
}

/** A `describe` that needs tools of the machine: without one it fails in CI, and elsewhere it is skipped and says why. */
export function describeWith<Name extends keyof Requirements>(
  names: readonly Name[],
  title: string,
  body: (found: Pick<Requirements, Name>) => void,
): void {
  const lookups = names.map((name) => [name, finders[name](thisMachine())] as const);
  const missing = lookups.flatMap(([, lookup]) => ("missing" in lookup ? [lookup.missing] : []));
  if (missing.length === 0) {
    const found = lookups.flatMap(([name, lookup]) => ("found" in lookup ? [[name, lookup.found] as const] : []));
    describe(title, () => {
      body(Object.fromEntries(found) as unknown as Pick<Requirements, Name>);
    });
  } else {
    const isSkipped = process.env.CI !== "true";
    if (isSkipped) process.stderr.write(`Skipped: ${title}. ${missing.join(" ")}\n`);
    // Without the tools the body can't be called, and a suite has to have a test.
    describe(title, () => {
      (isSkipped ? it.skip : it)(`finds ${names.join(", ")}`, () => {
        throw new Error(missing.join("\n"));
      });
    });
  }
}
