import { executablesOf, outputOf } from "./executables";
import { type Lookup, type Machine, thisMachine } from "./lookup";

/** cdktf's own variable comes first: one setting then serves `cdktf deploy` and the sandbox. */
const variables = ["TERRAFORM_BINARY_NAME", "TERRAFORM"] as const;
const howToGetIt = `install it (https://developer.hashicorp.com/terraform/install), or name it in ${variables.join(" or ")}`;

/** Terraform 1.10 brought `use_lockfile` to the S3 backend. */
const atLeast = { major: 1, minor: 10 };

/** Finds Terraform; the value is an absolute path. */
export function findTerraform(machine: Machine = thisMachine()): Lookup<string> {
  const variable = variables.find((name) => machine.environment[name]);
  const name = (variable && machine.environment[variable]) ?? "terraform";
  const by = variable === undefined ? "PATH" : `environment variable ${variable}`;
  const [file] = executablesOf(name, machine);
  const wanted = `Terraform ${atLeast.major}.${atLeast.minor} or newer`;
  if (file === undefined) return { missing: `${wanted} is missing ("${name}", by ${by}): ${howToGetIt}.` };
  const version = /"terraform_version": *"([^"]+)"/.exec(
    outputOf("terraform", [file, "version", "-json"], machine) ?? "",
  )?.[1];
  if (version === undefined) {
    return { missing: `${wanted} is missing: "${file} version -json" (by ${by}) tells no version; ${howToGetIt}.` };
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < atLeast.major || (major === atLeast.major && minor < atLeast.minor)) {
    return {
      missing: `${wanted} is needed for the state's lock file; ${file} (by ${by}) is ${version}: ${howToGetIt}.`,
    };
  }
  return { found: { value: file, by } };
}
