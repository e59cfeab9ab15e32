import { type Command, InvalidArgumentError } from "commander";
import { addCommonOptions, type CommonOptions, exitCodes, exitCodesHelp, type Io } from "../command";
import { describe, toJson } from "../smoke/report";
import { runSmoke } from "../smoke/smoke";
import { exitCodeOf } from "../smoke/trial";
import { onStage } from "../stage";
import { parseDuration, printableJson } from "../text";

interface Options extends CommonOptions {
  readonly wait: number;
  readonly waitForAlarms: number;
  readonly replay: boolean;
}

/** `npm run smoke` tries a deployed stage with mail to SES's mailbox simulator, and removes what it has made. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return addCommonOptions(command)
    .option("--wait <duration>", "longest wait for each mail and each of SES's events: 90s, 5m", duration, 300_000)
    .option(
      "--wait-for-alarms <duration>",
      "keep the bad event parked until the alarm dead-letters rings, too, and wait until it stops (15m); its subscribers are told",
      duration,
      0,
    )
    .option("--replay", "also replay a test event from the archive, which takes AWS more than 10 minutes", false)
    .addHelpText(
      "after",
      `${exitCodesHelp("everything that can be seen here was seen", "something was not seen, or could not be cleaned up")}
  130  interrupted: what was made is removed

It mails SES's mailbox simulator alone. On AWS it costs less than a cent. The alarm email-processing-errors rings
there, because one of the events is bad, and its subscribers are told.`,
    )
    .action((options: Options) =>
      onStage(io, options, "smoke", async (stage) => {
        const stopping = new AbortController();
        io.onInterrupt(() => {
          stopping.abort();
        });
        const settings = { waitMs: options.wait, alarmsMs: options.waitForAlarms, replay: options.replay };
        const answer = await runSmoke(settings, stage, stopping.signal, ({ trial, status }) => {
          io.stderr.write(`${status.padEnd(6)}  ${trial}\n`);
        });
        io.stdout.write(
          options.json ? `${printableJson(toJson(answer, stage))}\n` : describe(answer, stage, new Date()),
        );
        end(stopping.signal.aborted ? exitCodes.interrupted : exitCodeOf(answer.results));
      }),
    );
}

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidArgumentError("It has to be a duration: 90s, 5m or 1h.");
}
