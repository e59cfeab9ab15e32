import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, type Environment, readConfig } from "./config";
import { Names } from "./names";

/** Where a sandbox is, for whoever starts it or talks to it. */
export interface SandboxEndpoint {
  readonly port: number;
  readonly endpoint: string;
  readonly region: string;
  /** The stage's own values: what the user has exported for AWS does not reach the sandbox. */
  readonly config: Config;
  readonly names: Names;
}

/** Fixed, for scripts. */
const region = "us-east-1";

/** Where nothing is said in SANDBOX_PORT. */
export const defaultPort = 4566;

/** The name of the variable, in the user's shell and in `.sandbox/environment.sh`. */
const variable = "SANDBOX_PORT";

/** A running sandbox writes it: docs/deploy.md, "Try a deployment in the sandbox". */
const sandboxEnvironmentFile = join(__dirname, "..", ".sandbox", "environment.sh");

/**
 * The sandbox that listens on the port of SANDBOX_PORT.
 * @throws Error where that is not a port.
 */
export function sandboxEndpoint(environment: Environment): SandboxEndpoint {
  // An empty text is how a shell takes a variable back.
  const port = portOf(environment[variable] || undefined, variable) ?? defaultPort;
  const config = readConfig({ STAGE: "sandbox", AWS_REGION: region });
  return { port, endpoint: `http://127.0.0.1:${port}`, region, config, names: new Names(config) };
}

export interface FoundSandbox extends SandboxEndpoint {
  /** Who named its port, for a person. */
  readonly namedBy: string;
}

/**
 * The sandbox to talk to: the one that SANDBOX_PORT names; else the one that this checkout's environment file names;
 * else the one on the default port.
 * @param file that a running sandbox of this checkout writes
 * @throws Error where the port that is named is none.
 */
export function findSandbox(environment: Environment, file = sandboxEnvironmentFile): FoundSandbox {
  if (environment[variable]) return { ...sandboxEndpoint(environment), namedBy: "the port of SANDBOX_PORT" };
  const text = portIn(file);
  if (text === undefined) return { ...sandboxEndpoint({}), namedBy: "the default port" };
  const port = portOf(text, `${variable} in ${file}`);
  return { ...sandboxEndpoint({ [variable]: String(port) }), namedBy: "the port of .sandbox/environment.sh" };
}

/** @returns `undefined` where no sandbox has written the file, or it names no port. */
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
  // Digits alone: Number reads "0x11D6", "1e3" and blanks, too.
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Error(`${name}="${text}" is not a port: use a number from 1 to 65535`);
}
