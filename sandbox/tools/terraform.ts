import { existsSync } from "node:fs";
import { join } from "node:path";
import { executablesOf, outputOf } from "./executables";
import { type Lookup, type Machine, terraformPlatform, thisMachine } from "./lookup";
import { storagePlaces } from "./storage";

/** The version that is fetched where Terraform is missing. CI runs the tests with the same version. */
export const fetchedVersion = "1.11.4";

/**
 * Variables that can name the Terraform to use. cdktf's own comes first, so that one setting serves `cdktf deploy` and
 * the sandbox.
 */
const variables = ["TERRAFORM_BINARY_NAME", "TERRAFORM"] as const;
const howToGetIt = `install it (https://developer.hashicorp.com/terraform/install), or name it in ${variables.join(" or ")}`;

/** The oldest version that works. Terraform 1.10 was the first with `use_lockfile` in the S3 backend. */
const atLeast = { major: 1, minor: 10 };

/**
 * The variable that names a Terraform; `undefined` where none is set. Where one is set, only that Terraform is used,
 * and nothing is fetched instead.
 */
export function variableOfTerraform({ environment }: Machine): (typeof variables)[number] | undefined {
  return variables.find((name) => environment[name]);
}

/** Finds Terraform; the value is an absolute path. */
export function findTerraform(machine: Machine = thisMachine()): Lookup<string> {
  const variable = variableOfTerraform(machine);
  if (variable !== undefined) {
    return examine(machine.environment[variable] ?? "", `environment variable ${variable}`, machine);
  }
  const onPath = examine("terraform", "PATH", machine);
  if ("found" in onPath) return onPath;
  const fetched = fetchedTerraforms(machine).find((file) => versionOf(file, machine) === fetchedVersion);
  return fetched === undefined ? onPath : { found: { value: fetched, by: "fetched before" } };
}

function examine(name: string, by: string, machine: Machine): Lookup<string> {
  const [file] = executablesOf(name, machine);
  const wanted = `Terraform ${atLeast.major}.${atLeast.minor} or newer`;
  if (file === undefined) return { missing: `${wanted} is missing ("${name}", by ${by}): ${howToGetIt}.` };
  const version = versionOf(file, machine);
  if (version === undefined) {
    return { missing: `${wanted} is missing: "${file} version -json" (by ${by}) prints no version; ${howToGetIt}.` };
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < atLeast.major || (major === atLeast.major && minor < atLeast.minor)) {
    return {
      missing: `${wanted} is needed for the state's lock file; ${file} (by ${by}) is ${version}: ${howToGetIt}.`,
    };
  }
  return { found: { value: file, by } };
}

/** The version that a Terraform reports; `undefined` where it can't be run. */
export function versionOf(file: string, machine: Machine): string | undefined {
  const output = outputOf("terraform", [file, "version", "-json"], machine) ?? "";
  return /"terraform_version": *"([^"]+)"/.exec(output)?.[1];
}

/** Where a fetched Terraform is kept: its folder, below one of the `storagePlaces`, and the file in that folder. */
export function placeOfFetched(machine: Machine): { readonly folder: string; readonly file: string } {
  return {
    folder: `${fetchedVersion}_${terraformPlatform(machine)}`,
    file: machine.platform === "win32" ? "terraform.exe" : "terraform",
  };
}

function fetchedTerraforms(machine: Machine): string[] {
  const { folder, file } = placeOfFetched(machine);
  return storagePlaces(machine)
    .map((place) => join(place, "terraform", folder, file))
    .filter((path) => existsSync(path));
}
