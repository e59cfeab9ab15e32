import { type ExampleEvent } from "../wire";
import { assemble } from "./assemble";
import { type FailureActions } from "./failure-actions";
import { Hold } from "./hold";
import { type Journal } from "./journal";
import { close, listen, portOf, serve } from "./server";

export type { FailureActions } from "./failure-actions";
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
  /**
   * What can be done about an event that is parked: the inbox shows the command and a button.
   * @default the inbox offers neither
   */
  readonly failureActions?: FailureActions;
  /**
   * The command, for a shell, that sends an event: the first that an empty inbox offers.
   * @default none
   */
  readonly sendCommand?: string;
  /**
   * The event of the `aws events put-events` command that the inbox offers.
   * @default an event that means nothing to anybody
   */
  readonly exampleEvent?: ExampleEvent;
  /**
   * Folders that are served beside the inbox, which links to them.
   * @default none
   */
  readonly pages?: readonly StaticPage[];
}

/** A folder with an `index.html`, served below `/_sandbox/pages/<name>/`. Its page loads its own files, and calls nothing. */
export interface StaticPage {
  /** Letters, digits, hyphens and underscores. */
  readonly name: string;
  /** Of the link in the inbox. */
  readonly title: string;
  readonly directory: string;
}

export interface Gateway {
  readonly url: string;
  readonly journal: Journal;
  /** From now on `GET /_sandbox/health` answers 200. */
  markReady(): void;
  /**
   * Holds new calls back, those of S3 excepted. A client that is interrupted now has no call under way that the emulator
   * takes and the client never learns of.
   * @returns once the calls that were under way are answered
   */
  hold(): Promise<void>;
  /** Lets the calls that `hold` keeps waiting go on, unless their client is gone. */
  resume(): void;
  close(): Promise<void>;
}

/** Opens the gateway: AWS clients talk to it, and what moto cannot do, it does itself. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const misnamed = options.pages?.find(({ name }) => !/^[\w-]+$/.test(name));
  if (misnamed !== undefined) {
    throw new Error(`"${misnamed.name}" can't be the name of a page: use letters, digits, hyphens and underscores.`);
  }
  const server = await listen(options.port);
  const url = `http://127.0.0.1:${portOf(server)}`;
  const system = await assemble({ ...options, url });
  const hold = new Hold();
  serve(server, system, hold);
  return {
    url,
    journal: system.journal,
    markReady: () => {
      system.sandboxApi.markReady();
    },
    hold: () => hold.begin(),
    resume: () => {
      hold.end();
    },
    close: async () => {
      hold.end();
      await system.stop();
      await close(server);
      system.moto.close();
    },
  };
}
