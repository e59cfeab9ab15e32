import { Command } from "commander";
import { newNotification, type NewNotificationOptions } from "./commands/new-notification";
import { describeFailure } from "./text";

new Command("new-notification")
  .description("Writes a notification's folder, its line in the catalogue and its test.")
  .argument("<id>", "name of its folder, in small letters, digits and hyphens: invoice-paid")
  .option("--lane <lane>", "standard, or priority for what must not wait behind other mail", "standard")
  .option("--detail-type <text>", "of the event; default: the id in words")
  .option("--source <text>", "of the event", "custom.application")
  .option("--schedule <expression>", "cron(..) or rate(..) in UTC, instead of an event")
  .action(async (id: string, options: NewNotificationOptions) => {
    console.log(await newNotification(id, options));
  })
  .parseAsync()
  .catch((error: unknown) => {
    console.error(describeFailure(error));
    process.exitCode = 1;
  });
