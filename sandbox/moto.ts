import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startChild, stopChild } from "./child-processes";
import { freePort } from "./free-port";
import { type Command, type Tools } from "./tools";

export interface RunningMoto {
  readonly url: string;
  readonly pid: number;
  /** What moto prints: its requests and its errors. Removed by `stop`. */
  readonly logFile: string;
  stop(): Promise<void>;
}

/** Time that moto may take to answer: it imports a few hundred Python modules, slowly on a busy machine. */
const patienceMs = 60_000;

/** A free port can be taken by another program before moto has it. */
const portAttempts = 3;

/** Starts moto on a free port of 127.0.0.1 and waits until it answers. */
export async function startMoto(tools: Pick<Tools, "moto">): Promise<RunningMoto> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startMotoOn(await freePort(), tools.moto.value);
    } catch (error) {
      const portTaken = error instanceof Error && /address (?:already )?in use/i.test(error.message);
      if (!portTaken || attempt === portAttempts) throw error;
    }
  }
}

async function startMotoOn(port: number, command: Command): Promise<RunningMoto> {
  const logFile = join(mkdtempSync(join(tmpdir(), "sandbox-moto-")), "moto.log");
  const log = openSync(logFile, "w");
  const child = startChild([...command, "-H", "127.0.0.1", "-p", String(port)], {
    directory: dirname(logFile),
    environment: motoEnvironment(process.env),
    // A file, not a pipe: a pipe that nobody reads would stop moto once it is full.
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await stopChild(child);
    rmSync(dirname(logFile), { recursive: true, force: true });
  };
  const fail = async (what: string): Promise<never> => {
    const lastLines = readFileSync(logFile, "utf8").trim().split("\n").slice(-20).join("\n");
    await stop();
    throw new Error(`moto (${command.join(" ")}) ${what}:\n${lastLines}`);
  };
  const deadline = Date.now() + patienceMs;
  while (!(await answers(url))) {
    const ending = child.ending();
    if (ending !== undefined) {
      const { code, signal, error } = ending;
      return fail(error ? `could not be started (${error.message})` : `ended by itself (${signal ?? code ?? ""})`);
    }
    if (Date.now() > deadline) return fail(`did not answer on ${url} within ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, pid: child.process.pid ?? 0, logFile, stop };
}

/** Python's version managers need much of the environment; the user's AWS account and moto settings are no part of it. */
function motoEnvironment(ofUser: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(ofUser).flatMap(([name, value]) =>
    value === undefined || /^(AWS|MOTO)_/.test(name) ? [] : [[name, value] as const],
  );
  return {
    ...Object.fromEntries(kept),
    // AWS-managed policies: without them the lookup of one fails.
    MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
    MOTO_ACCOUNT_ID: "123456789012",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    // The log shall hold the last line before a crash, and no warnings of Python's own.
    PYTHONUNBUFFERED: "1",
    PYTHONWARNINGS: "ignore",
    TZ: "UTC",
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(`${url}/moto-api/`, { signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  }
}
