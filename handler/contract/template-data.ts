/**
 * SES does not escape template data for HTML
 * (https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-advanced.html), so each value goes in twice:
 * `title` is raw, for the subject and the text body, and `titleHtml` is escaped, for the HTML body. The synth refuses
 * an HTML body that reads a raw variable.
 */
export const htmlSuffix = "Html";

/** Most bytes of template data, as JSON, that SES takes (SendTemplatedEmail, TemplateData: maximum length). */
export const maximumTemplateDataBytes = 262_144;

/** Lists every name that `toTemplateData` supplies for the mapped `variables`. */
export function suppliedVariables(variables: readonly string[]): string[] {
  return variables.flatMap((name) => [name, name + htmlSuffix]);
}

/**
 * Makes the template data for SES: each value raw under its name, and escaped under the name with `htmlSuffix`. A lone
 * surrogate (half a character, from a text that was cut) can't be written in UTF-8 and becomes U+FFFD.
 */
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

/** Escapes a text for an element's content and for quoted attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => entities[character] ?? character);
}

/**
 * Makes a subject of a text: one line without control characters, because a line break would start another header.
 *
 * The characters that change the direction of the text after them are removed: with them, `Invoice \u202efdp.exe` would
 * look like the name of a document (https://www.unicode.org/reports/tr36/, Bidirectional Text Spoofing). The
 * directional marks U+200E, U+200F and U+061C do not do that, and stay, because Arabic and Hebrew subjects need them.
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
 * Characters that a reader can't see: blanks, and those that Unicode's properties call invisible. The last five are
 * letters, symbols and marks by their category but are drawn blank: the empty Braille pattern, two hieroglyphic
 * fillers, the null note head and the Khitan filler.
 */
const invisible =
  /[\p{Cc}\p{Cf}\p{Noncharacter_Code_Point}\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800\u{13441}\u{13442}\u{1d159}]|\u{16fe4}/gu;

/** Whether a reader sees anything of the text. */
export function hasVisibleCharacter(text: string): boolean {
  return text.replace(invisible, "") !== "";
}
