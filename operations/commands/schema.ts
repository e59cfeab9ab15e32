import { type Command } from "commander";
import { catalogue } from "../../handler/notifications";
import { producerSchema } from "../../handler/notifications/producer-schema";
import { addCommonOptions, exitCodes, exitCodesHelp, type Io, UsageError } from "../command";

const known = catalogue.map(({ id }) => id).join(", ");

/**
 * `npm run schema` prints the JSON Schema of what a producer may put into an event's detail. The schema follows from
 * this checkout alone, so the command needs no stage.
 */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return addCommonOptions(command)
    .argument("[notification]", known)
    .addHelpText(
      "after",
      `\nThe schema follows from this checkout alone: --json and --sandbox change nothing.\n${exitCodesHelp("the schema is printed", "it could not be printed")}`,
    )
    .action((id: string | undefined) => {
      const notification = catalogue.find((candidate) => candidate.id === id);
      if (notification === undefined) {
        throw new UsageError(
          `${id === undefined ? "The notification's name is missing" : `There is no notification "${id}"`}: use one of ${known}`,
        );
      }
      io.stdout.write(`${JSON.stringify(producerSchema(notification), null, 2)}\n`);
      end(exitCodes.well);
    });
}
