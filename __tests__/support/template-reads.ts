import { type TemplateReads } from "../../handler/contract/template-data";
import { catalogue } from "../../handler/notifications";
import { loadTemplate } from "../../stacks/templates/load";

/** By the notification's id: the tests of properties ask for each of ten thousands of mails. */
const known = new Map<string, TemplateReads>();

/** What the stored template of a notification of the catalogue reads. */
export function readsOf(id: string): TemplateReads {
  const notification = catalogue.find((each) => each.id === id);
  if (notification === undefined) throw new Error(`There is no notification "${id}".`);
  const reads = known.get(id) ?? loadTemplate(notification).reads;
  known.set(id, reads);
  return reads;
}

/** What a template reads that shows each of these texts in each of its parts, and has no other words in its subject. */
export function readsOfTexts(...names: readonly string[]): TemplateReads {
  const fields = Object.fromEntries(names.map((name) => [name, { plain: true } as const]));
  return { subject: { fields }, text: { fields }, html: { fields }, hasWords: false };
}
