import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type Command } from "commander";
import { addCommonOptions, type CommonOptions, exitCodes, exitCodesHelp, type Io, UsageError } from "../command";
import { checkDeployed } from "../send/deployed";
import { type CheckedEvent, checkedEvent, type EventOptions, eventNotifications } from "../send/event";
import { describePreview, type EditionOptions, previewOf } from "../send/preview";
import { isForSandbox, isUnreachable, onStage, openStage, refuseOtherAccount, type StageAccess } from "../stage";
import { textOfError } from "../text";

type Options = EventOptions & EditionOptions & CommonOptions & { readonly preview: boolean; readonly html: boolean };

/** `npm run send`: puts one event, after it has been checked against the notification's schema. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return addCommonOptions(command)
    .argument("[notification]", eventNotifications())
    .option(
      "--to <address>",
      "one address, or several with commas; default: whom --detail names; in the sandbox, whom the sample names",
    )
    .option("--subject <text>", "default: the detail's own")
    .option("--detail <json or file>", "the event's detail; default: the notification's sample")
    .option("--preview", "print the mail, and put nothing; asks AWS nothing", false)
    .option("--locale <tag>", "with --preview: one of the notification's locales; default: the reader's")
    .option("--variant <name>", "with --preview: one of the notification's variants; default: the mail's")
    .option("--html", "with --preview: print the HTML part alone", false)
    .addHelpText(
      "after",
      exitCodesHelp(
        "the bus took the event: its id is printed; with --preview: the mail is printed",
        "the bus did not take it, or no rule of it would",
      ),
    )
    .action(async (id: string | undefined, options: Options) => {
      refuseWithoutPreview(options);
      if (options.preview) {
        preview(id, options, io);
        end(exitCodes.well);
        return;
      }
      const checked = checkedEvent(id, { ...options, sandbox: isForSandbox(options, io.environment) });
      await onStage(io, options, "send", async (stage) => {
        const answer = { eventId: await put(checked, stage, io), notification: id, bus: stage.names.of("event-bus") };
        io.stdout.write(`${options.json ? JSON.stringify(answer, null, 2) : answer.eventId}\n`);
        end(exitCodes.well);
      });
    });
}

/** Prints the mail. Nobody is mailed, so that the sample's own recipients may stay, and the sandbox's settings do. */
function preview(id: string | undefined, options: Options, { environment, stdout, stderr }: Io): void {
  const checked = checkedEvent(id, { ...options, sandbox: true });
  const isOfSandbox = options.sandbox || !environment.STAGE;
  const { config } = openStage({ sandbox: isOfSandbox }, environment, "send");
  const mail = previewOf(checked, config, options);
  stderr.write(`Nothing is put. The sender is that of the stage ${config.stage}.\n`);
  stdout.write(options.json ? `${JSON.stringify(mail, null, 2)}\n` : describePreview(mail, options.html));
}

/** An edition is chosen by the event and its recipient, not by the person who puts it. */
function refuseWithoutPreview({ preview, locale, variant, html }: Options): void {
  if (preview) return;
  const given = Object.entries({ locale, variant, html }).filter(([, value]) => value !== undefined && value !== false);
  const names = given.map(([name]) => `--${name}`);
  if (names.length > 0) throw new UsageError(`${names.join(" and ")}: only with --preview.`);
}

function whyNoBus(bus: string, cause: unknown, isSandbox: boolean): string {
  if (!(cause instanceof Error && cause.name === "ResourceNotFoundException")) {
    return `The bus ${bus} could not be looked at, so nothing was put (${textOfError(cause)}). Check your credentials and AWS_REGION.`;
  }
  return isSandbox
    ? `The sandbox has no bus ${bus}: wait until npm start has deployed the stage, or start it again.`
    : `There is no bus ${bus}: check STAGE, PROJECT_NAME and AWS_REGION.`;
}

/** @returns the event's id. */
async function put({ notification, event }: CheckedEvent, stage: StageAccess, { stderr }: Io): Promise<string> {
  const { names, client, config, isSandbox } = stage;
  const bus = names.of("event-bus");
  // One attempt: PutEvents that is repeated after a time-out puts a second event, which would be a second mail.
  const events = new EventBridgeClient({ ...client, maxAttempts: 1 });
  // PutEvents takes an event for a bus that does not exist, and drops it (aws-cli issue 9186).
  const { Arn: arn } = await events.send(new DescribeEventBusCommand({ Name: bus })).catch((cause: unknown) => {
    if (isUnreachable(cause)) throw cause;
    throw new Error(whyNoBus(bus, cause, isSandbox), { cause });
  });
  refuseOtherAccount(arn?.split(":")[4], config.accountId);
  const note = await checkDeployed(notification, stage, events);
  if (note !== undefined) stderr.write(`${note}\n`);
  const { Entries } = await events.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: bus,
          Source: event.source,
          DetailType: event["detail-type"],
          Detail: JSON.stringify(event.detail),
        },
      ],
    }),
  );
  const entry = Entries?.[0];
  if (entry?.EventId === undefined) {
    throw new Error(`EventBridge refused the event: ${entry?.ErrorCode ?? ""} ${entry?.ErrorMessage ?? ""}`);
  }
  return entry.EventId;
}
