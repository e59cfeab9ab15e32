import Table from "cli-table3";

/** Longest line of a wrapped text, in characters. */
const textWidth = 90;

export interface TextTable {
  /** Adds a row. @param note is written on lines of its own below the row. */
  add(row: readonly string[], note?: string): void;
  /** Adds a row and wraps the text of its cell number `column`; the first is 0. */
  addWrapped(row: readonly string[], column: number): void;
  toString(): string;
}

/** Makes a table without colours. */
export function createTable(head: readonly string[]): TextTable {
  // Each line is a row of its own, without a rule between them: cli-table3 0.6 measures a cell of many lines again for
  // each line and each character, which takes seconds for a note of fifty lines (`draw` in its src/cell.js).
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  return {
    add(row, note) {
      table.push([...row]);
      if (note === undefined || note === "") return;
      for (const line of wrap(note, textWidth)) table.push([{ colSpan: head.length, content: `  ${line}` }]);
    },
    addWrapped(row, column) {
      for (const [at, line] of wrap(row[column] ?? "", textWidth).entries()) {
        table.push(row.map((cell, index) => (index === column ? line : at === 0 ? cell : "")));
      }
    },
    toString: () => table.toString(),
  };
}

/** Wraps at words. A word that is longer than a line stays whole, so that it can be copied. */
function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines = [""];
    for (const word of line.split(" ")) {
      const last = lines.at(-1) ?? "";
      if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
      else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
    }
    return lines;
  });
}
