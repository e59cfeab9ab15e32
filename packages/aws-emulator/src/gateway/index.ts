import { assemble } from "./assemble";
import { type Journal } from "./journal";
import { close, listen, portOf, serve } from "./server";

export type { Journal } from "./journal";

export interface GatewayOptions {
  readonly port: number;
  /** The path of the Unix socket that moto listens on. */
  readonly motoSocket: string;
  readonly region: string;
  readonly accountId: string;
  /**
   * How soon a message of a retry queue comes back after its function failed it.
   * @default as AWS does it: when the queue's visibility timeout is over
   */
  readonly retryQueueDelayMs?: number;
  /** Where the functions' packages are unpacked. */
  readonly workDirectory: string;
  /** The waits before the first, second, .. retry of an asynchronous invocation or a delivery: shorter than AWS's. */
  readonly retryDelaysMs: readonly number[];
  /** The inbox page, served under /_sandbox/. */
  readonly assetsDirectory?: string;
  /**
   * Refuse recipients that are no verified identity, as an account in the SES sandbox does.
   * @default false
   */
  readonly rejectUnverifiedRecipients?: boolean;
}

export interface Gateway {
  readonly url: string;
  readonly journal: Journal;
  /** From now on `GET /_sandbox/health` answers 200. */
  markReady(): void;
  close(): Promise<void>;
}

/** Opens the gateway: AWS clients talk to it, and what moto cannot do, it does itself. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const server = await listen(options.port);
  const url = `http://127.0.0.1:${portOf(server)}`;
  const system = await assemble({ ...options, url });
  serve(server, system);
  return {
    url,
    journal: system.journal,
    markReady: () => {
      system.sandboxApi.markReady();
    },
    close: async () => {
      await system.stop();
      await close(server);
      system.moto.close();
    },
  };
}
