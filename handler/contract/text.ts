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
