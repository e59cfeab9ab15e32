import { join } from "node:path";
import { type FailureActions, type RedriveAdvice, type RedriveResult } from "aws-emulator";
import { type Child, shellWord, startChild } from "aws-emulator/processes";
import { isPermanentFailure, type PermanentFailureType } from "../handler/contract/failures";
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
  const commandFor = (eventId: string, words?: readonly string[]) =>
    forSandbox(port, `npm run dead-letters -- ${wordsFor(eventId, words).map(shellWord).join(" ")}`);
  return {
    listCommand: forSandbox(port, "npm run dead-letters -- --sandbox --retries"),
    commandFor: (eventId) => commandFor(eventId),
    adviceFor: (reason, eventId) => {
      const type = reason.split(":", 1)[0] ?? "";
      const advice = isPermanentFailure(type) ? adviceByType[type] : undefined;
      if (advice === undefined) return undefined;
      const { redrive, ...rest } = advice;
      if (redrive === undefined) return rest;
      return { ...rest, redrive: { when: redrive.when, command: commandFor(eventId, redrive.words) } };
    },
    redrive: (eventId) => run([...program, "dead-letters", ...wordsFor(eventId)], port),
  };
}

type Advice = Pick<RedriveAdvice, "text" | "isCorrectable"> & {
  /** The redrive that helps once the advice is followed; without it none does. */
  readonly redrive?: { readonly when: string; readonly words?: readonly string[] };
};

const deployAndRedrive = "then deploy it (docs/deploy.md: Try a deployment in the sandbox) and redrive";
const onceTaken = { when: "Once the event is taken as it is, send it again:" };

/**
 * What the inbox says of each permanent failure in place of the Redrive button. `undefined` means that the button stays:
 * what was wrong lies outside the event, and the redrive succeeds once a person has mended it. Where there is advice,
 * the redrive command refuses the event as it is. It decides by the catalogue of this checkout, which may be newer than
 * what is deployed to the sandbox.
 */
const adviceByType: Readonly<Record<PermanentFailureType, Advice | undefined>> = {
  OutcomeUnknown: {
    text: "SES gave no answer, so the mail may be out. Look for it: this page lists the mails of the event.",
    isCorrectable: false,
    redrive: {
      when: "If it is not out, send it again. If some of several mails are out, add --filter recipient=<hash> for each of the others:",
      words: ["--resend-unknown"],
    },
  },
  SenderNotVerified: undefined,
  MessageRejected: undefined,
  RecipientRefused: undefined,
  InvalidRecipient: {
    text: "An address in the event can't be mailed, so a redrive does not help. Put the event again with the address corrected, and without the recipients that have their mail.",
    isCorrectable: true,
  },
  InvalidEvent: {
    text: `The event does not fit its notification, so a redrive does not help yet. Put it again, corrected. Or change the notification, ${deployAndRedrive}.`,
    isCorrectable: true,
    redrive: onceTaken,
  },
  NoRuleMatches: {
    text: `No rule takes the event as it is, so a redrive does not help yet. Put it again with the field corrected. Or change the notification's trigger, ${deployAndRedrive}.`,
    isCorrectable: true,
    redrive: onceTaken,
  },
  UnknownNotification: {
    text: `No notification takes the event, so a redrive does not help yet. Add one, ${deployAndRedrive}.`,
    isCorrectable: true,
    redrive: onceTaken,
  },
};

const commandLine = [process.execPath, "--import", "tsx", join(projectRoot, "operations", "cli.ts")] as const;

const wordsFor = (eventId: string, words: readonly string[] = []) => [
  "--sandbox",
  "--redrive",
  ...words,
  "--filter",
  `event=${eventId}`,
];

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
