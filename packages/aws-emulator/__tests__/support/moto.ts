import { once } from "node:events";
import { createServer as createHttpServer, request, type RequestOptions } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { type RunningMoto, startMoto as startMotoOf } from "../../src/processes/moto";

/** moto with a port, for as long as a test runs: clients of a test's own ask it directly. */
export interface TestMoto extends RunningMoto {
  readonly url: string;
}

/** Where jest's own process tells a worker of its moto (`shareMotos`). */
const sharedAt = "SHARED_MOTOS_URL";

/** A file's tests can have several motos at a time. One of them is the worker's. */
let isSharedInUse = false;

/**
 * A moto with nothing in it: the worker's where there is one and the file does not use it yet, otherwise one of its own.
 * Where none is installed the test fails: what the gateway patches is moto's own answers.
 */
export async function startMoto(): Promise<TestMoto> {
  const moto = (await takeShared()) ?? (await startMotoOf(motoCommand()));
  const server = createServer((client) => {
    const upstream = connect(moto.socket);
    // Whoever goes away first takes the other end along.
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  const port = await listen(server);
  return {
    ...moto,
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.close();
      await moto.stop();
    },
  };
}

async function takeShared(): Promise<RunningMoto | undefined> {
  const url = process.env[sharedAt];
  if (url === undefined || isSharedInUse) return undefined;
  isSharedInUse = true;
  const response = await fetch(`${url}/${process.env.JEST_WORKER_ID ?? ""}`);
  if (!response.ok) throw new Error(await response.text());
  const moto = (await response.json()) as Omit<RunningMoto, "stop">;
  const stop = () => {
    isSharedInUse = false;
    return Promise.resolve();
  };
  // The file before this one left in it what it made.
  await askMoto(moto, { method: "POST", path: "/moto-api/reset" });
  return { ...moto, stop };
}

/**
 * For jest's globalSetup: keeps a moto for each worker that asks for one. A start of moto takes seconds, a reset does not.
 *
 * @returns what stops them.
 */
export async function shareMotos(): Promise<() => Promise<void>> {
  const motos = new Map<string, Promise<RunningMoto>>();
  const server = createHttpServer(({ url: worker = "" }, response) => {
    // A worker asks seldom. A connection that was kept could be closed at the very moment of its next request.
    response.setHeader("connection", "close");
    const moto = motos.get(worker) ?? startMotoOf(motoCommand());
    motos.set(worker, moto);
    moto.then(
      (running) => response.end(JSON.stringify(running)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  process.env[sharedAt] = `http://127.0.0.1:${await listen(server)}`;
  return async () => {
    Reflect.deleteProperty(process.env, sharedAt);
    server.close();
    for (const end of await Promise.allSettled(motos.values())) {
      if (end.status === "fulfilled") await end.value.stop();
    }
  };
}

/** The command in MOTO_COMMAND, a JSON array, or the `moto_server` on PATH. */
export function motoCommand(): readonly [string, ...string[]] {
  const given = process.env.MOTO_COMMAND;
  return given === undefined ? ["moto_server"] : (JSON.parse(given) as [string, ...string[]]);
}

/** Asks moto past everything, and hands out the text of its answer. */
export function askMoto(
  { socket }: Pick<RunningMoto, "socket">,
  options: RequestOptions = {},
  body = "",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, ...options }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.on("error", reject).end(body);
  });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
