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

/** Half a character (a lone surrogate, from a text that was cut in between) has no UTF-8: it becomes U+FFFD. */
export function toTemplateData(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const text = value.toWellFormed();
      return [
        [name, text],
        [name + htmlSuffix, escapeHtml(text)],
      ];
    }),
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

/**
 * One line without control characters: a line break in a subject would start another header. Nothing in it changes the
 * direction of what comes next, or `Invoice \u202efdp.exe` reads as a document's name
 * (https://www.unicode.org/reports/tr36/, Bidirectional Text Spoofing). The marks that only have a direction of their own
 * (U+200E, U+200F, U+061C) stay: Arabic and Hebrew subjects need them.
 */
export function toSubject(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/[\u202a-\u202e\u2066-\u2069]/g, "")
      // Cc: control characters; Zl and Zp: Unicode's line and paragraph separators.
      .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
      .trim()
  );
}

/**
 * What nobody sees: blanks, and what Unicode says draws nothing. The last ones are letters, symbols and marks by
 * their category, and drawn blank by their name: Braille's empty pattern, hieroglyphic and Khitan fillers, a null note.
 */
const invisible =
  /[\p{Cc}\p{Cf}\p{Noncharacter_Code_Point}\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800\u{13441}\u{13442}\u{1d159}]|\u{16fe4}/gu;

export function hasVisibleCharacter(text: string): boolean {
  return text.replace(invisible, "") !== "";
}
