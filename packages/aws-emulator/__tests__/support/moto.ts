import { type AddressInfo, connect, createServer } from "node:net";
import { type RunningMoto, startMoto as startMotoOf } from "../../src/processes/moto";

/** moto with a port, for as long as a test runs: clients of a test's own ask it directly. */
export interface TestMoto extends RunningMoto {
  readonly url: string;
}

/** A moto of the test's own. Where none is installed the test fails: what the gateway patches is moto's own answers. */
export async function startMoto(): Promise<TestMoto> {
  const moto = await startMotoOf(motoCommand());
  const server = createServer((client) => {
    const upstream = connect(moto.socket);
    // Whoever goes away first takes the other end along.
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    ...moto,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.close();
      await moto.stop();
    },
  };
}

/** The command in MOTO_COMMAND, a JSON array, or the `moto_server` on PATH. */
export function motoCommand(): readonly [string, ...string[]] {
  const given = process.env.MOTO_COMMAND;
  return given === undefined ? ["moto_server"] : (JSON.parse(given) as [string, ...string[]]);
}
