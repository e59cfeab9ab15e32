import {
  type Data,
  maximumTemplateDataBytes,
  type TemplateData,
  type TemplateReads,
  toTemplateData,
} from "../contract/template-data";
import { hasVisibleCharacter } from "../contract/text";
import { PermanentError } from "../errors";
import { type Notification } from "./define";

/**
 * Makes the template data of a mail from its content.
 * @throws PermanentError `InvalidEvent` for a blank subject, or for more data than SES takes.
 */
export function mailData({ id }: Pick<Notification, "id">, content: unknown, reads: TemplateReads): TemplateData {
  const refuse = (problem: string): never => {
    throw new PermanentError("InvalidEvent", `The event does not fit "${id}". ${problem}`);
  };
  const data = toTemplateData(content, reads);
  if (!reads.hasWords && !showsAnything(data.subject)) return refuse("Its subject has no visible character.");
  const bytes = Buffer.byteLength(JSON.stringify(data));
  return bytes <= maximumTemplateDataBytes
    ? data
    : refuse(
        `It makes ${bytes} bytes of template data and SES takes ${maximumTemplateDataBytes}: shorten its message.`,
      );
}

function showsAnything(data: Data): boolean {
  if (typeof data === "string") return hasVisibleCharacter(data);
  return typeof data === "object" && Object.values(data).some(showsAnything);
}
