/**
 * Markdown for a comment of GitHub. The texts of a plan are foreign: templates, names and addresses that anybody may
 * have written. They get into the comment in a code span or in a fenced block alone, because GitHub reads no mention,
 * no reference, no HTML and no markdown there.
 */

/** One piece of the comment. It is left out as a whole, or replaced by `short`, where the comment grows too long. */
export interface Block {
  readonly text: string;
  /** @default nothing */
  readonly short?: string;
}

/** Makes control characters and those that turn the direction of the text visible, so that nothing hides. */
export function visible(text: string, kept: RegExp): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (character) =>
    kept.test(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** A text on one line, of at most `longest` characters. */
function oneLine(text: string, longest = 300): string {
  const line = visible(text.replace(/\r\n?|\n/g, "↵"), /^$/);
  return line.length > longest ? `${line.slice(0, longest).toWellFormed()}…` : line;
}

/** A code span. It stays one, whatever the text is. */
export function code(text: string, longest?: number): string {
  const line = oneLine(text, longest);
  if (line.trim() === "") return `\`"${line}"\``;
  const fence = "`".repeat(longestRun(line) + 1);
  const pad = line.startsWith("`") || line.endsWith("`") || /^ .* $/.test(line) ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A fenced block. A text of more than `longest` characters is cut at a line, and the block says so. */
export function fenced(text: string, language = "", longest = 20_000): string {
  const shown = visible(text.replace(/\r\n?/g, "\n"), /[\n\t]/).replace(/\n$/, "");
  const cut = shown.length > longest ? cutAtLine(shown, longest) : shown;
  const fence = "`".repeat(Math.max(3, longestRun(cut) + 1));
  const rest =
    cut === shown ? "" : `\n\n${(shown.length - cut.length).toLocaleString("en-US")} more characters are left out.`;
  return `${fence}${language}\n${cut}\n${fence}${rest}`;
}

function cutAtLine(text: string, longest: number): string {
  const cut = text.slice(0, longest).toWellFormed();
  const end = cut.lastIndexOf("\n");
  return end > longest / 2 ? cut.slice(0, end) : cut;
}

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

/** A text of which neither markdown nor HTML reads anything: each sign is written by its number. */
export function plain(text: string, longest?: number): string {
  return oneLine(text, longest).replace(/[^\p{L}\p{N} ]/gu, (sign) => `&#${sign.codePointAt(0)};`);
}

/** Code in HTML, for a summary of `details`, which is no markdown. */
export const html = (text: string, longest?: number): string => `<code>${plain(text, longest)}</code>`;

/** @param summary HTML that is safe. */
export function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** The most characters of a comment (https://github.com/orgs/community/discussions/27190). */
export const longestComment = 65_536;

/**
 * Joins the sections. Where they are too long together, each keeps an equal share of the room, and what a short one does
 * not need goes to the others: so no section can push another one out.
 * @param limit the most characters; what does not fit is left out, whole blocks at a time.
 * @param ending a sentence that says so, for the end of a comment that is cut.
 */
export function joined(sections: readonly (readonly Block[])[], limit: number, ending: string): string {
  const whole = `${together(sections.flat().map(({ text }) => text))}\n`;
  if (whole.length <= limit) return whole;
  const sizes = sections.map((section) => section.reduce((sum, { text }) => sum + text.length + 2, 0));
  const share = shareOf(sizes, limit - ending.length - 3);
  return `${together([...sections.flatMap((section) => fitting(section, share)), ending])}\n`;
}

/** The most that a section may have, so that all of them have no more than `room`. */
function shareOf(sizes: readonly number[], room: number): number {
  const sorted = [...sizes].sort((a, b) => a - b);
  let left = room;
  for (const [at, size] of sorted.entries()) {
    const share = left / (sorted.length - at);
    if (size > share) return share;
    left -= size;
  }
  return room;
}

/** The blocks of a section that fit into its share, and a line with the number of the others. */
function fitting(section: readonly Block[], share: number): string[] {
  const size = section.reduce((sum, { text }) => sum + text.length + 2, 0);
  if (size <= share) return section.map(({ text }) => text);
  const lastLine = (count: number) =>
    `- **${count.toLocaleString("en-US")} more entries of this section are left out.**`;
  const room = share - lastLine(section.length).length - 2;
  const kept: string[] = [];
  let length = 0;
  for (const { text, short } of section) {
    const chosen = [text, short].find((each) => each !== undefined && length + each.length + 2 <= room);
    if (chosen === undefined) continue;
    kept.push(chosen);
    length += chosen.length + 2;
  }
  return kept.length === section.length ? kept : [...kept, lastLine(section.length - kept.length)];
}

/** Items of one list follow on each other; everything else has an empty line between. */
function together(texts: readonly string[]): string {
  const isItem = (text: string | undefined) => text !== undefined && /^ *- /.test(text);
  return texts
    .map((text, index) => (index === 0 ? text : `${isItem(text) && isItem(texts[index - 1]) ? "\n" : "\n\n"}${text}`))
    .join("");
}
