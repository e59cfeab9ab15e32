import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import "aws-emulator/aws-sdk-settings";
import packageJson from "../package.json";
import { awsClientConfig } from "aws-emulator/client-config";
import { type Child, startChild, freePort } from "aws-emulator/processes";
import { journalLimits, type Mail } from "aws-emulator";
import { sandboxSettings } from "../sandbox/settings";

/**
 * `npm run bench:load` starts the sandbox, puts events on the bus at a steady rate and waits until nothing is pending.
 * It fails unless each event was mailed exactly once. Times are only printed, because they depend on the machine.
 *
 *   --events <n>   number of events (default 500)
 *   --rate <n>     events in a second (default 50)
 */

/** Place in the journal for other mails than those of the events: `npm start` sends samples. */
const roomForSamples = 100;
const entriesPerCall = 10;
const projectRoot = join(__dirname, "..");
const run = promisify(execFile);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { events: { type: "string", default: "500" }, rate: { type: "string", default: "50" } },
  });
  const events = wholeNumber("--events", values.events, journalLimits.mails.items - roomForSamples);
  const rate = wholeNumber("--rate", values.rate, 10_000);
  const port = await freePort();
  const { endpoint, region, names } = sandboxSettings({ SANDBOX_PORT: String(port) });
  // The command is that of `npm start`, with its limit of the heap. Without the limit, V8 would let the heap grow
  // instead of collecting garbage, and the measured memory would say little.
  const [, ...words] = packageJson.scripts.start.split(" ");
  const sandbox = startChild([process.execPath, ...words], {
    directory: projectRoot,
    environment: environmentWith(port),
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    console.log("Starting the sandbox ..");
    await ready(endpoint, sandbox);
    const memory = watchMemory(sandbox.process.pid ?? 0);
    const startedAt = Date.now();
    const ids = await put(
      events,
      rate,
      new EventBridgeClient(awsClientConfig(endpoint, region)),
      names.of("event-bus"),
    );
    const putAfter = Date.now() - startedAt;
    console.log(`${ids.length} events are put (${seconds(putAfter)}). Waiting for their mails ..`);
    while (((await get(endpoint, "pending")) as { tasks: number }).tasks > 0) await setTimeout(500);
    const doneAfter = Date.now() - startedAt;
    const peak = await memory.stop();
    const { once: mailedOnce, twice, never } = await account(endpoint, ids);
    console.log(
      [
        `put:           ${ids.length} in ${seconds(putAfter)}`,
        `nothing pends: after ${seconds(doneAfter)} (${Math.round((ids.length * 1000) / doneAfter)} a second)`,
        `mailed once:   ${mailedOnce}`,
        `mailed twice:  ${twice}`,
        `not mailed:    ${never}`,
        `the gateway's memory at its peak: ${peak} MB`,
      ].join("\n"),
    );
    if (mailedOnce !== events) throw new Error(`Not each of the ${events} events was mailed once.`);
  } finally {
    sandbox.signal("SIGINT");
    await sandbox.ended;
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`${name} is "${text}": use a whole number from 1 to ${most}.`);
  }
  return value;
}

/**
 * The user's environment with the port. It is passed on whole, because the sandbox itself filters it for its children.
 */
function environmentWith(port: number): Record<string, string> {
  const known = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(known), SANDBOX_PORT: String(port) };
}

async function ready(endpoint: string, sandbox: Child): Promise<void> {
  for (;;) {
    if (sandbox.ending() !== undefined) throw new Error("The sandbox ended by itself: npm start says why.");
    const health = await fetch(`${endpoint}/_sandbox/health`).catch(() => undefined);
    if (health?.status === 200) return;
    await setTimeout(500);
  }
}

async function put(events: number, rate: number, client: EventBridgeClient, busName: string): Promise<string[]> {
  const ids: string[] = [];
  const startedAt = Date.now();
  while (ids.length < events) {
    const count = Math.min(entriesPerCall, events - ids.length);
    const { Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: Array.from({ length: count }, (_, index) => ({
          EventBusName: busName,
          Source: "custom.application",
          DetailType: "Email Notification Request",
          Detail: JSON.stringify(detailOf(ids.length + index)),
        })),
      }),
    );
    ids.push(...Entries.map(({ EventId = "" }) => EventId));
    await setTimeout(Math.max(0, startedAt + (ids.length * 1000) / rate - Date.now()));
  }
  return ids;
}

const detailOf = (index: number) => ({
  emailConfig: { recipient: `reader-${index}@example.com`, subject: `Your order ${index}` },
  title: `Your order ${index} is on its way`,
  message: "We handed it to the carrier this morning. It should be with you on Thursday. ".repeat(5),
});

async function account(endpoint: string, ids: readonly string[]) {
  const mails = new Map(ids.map((id) => [id, 0]));
  let path: string | undefined = "messages";
  while (path !== undefined) {
    const response: Response = await fetch(`${endpoint}/_sandbox/${path}`);
    for (const { eventId = "" } of (await response.json()) as Mail[]) {
      const count = mails.get(eventId);
      if (count !== undefined) mails.set(eventId, count + 1);
    }
    path = /<\/_sandbox\/([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
  }
  const counts = [...mails.values()];
  return {
    once: counts.filter((count) => count === 1).length,
    twice: counts.filter((count) => count > 1).length,
    never: counts.filter((count) => count === 0).length,
  };
}

async function get(endpoint: string, path: string): Promise<unknown> {
  return (await fetch(`${endpoint}/_sandbox/${path}`)).json();
}

/** Reads a process's memory once a second. @returns a function that stops this and returns the peak in megabytes. */
function watchMemory(pid: number) {
  let peak = 0;
  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
      peak = Math.max(peak, Math.round(Number(stdout) / 1024));
      await setTimeout(1000, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await watching;
      return peak;
    },
  };
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
