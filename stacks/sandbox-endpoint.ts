import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, type Environment, readConfig } from "./config";
import { Names } from "./names";

/** Where a sandbox is. The programs that start it and those that talk to it share this. */
export interface SandboxEndpoint {
  readonly port: number;
  readonly endpoint: string;
  readonly region: string;
  /** The configuration of the stage `sandbox`. It ignores what the user has exported for AWS. */
  readonly config: Config;
  readonly names: Names;
}

/** The region is fixed, so that scripts can rely on it. */
const region = "us-east-1";

/** The port where SANDBOX_PORT is not set. */
export const defaultPort = 4566;

/** Name of the variable in the user's shell and in `.sandbox/environment.sh`. */
const variable = "SANDBOX_PORT";

/** The file that a running sandbox writes: docs/deploy.md, "Try a deployment in the sandbox". */
const sandboxEnvironmentFile = join(__dirname, "..", ".sandbox", "environment.sh");

/**
 * The sandbox that listens on the port of SANDBOX_PORT, or else on the default port.
 * @throws Error where SANDBOX_PORT is not a port.
 */
export function sandboxEndpoint(environment: Environment): SandboxEndpoint {
  // An empty value counts as not set, because `SANDBOX_PORT= npm start` is how a shell overrides an exported value.
  const port = portOf(environment[variable] || undefined, variable) ?? defaultPort;
  const config = readConfig({ STAGE: "sandbox", AWS_REGION: region });
  return { port, endpoint: `http://127.0.0.1:${port}`, region, config, names: new Names(config) };
}

export interface FoundSandbox extends SandboxEndpoint {
  /** Where the port came from, in words for a person. */
  readonly namedBy: string;
}

/**
 * Finds the sandbox to talk to. SANDBOX_PORT comes first, then this checkout's environment file, then the default port.
 * @param file that a running sandbox of this checkout writes.
 * @throws Error where SANDBOX_PORT or the file names something that is not a port.
 */
export function findSandbox(environment: Environment, file = sandboxEnvironmentFile): FoundSandbox {
  if (environment[variable]) return { ...sandboxEndpoint(environment), namedBy: "the port of SANDBOX_PORT" };
  const text = portIn(file);
  if (text === undefined) return { ...sandboxEndpoint({}), namedBy: "the default port" };
  const port = portOf(text, `${variable} in ${file}`);
  return { ...sandboxEndpoint({ [variable]: String(port) }), namedBy: "the port of .sandbox/environment.sh" };
}

/** @returns the port that the file names; `undefined` where there is no file, or where it names no port. */
function portIn(file: string): string | undefined {
  let script: string;
  try {
    script = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  return /^export SANDBOX_PORT=(['"]?)(.*?)\1$/m.exec(script)?.[2];
}

function portOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  // Only digits are allowed, because `Number` would also read "0x11D6", "1e3" and blanks.
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Error(`${name}="${text}" is not a port: use a number from 1 to 65535`);
}
