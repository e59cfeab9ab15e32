import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type Command } from "commander";
import { addCommonOptions, type CommonOptions, exitCodes, exitCodesHelp, type Io } from "../command";
import { checkDeployed } from "../send/deployed";
import { type CheckedEvent, checkedEvent, type EventOptions, eventNotifications } from "../send/event";
import { isForSandbox, isUnreachable, onStage, refuseOtherAccount, type StageAccess } from "../stage";
import { textOfError } from "../text";

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
    .addHelpText(
      "after",
      exitCodesHelp("the bus took the event: its id is printed", "the bus did not take it, or no rule of it would"),
    )
    .action(async (id: string | undefined, options: EventOptions & CommonOptions) => {
      const checked = checkedEvent(id, { ...options, sandbox: isForSandbox(options, io.environment) });
      await onStage(io, options, "send", async (stage) => {
        const answer = { eventId: await put(checked, stage, io), notification: id, bus: stage.names.of("event-bus") };
        io.stdout.write(`${options.json ? JSON.stringify(answer, null, 2) : answer.eventId}\n`);
        end(exitCodes.well);
      });
    });
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
