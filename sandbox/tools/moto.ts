import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { executablesOf, firstLine, outputOf } from "./executables";
import { type Found, type Lookup, type Machine, thisMachine } from "./lookup";
import { storagePlaces } from "./storage";

/** A program and its first words. */
export type Command = readonly [string, ...string[]];

/** moto and all that it needs, in exact versions. */
export const requirementsFile = join(__dirname, "moto-requirements.txt");

const howToGetIt =
  'put it into a virtual environment ("python3 -m venv .venv && .venv/bin/pip install -r sandbox/tools/moto-requirements.txt"), or name its moto_server in MOTO_SERVER';

/** moto 5 is the first with one decorator and one server for all services; the moto patches were written for it. */
const atLeast = 5;

/** Imports the server too: without the extra `[server]`, moto is there and its server is not. */
const askVersion = "import importlib.metadata as m, moto.server; print(m.version('moto'))";

interface Candidate extends Found<Command> {
  /** The Python that runs it. */
  readonly python: string | undefined;
}

/** Finds moto's server; the value is the command that starts it. */
export function findMoto(machine: Machine = thisMachine()): Lookup<Command> {
  const refused: string[] = [];
  const named = machine.environment.MOTO_SERVER;
  for (const { value, by, python } of named ? namedServer(named, machine) : candidates(machine)) {
    const version = python && motoVersionOf(python, machine);
    if (!version) {
      // A Python without moto is passed over in silence; a moto_server that can't run is told of.
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

/** The version of a Python's moto; `undefined` where it has none, or none whose server can be started. */
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

/** Below a place of `storagePlaces`. Other requirements make another one: a running sandbox keeps what it runs on. */
export function environmentName(): string {
  const requirements = readFileSync(requirementsFile);
  return join("venv", createHash("sha256").update(requirements).digest("hex").slice(0, 12));
}

export function pythonOfEnvironment(folder: string): string {
  return join(folder, "bin", "python");
}

/** A script of pip names its Python in its first line; a version manager's shim has the shim of Python beside it. */
function pythonOf(script: string, machine: Machine): string | undefined {
  const named = /^#!\s*(\S*python\S*)\s*$/m.exec(firstLine(script))?.[1];
  if (named !== undefined) return named;
  return ["python3", "python"].flatMap((name) => executablesOf(join(dirname(script), name), machine))[0];
}
