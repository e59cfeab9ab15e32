import Handlebars from "handlebars";

/** The stored template of a notification, with the parts that SES stores. */
export interface Template {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

/** Renders the mail as SES does: SES escapes nothing, and refuses a variable that the data does not have. */
export function renderTemplate(template: Template, data: Readonly<Record<string, unknown>>): Template {
  return {
    subject: renderPart(template.subject, data),
    html: renderPart(template.html, data),
    text: renderPart(template.text, data),
  };
}

export function renderPart(body: string, data: Readonly<Record<string, unknown>>): string {
  return compiled(body)(data);
}

/** Compiled bodies by their text. The tests' large catalogues have the same body a hundred times. */
const compiledBodies = new Map<string, HandlebarsTemplateDelegate>();

function compiled(body: string): HandlebarsTemplateDelegate {
  const known = compiledBodies.get(body);
  if (known !== undefined) return known;
  const made = Handlebars.compile(body, { noEscape: true, strict: true });
  compiledBodies.set(body, made);
  return made;
}
