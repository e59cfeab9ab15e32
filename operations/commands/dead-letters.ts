import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { type Command, InvalidArgumentError } from "commander";
import { addCommonOptions, type CommonOptions, exitCodes, exitCodesHelp, type Io } from "../command";
import { checkOptions, type DeadLettersOptions, exitCodeOf, runDeadLetters } from "../dead-letters/command";
import { describeAnswer, toJson } from "../dead-letters/report";
import { onStage, type StageAccess } from "../stage";
import { printableJson } from "../text";

interface Options extends Omit<DeadLettersOptions, "holdSeconds">, CommonOptions {
  readonly showRecipients: boolean;
  readonly hold: number;
}

/** `npm run dead-letters` lists parked events with their reasons, and sends them again or deletes them. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return addCommonOptions(command)
    .option("--retries", "count what waits in the retry queues, too", false)
    .option("--redrive", "send parked events again, with their original idempotency key", false)
    .option("--resend-unknown", "redrive, and also send mails that may be out already (needs --filter)", false)
    .option("--discard", "delete parked messages for good (needs --filter)", false)
    .option(
      "--give-up",
      "with --discard: also give up mails that could still be sent, or of which nobody knows whether they are out",
      false,
    )
    .option(
      "--filter <kind=value>",
      "reason=.., notification=.., event=<id>, message=<id>, recipient=<address or hash>, older-than=2h. If given several times, a message has to match one value of each kind. With recipient=.., --resend-unknown and --give-up act on that mail only",
      (text: string, others: readonly string[]) => [...others, text],
      [],
    )
    .option("--dry-run", "say what would be done, and change nothing", false)
    .option("--show-recipients", "show addresses; with --json, the events too", false)
    .option("--limit <n>", "most messages to look at", wholeNumber(1, 100_000), 1000)
    .option(
      "--hold <seconds>",
      "how long the messages stay hidden from others if this command dies; it renews the time while it works",
      wholeNumber(5, 43_200),
      120,
    )
    .addHelpText(
      "after",
      `${exitCodesHelp(
        "every message was seen and listed; or everything chosen was redriven (or discarded)",
        "something chosen was not, or not every message was seen (the output says which), or nothing could be read",
      )}
  130  interrupted: what was not done yet stays parked`,
    )
    .action(async (options: Options) => {
      const settings = { ...options, holdSeconds: options.hold };
      checkOptions(settings);
      await onStage(io, options, "dead-letters", async (stage) => {
        end(await deadLetters(settings, stage, io));
      });
    });
}

async function deadLetters(
  settings: DeadLettersOptions & Options,
  stage: StageAccess,
  { stdout, onInterrupt }: Io,
): Promise<number> {
  const stopping = new AbortController();
  onInterrupt(() => {
    stopping.abort();
  });
  const answer = await runDeadLetters(settings, {
    stage,
    sqs: new SQSClient(stage.client),
    dynamoDb: new DynamoDBClient(stage.client),
    now: Date.now,
    signal: stopping.signal,
  });
  const report = {
    ...settings,
    now: Date.now(),
    prefix: stage.names.prefix,
    region: stage.config.region,
    isSandbox: stage.isSandbox,
  };
  stdout.write(settings.json ? `${printableJson(toJson(answer, report))}\n` : describeAnswer(answer, report));
  return stopping.signal.aborted ? exitCodes.interrupted : exitCodeOf(answer);
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}
