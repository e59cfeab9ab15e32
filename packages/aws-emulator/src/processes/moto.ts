import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inherit, ofPython } from "./child-environment";
import { startChild, stopChild } from "./child-processes";

export interface RunningMoto {
  /** The path of the Unix socket that it listens on. */
  readonly socket: string;
  readonly pid: number;
  /** What moto prints: its requests and its errors. Removed by `stop`. */
  readonly logFile: string;
  stop(): Promise<void>;
}

/** The account whose resources moto keeps: whoever has a gateway in front of it gives the gateway this one. */
export const motoAccountId = "123456789012";

/** Time that moto may take to answer: it imports a few hundred Python modules, slowly on a busy machine. */
const patienceMs = 60_000;

/** The longest path of a socket on macOS; Linux takes four bytes more. */
const longestSocketPath = 103;

/**
 * Starts moto and waits until it answers. It listens on a Unix socket in a folder that is this user's alone: moto checks
 * no signature and lets pages of any origin in, and a port of this machine can be reached by each page in a browser on it.
 */
export async function startMoto(command: readonly [string, ...string[]]): Promise<RunningMoto> {
  if (process.platform === "win32") {
    throw new Error("The sandbox's moto listens on a Unix socket, which Python has not on Windows: start it in WSL.");
  }
  const folder = mkdtempSync(join(tmpdir(), "sandbox-moto-"));
  const logFile = join(folder, "moto.log");
  const socket = join(folder, "moto.sock");
  if (Buffer.byteLength(socket) > longestSocketPath) {
    rmSync(folder, { recursive: true });
    throw new Error(
      `moto's socket would be ${socket}, and a socket's path may have ${longestSocketPath} bytes: name a shorter folder in TMPDIR.`,
    );
  }
  const log = openSync(logFile, "w");
  // The port is not used; moto calls itself there in services that the sandbox does not have, and shall find nobody.
  const child = startChild([...command, "-H", `unix://${socket}`, "-p", "0"], {
    directory: folder,
    environment: motoEnvironment(),
    // A file, not a pipe: a pipe that nobody reads would stop moto once it is full.
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const stop = async () => {
    await stopChild(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const fail = async (what: string): Promise<never> => {
    const lastLines = readFileSync(logFile, "utf8").trim().split("\n").slice(-20).join("\n");
    await stop();
    throw new Error(`moto (${command.join(" ")}) ${what}:\n${lastLines}`);
  };
  const deadline = Date.now() + patienceMs;
  while (!(await answers(socket))) {
    const ending = child.ending();
    if (ending !== undefined) {
      const { code, signal, error } = ending;
      return fail(error ? `could not be started (${error.message})` : `ended by itself (${signal ?? code ?? ""})`);
    }
    if (Date.now() > deadline) return fail(`did not answer on ${socket} within ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { socket, pid: child.process.pid ?? 0, logFile, stop };
}

function motoEnvironment(): Record<string, string> {
  return {
    ...inherit(ofPython),
    // AWS-managed policies: without them the lookup of one fails.
    MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
    MOTO_ACCOUNT_ID: motoAccountId,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    // The log shall hold the last line before a crash, and no warnings of Python's own.
    PYTHONUNBUFFERED: "1",
    PYTHONWARNINGS: "ignore",
    TZ: "UTC",
  };
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/moto-api/", signal: AbortSignal.timeout(5000) }, (response) => {
      response.resume();
      resolve(true);
    });
    asked.on("error", () => {
      resolve(false);
    });
    asked.end();
  });
}
