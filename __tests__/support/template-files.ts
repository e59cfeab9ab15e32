import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { type Edition } from "../../handler/notifications/editions";
import { type LoadedTemplate, loadTemplate, type TemplateSource } from "../../stacks/templates/load";

/** Compiles a template that is written as an author writes it. Its files are in a folder of their own. */
export function templateOfFiles(
  notification: TemplateSource,
  bodies: Readonly<Record<string, string>>,
  edition?: Edition,
): LoadedTemplate {
  const definition = `defineNotification({\n  id: "${notification.id}",\n  subject: ${JSON.stringify(notification.subject)},\n});\n`;
  return loadTemplate(notification, edition, writeFiles(temporaryFolder(), { "index.ts": definition, ...bodies }));
}
