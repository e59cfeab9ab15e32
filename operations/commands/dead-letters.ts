import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { Command, InvalidArgumentError } from "commander";
import { type DeadLettersOptions, exitCodeOf, exitCodes, runDeadLetters } from "../dead-letters/command";
import { describeAnswer, toJson } from "../dead-letters/report";
import { openStage } from "../stage";
import { describeFailure, printableJson } from "../text";

/** `npm run dead-letters`: what is parked, why, and sending it again. */

interface Options extends Omit<DeadLettersOptions, "holdSeconds"> {
  readonly showRecipients: boolean;
  readonly json: boolean;
  readonly hold: number;
  readonly sandbox: boolean;
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}

async function deadLetters(options: Options): Promise<void> {
  const stage = openStage(options);
  const settings = { ...options, holdSeconds: options.hold };
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      stopping.abort();
    });
  }
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
  process.stdout.write(options.json ? `${printableJson(toJson(answer, report))}\n` : describeAnswer(answer, report));
  process.exitCode = stopping.signal.aborted ? exitCodes.interrupted : exitCodeOf(answer);
}

new Command("dead-letters")
  .description("Lists what is parked in the stage's dead-letter queue, and sends it again.")
  .option("--retries", "count what waits in the retry queues, too", false)
  .option("--redrive", "send parked events again, with their original idempotency key", false)
  .option("--resend-unknown", "redrive events with mails that may be out, those included (needs --filter)", false)
  .option("--discard", "delete parked messages for good (needs --filter)", false)
  .option("--give-up", "with --discard: mails that could still be sent, or may not be out, too", false)
  .option(
    "--filter <kind=value>",
    "reason=.., notification=.., event=<id>, message=<id>, recipient=<address or hash>, older-than=2h; repeated: one kind any, several kinds all. With recipient=.. a --resend-unknown or --give-up is for that mail only",
    (text: string, others: readonly string[]) => [...others, text],
    [],
  )
  .option("--dry-run", "say what would be done, and do nothing", false)
  .option("--show-recipients", "show addresses; with --json, the events too", false)
  .option("--json", "for a machine", false)
  .option("--limit <n>", "most messages to look at", wholeNumber(1, 100_000), 1000)
  .option(
    "--hold <seconds>",
    "how long others don't see them, should this die; renewed until then",
    wholeNumber(5, 43_200),
    120,
  )
  .option("--sandbox", "the sandbox on this machine, not AWS", false)
  .addHelpText(
    "after",
    `
Exit code:
  0  listed; or everything chosen was redriven (or discarded)
  1  something chosen was not: each says why
  2  not run: options, configuration, credentials or connection; nothing was changed
  3  as 0, but not every parked message was seen: the output says how many of how many, and why
  130  interrupted: what was not done yet stays parked`,
  )
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.notRun);
  })
  .action(deadLetters)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(describeFailure(error));
    process.exitCode = exitCodes.notRun;
  });
