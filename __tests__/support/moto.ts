import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";

export interface TestMoto {
  readonly url: string;
  stop(): Promise<void>;
}

const commands = [["moto_server"], ["python3", "-m", "moto.server"]] as const;
const patienceMs = 60_000;

/** A moto of the test's own. Where none is installed the test fails: what the door mends is moto's own answers. */
export async function startMoto(): Promise<TestMoto> {
  const configured = process.env.MOTO_SERVER;
  for (const command of configured === undefined ? commands : [[configured]]) {
    const moto = await tryToStart(command);
    if (moto !== undefined) return moto;
  }
  throw new Error('moto is not installed: pip install "moto[server]>=5", or set MOTO_SERVER to its moto_server.');
}

async function tryToStart([command = "", ...words]: readonly string[]): Promise<TestMoto | undefined> {
  const port = await freePort();
  const child = spawn(command, [...words, "-H", "127.0.0.1", "-p", String(port)], {
    env: { ...process.env, MOTO_IAM_LOAD_MANAGED_POLICIES: "true" },
    stdio: "ignore",
  });
  let hasEnded = false as boolean;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      hasEnded = true;
      resolve();
    };
    child.once("error", end);
    child.once("close", end);
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const deadline = Date.now() + patienceMs;
  while (!hasEnded) {
    if (await answers(url)) return { url, stop };
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`moto (${command}) did not answer at ${url} within ${patienceMs / 1000} s.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/moto-api/`).then(
    () => true,
    () => false,
  );
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
