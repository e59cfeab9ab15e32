import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { executablesOf, firstLine, outputOf } from "./executables";
import { type Found, type Lookup, type Machine, thisMachine } from "./lookup";
import { storagePlaces } from "./storage";

/** A program and its first arguments. */
export type Command = readonly [string, ...string[]];

/** Lists moto and everything that it needs, each in an exact version. */
export const requirementsFile = join(__dirname, "moto-requirements.txt");

const howToGetIt =
  'put it into a virtual environment ("python3 -m venv .venv && .venv/bin/pip install -r sandbox/tools/moto-requirements.txt"), or name its moto_server in MOTO_SERVER';

/**
 * The oldest major version that works. moto 5 is the first with one decorator and one server for all services, and the
 * moto patches were written for it.
 */
const atLeast = 5;

/**
 * Python code that prints moto's version. It also imports the server, which is missing if moto was installed without
 * the extra `[server]`.
 */
const askVersion = "import importlib.metadata as m, moto.server; print(m.version('moto'))";

interface Candidate extends Found<Command> {
  /** The Python that runs the server. */
  readonly python: string | undefined;
}

/** Finds moto's server; the value is the command that starts it. */
export function findMoto(machine: Machine = thisMachine()): Lookup<Command> {
  const refused: string[] = [];
  const named = machine.environment.MOTO_SERVER;
  for (const { value, by, python } of named ? namedServer(named, machine) : candidates(machine)) {
    const version = python && motoVersionOf(python, machine);
    if (!version) {
      // A Python without moto is common, so it is not mentioned. A `moto_server` that does not run is reported.
      if (value.length === 1) refused.push(`${value[0]} (by ${by}) does not run with ${python ?? "any Python known"}`);
    } else if (Number(version.split(".")[0]) < atLeast) {
      refused.push(`${value[0]} (by ${by}) is moto ${version}`);
    } else {
      return { found: { value, by } };
    }
  }
  if (named && refused.length === 0) refused.push(`MOTO_SERVER="${named}" names no program`);
  const reasons = refused.length > 0 ? ` (${refused.join("; ")})` : "";
  return { missing: `The server of moto ${atLeast} or newer is missing${reasons}: ${howToGetIt}.` };
}

/** The version of a Python's moto; `undefined` where it has no moto, or where the moto's server can't be started. */
export function motoVersionOf(python: string, machine: Machine): string | undefined {
  const version = outputOf("python", [python, "-c", askVersion], machine)?.trim();
  return version === "" ? undefined : version;
}

function namedServer(name: string, machine: Machine): Candidate[] {
  return executablesOf(name, machine)
    .slice(0, 1)
    .map((file) => server(file, "environment variable MOTO_SERVER", machine));
}

function* candidates(machine: Machine): Generator<Candidate> {
  for (const file of executablesOf("moto_server", machine)) yield server(file, "PATH", machine);
  for (const name of [join(".venv", "bin", "python"), "python3", "python"]) {
    for (const python of executablesOf(name, machine)) yield module(python, `${name} -m moto.server`);
  }
  for (const place of storagePlaces(machine)) {
    const python = pythonOfEnvironment(join(place, environmentName()));
    if (existsSync(python)) yield module(python, "installed before");
  }
}

function server(file: string, by: string, machine: Machine): Candidate {
  return { value: [file], by, python: pythonOf(file, machine) };
}

function module(python: string, by: string): Candidate {
  return { value: serverOf(python), by, python };
}

/** The command that starts the moto of a Python. */
export function serverOf(python: string): Command {
  return [python, "-m", "moto.server"];
}

/**
 * The folder of the virtual environment, below one of the `storagePlaces`. Its name depends on the requirements. When
 * they change, a new environment is made, and a running sandbox keeps its own.
 */
export function environmentName(): string {
  const requirements = readFileSync(requirementsFile);
  return join("venv", createHash("sha256").update(requirements).digest("hex").slice(0, 12));
}

export function pythonOfEnvironment(folder: string): string {
  return join(folder, "bin", "python");
}

/**
 * The Python that runs a script. A script that pip installed names it in its first line. A shim of a version manager
 * has the shim of its Python beside it.
 */
function pythonOf(script: string, machine: Machine): string | undefined {
  const named = /^#!\s*(\S*python\S*)\s*$/m.exec(firstLine(script))?.[1];
  if (named !== undefined) return named;
  return ["python3", "python"].flatMap((name) => executablesOf(join(dirname(script), name), machine))[0];
}
