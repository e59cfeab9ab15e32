import { join } from "node:path";
import { type FailureActions, type RedriveResult } from "aws-emulator";
import { type Child, startChild } from "aws-emulator/processes";
import { type PermanentFailureType } from "../handler/contract/failures";
import { inheritedBy } from "./child-environment";
import { forSandbox } from "./settings";

const projectRoot = join(__dirname, "..");

interface RedriveOptions {
  /** The port of this sandbox. */
  readonly port: number;
  /** @default Node.js with operations/cli.ts */
  readonly program?: readonly [string, ...string[]];
}

/**
 * Actions that the inbox offers for a parked event: the command that a person can type, and the same command in a
 * process of its own. It runs in a process because the sandbox imports nothing of the commands.
 */
export function failureActionsOf({ port, program = commandLine }: RedriveOptions): FailureActions {
  return {
    listCommand: forSandbox(port, "npm run dead-letters -- --sandbox --retries"),
    commandFor: (eventId) => forSandbox(port, `npm run dead-letters -- ${wordsFor(eventId).map(shellWord).join(" ")}`),
    adviceFor: (reason) => advice.get(reason.split(":", 1)[0] ?? ""),
    redrive: (eventId) => run([...program, "dead-letters", ...wordsFor(eventId)], port),
  };
}

const deployAndRedrive = "then deploy it (docs/deploy.md: Try a deployment in the sandbox) and redrive";

/**
 * The failures that are the event's own: the redrive command refuses it as long as the stage does not take the event as
 * it is.
 */
const advice: ReadonlyMap<string, string> = new Map<PermanentFailureType, string>([
  [
    "NoRuleMatches",
    `No rule takes the event as it is, so a redrive does not help yet. Put it again with the field corrected. Or change the notification's trigger, ${deployAndRedrive}.`,
  ],
  [
    "InvalidEvent",
    `The event does not fit its notification, so a redrive does not help yet. Put it again, corrected. Or change the notification, ${deployAndRedrive}.`,
  ],
  [
    "UnknownNotification",
    `No notification takes the event, so a redrive does not help yet. Add one, ${deployAndRedrive}.`,
  ],
]);

const commandLine = [process.execPath, "--import", "tsx", join(projectRoot, "operations", "cli.ts")] as const;

const wordsFor = (eventId: string) => ["--sandbox", "--redrive", "--filter", `event=${eventId}`];

/** A word of a shell command, quoted if needed. A producer can choose any text as an event's id. */
const shellWord = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

async function run(command: readonly [string, ...string[]], port: number): Promise<RedriveResult> {
  const notStarted = (error: unknown): RedriveResult => ({
    ok: false,
    output: `${command[0]} could not be started: ${error instanceof Error ? error.message : String(error)}`,
  });
  let child: Child;
  try {
    child = startChild(command, {
      directory: projectRoot,
      environment: { ...inheritedBy("any"), SANDBOX_PORT: String(port), NODE_NO_WARNINGS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    return notStarted(error);
  }
  let output = "";
  for (const stream of [child.process.stdout, child.process.stderr]) {
    // A stream decodes text correctly even where a character is split between two chunks.
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const { code, signal, error } = await child.ended;
  if (error !== undefined) return notStarted(error);
  if (signal !== null) return { ok: false, output: `${output}\nIt was ended by ${signal}.` };
  return { ok: code === 0, output };
}
