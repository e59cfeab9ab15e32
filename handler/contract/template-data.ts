/**
 * SES does not escape template data for HTML
 * (https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-advanced.html), so each value goes in twice:
 * `title` is raw, for the subject and the text body, and `titleHtml` is escaped, for the HTML body. The synth refuses an
 * HTML body that reads a raw variable.
 */
export const htmlSuffix = "Html";

/** SES refuses template data above this many bytes (SendTemplatedEmail, TemplateData: maximum length). */
export const maximumTemplateDataBytes = 262_144;

/** Every name that `toTemplateData` supplies for the mapped `variables`. */
export function suppliedVariables(variables: readonly string[]): string[] {
  return variables.flatMap((name) => [name, name + htmlSuffix]);
}

export function toTemplateData(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => [
      [name, value],
      [name + htmlSuffix, escapeHtml(value)],
    ]),
  );
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Escapes for element content and for quoted attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => entities[character] ?? character);
}

/** One line without control characters: a line break in a subject would start another header. */
export function toSubject(text: string): string {
  // Cc: control characters; Zl and Zp: Unicode's line and paragraph separators.
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
