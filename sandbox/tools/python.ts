import { executablesOf, outputOf } from "./executables";
import { type Lookup, type Machine } from "./lookup";

/** The oldest Python that the requirements allow. The developer tools of macOS have 3.9. */
const atLeast = { major: 3, minor: 10 };

/** Names of Python programs. A machine whose `python3` is too old may have a newer one under another name. */
const names = ["python3", "python", ...["3.14", "3.13", "3.12", "3.11", "3.10"].map((version) => `python${version}`)];

/**
 * Python code that prints the version, and whether this Python can make virtual environments. Debian's Python can't, as
 * long as `ensurepip` is not installed.
 */
const askAbilities = [
  "import sys",
  "from importlib.util import find_spec",
  "print(*sys.version_info[:2], all(find_spec(name) for name in ('venv', 'ensurepip')))",
].join("\n");

/** Finds a Python that can make a virtual environment for moto; the value is an absolute path. */
export function findPython(machine: Machine): Lookup<string> {
  const seen: string[] = [];
  let withoutModule: string | undefined;
  for (const file of names.flatMap((name) => executablesOf(name, machine))) {
    const answer = outputOf("python", [file, "-I", "-c", askAbilities], machine);
    const [, major = 0, minor = 0] = (/^(\d+) (\d+) /.exec(answer ?? "") ?? []).map(Number);
    if (major < atLeast.major || (major === atLeast.major && minor < atLeast.minor)) {
      if (answer !== undefined) seen.push(`${file} is ${major}.${minor}`);
    } else if (answer?.trim().endsWith("True")) {
      return { found: { value: file, by: "PATH" } };
    } else {
      withoutModule ??= file;
    }
  }
  if (withoutModule !== undefined) {
    return {
      missing: `${withoutModule} lacks the module that makes virtual environments: install it (Debian, Ubuntu: apt-get install python3-venv)`,
    };
  }
  const found = seen.length > 0 ? `; ${[...new Set(seen)].join(", ")}` : "";
  return {
    missing: `Python ${atLeast.major}.${atLeast.minor} or newer is missing (${lookedFor(found)}): ${howToGetIt}`,
  };
}

const lookedFor = (found: string): string => `looked for python3 and python on PATH${found}`;

const howToGetIt =
  "install it (Debian, Ubuntu: apt-get install python3 python3-venv; Fedora: dnf install python3; macOS: brew install python3)";
