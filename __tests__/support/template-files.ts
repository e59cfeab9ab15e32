import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { type LoadedTemplate, loadTemplate, type TemplateSource } from "../../stacks/templates/load";

/** Compiles a template that is written as an author writes it. Its files are in a folder of their own. */
export function templateOfFiles(
  notification: TemplateSource,
  bodies: Readonly<Record<string, string>>,
): LoadedTemplate {
  const definition = `defineNotification({\n  id: "${notification.id}",\n  subject: ${JSON.stringify(notification.subject)},\n});\n`;
  return loadTemplate(notification, undefined, writeFiles(temporaryFolder(), { "index.ts": definition, ...bodies }));
}
