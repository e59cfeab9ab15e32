import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { type Tools } from "./tools";

export interface RunningMoto {
  readonly url: string;
  stop(): Promise<void>;
}

/** Time that moto may take to answer, in milliseconds: it imports a few hundred Python modules. */
const patience = 60_000;

/** Starts moto on a free port of this machine. */
export async function startMoto(tools: Tools): Promise<RunningMoto> {
  const port = await freePort();
  const [command, ...words] = tools.moto.value;
  const child = spawn(command, [...words, "-H", "127.0.0.1", "-p", String(port)], {
    // AWS-managed policies: without them the lookup of one fails.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, MOTO_IAM_LOAD_MANAGED_POLICIES: "true" },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let lastWords = "";
  child.stderr.on("data", (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<void>((resolve) =>
    child.once("close", () => {
      resolve();
    }),
  );
  const stop = async () => {
    child.kill("SIGTERM");
    const stubborn = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(stubborn);
  };
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + patience;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`moto ended by itself (${child.exitCode}):\n${lastWords}`);
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`moto did not answer within ${patience / 1000} s:\n${lastWords}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(`${url}/moto-api/`);
    return true;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("no free port"));
      });
    });
  });
}
