import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { inheritedBy } from "../child-environment";
import { startChild, stopChild } from "aws-emulator/processes";
import { type FetchOptions } from "./fetch-terraform";
import { type Found, type Machine } from "./lookup";
import { type Command, environmentName, motoVersionOf, pythonOfEnvironment, requirementsFile, serverOf } from "./moto";
import { findPython } from "./python";
import { placeWhole, storageFor } from "./storage";

/**
 * Makes a virtual environment, installs moto into it, and keeps it for later starts.
 * @throws Error whose message is the reason, without a full stop.
 */
export async function installMoto({ machine, onFetch, signal }: FetchOptions): Promise<Found<Command>> {
  const python = findPython(machine);
  if ("missing" in python) throw new Error(python.missing);
  const name = environmentName();
  const place = join(storageFor(dirname(name), machine), name.slice(dirname(name).length + 1));
  onFetch(`Installing moto (about 60 packages) from ${indexOf(machine)} with ${python.found.value} into ${place}`);
  const hasMoto = (folder: string) => motoVersionOf(pythonOfEnvironment(folder), machine) !== undefined;
  await placeWhole({
    place,
    isWhole: () => hasMoto(place),
    make: async (folder) => {
      // With `-I`, Python ignores the user's packages and PYTHONPATH, so the environment has to hold everything itself.
      await run([python.found.value, "-I", "-m", "venv", folder], { machine, signal });
      const pip: Command = [pythonOfEnvironment(folder), "-I", "-m", "pip"];
      const options = ["--no-input", "--disable-pip-version-check", "--no-deps"];
      await run([...pip, "install", ...options, "-r", requirementsFile], { machine, signal });
      if (!hasMoto(folder)) throw new Error(`moto does not run in the environment that ${python.found.value} made`);
      removeScripts(folder);
    },
  });
  return { value: serverOf(pythonOfEnvironment(place)), by: "installed" };
}

function indexOf({ environment }: Machine): string {
  const index = environment.PIP_INDEX_URL;
  return index && URL.canParse(index) ? new URL(index).host : "pypi.org, or the index that pip is configured for,";
}

/**
 * Removes the scripts of the environment. They hold the path of the folder that they were made in, which is renamed
 * later. Python itself works in the renamed folder.
 */
function removeScripts(folder: string): void {
  const bin = dirname(pythonOfEnvironment(folder));
  for (const name of readdirSync(bin)) if (!name.startsWith("python")) rmSync(join(bin, name));
}

interface RunOptions {
  readonly machine: Machine;
  readonly signal: AbortSignal | undefined;
}

async function run(command: Command, { machine, signal }: RunOptions): Promise<void> {
  signal?.throwIfAborted();
  const child = startChild(command, {
    directory: machine.directory,
    // A user's configuration may set PIP_USER, with which pip refuses to install into an environment.
    environment: { ...inheritedBy("pip", machine.environment), PIP_USER: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.process.stdout, child.process.stderr]) {
    stream?.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-10_000)));
  }
  const stop = () => void stopChild(child);
  signal?.addEventListener("abort", stop);
  const { code, signal: endedBy, error } = await child.ended;
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  if (code === 0) return;
  const reason = error?.message ?? lastWordsOf(output) ?? `it ended with ${endedBy ?? code ?? ""}`;
  throw new Error(`"${command.join(" ")}" failed (${reason})`);
}

/**
 * The line that explains a failure: pip's first line that begins with ERROR, or else the last line, where Python
 * explains its own.
 */
function lastWordsOf(output: string): string | undefined {
  const lines = output.split("\n").map((line) => line.trim());
  return lines.find((line) => line.startsWith("ERROR:")) ?? lines.findLast((line) => line !== "");
}
