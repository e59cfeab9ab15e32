import { runInNewContext } from "node:vm";
import {
  describeFailure,
  formatDuration,
  parseDuration,
  plural,
  printable,
  printableJson,
} from "../../operations/text";

const hidden = { showAddresses: false };

describe("a text of others", () => {
  it.each([
    ["a colour", "\u001b[31mred\u001b[0m", "[31mred [0m"],
    ["a title of the window", "a\u001b]0;owned\u0007b", "a ]0;owned b"],
    ["a C1 control sequence", "a\u009b2Jb", "a 2Jb"],
    ["line breaks of every kind", "a\r\nb\u2028c\u2029d\u0085e", "a b c d e"],
    ["a change of direction", "a\u202eb\u2066c", "a b c"],
    ["nothing to hide", "  plain ünicode ✓ ", "plain ünicode ✓"],
  ])("loses %s", (_, text, shown) => {
    expect(printable(text, hidden)).toBe(shown);
    expect(printable(text, { showAddresses: true })).toBe(shown);
  });

  it.each([
    "Refused: jane@example.com.",
    "<jane.o'neil+x@sub.example.com>",
    "to 'jane@example.com'",
    '{"to":"jane@example.com"}',
    '"jane doe"@example.com',
    "{jane}@example.com",
    "jäne@bücher.example",
  ])("shows no address of %s", (text) => {
    expect(printable(text, hidden)).toContain("(address)");
    expect(printable(text, hidden)).not.toMatch(/@|jane|jäne/);
    expect(printable(text, { showAddresses: true })).toBe(text);
  });

  it("is cut where it is long, and not within an address that shows then", () => {
    for (let before = 470; before <= 505; before += 1) {
      const shown = printable(`${"x ".repeat(before / 2)}jane@example.com ${"y ".repeat(300)}`, hidden);
      expect(shown.length).toBeLessThanOrEqual(502);
      expect(shown).not.toMatch(/jane|@|example/);
      expect(shown.endsWith("..")).toBe(true);
    }
    expect(printable("x ".repeat(1000), { ...hidden, longest: 10 })).toBe("x x x x x ..");
  });

  // 256 KiB is the most that a message may have. It takes milliseconds; what grows with the square of it, minutes.
  it.each([
    ["no blank", "a"],
    ["at signs", "@"],
    ["half an address", "a@"],
    ["quotes", '"'],
    ["quoted pairs", '\\"'],
    ["words in quotes", '"a" '],
    ["blanks", " "],
    ["control characters", "\u0000"],
    ["words", "a "],
    ["an encoded at sign that does not end", "%25"],
    ["a character reference that does not end", "&#0"],
  ])("is shown as fast where it holds nothing but %s", (_, piece) => {
    const text = piece.repeat(Math.floor(262_144 / piece.length));
    const read = () => [
      printable(text, hidden).length <= 502,
      printable(text, { showAddresses: true }).length <= 502,
      parseDuration(text) === undefined,
      JSON.parse(printableJson(text)) === text,
    ];
    // Jest's own time limit ends nothing that does not wait.
    expect(runInNewContext("read()", { read }, { timeout: 20_000 })).toEqual([true, true, true, true]);
  });

  it("keeps its meaning as JSON, with no control character in it", () => {
    const value = { text: "\u001b[31m \u009b2J \u202e \u2028 \u{e0001} ✓" };
    const json = printableJson(value);
    expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(json)).toEqual(value);
  });
});

it.each([
  [0, "0 s"],
  [-5000, "0 s"],
  [59_400, "59 s"],
  [60_000, "1 m"],
  [3_723_000, "1 h 2 m"],
  [3_603_000, "1 h"],
  [14 * 86_400_000, "14 d"],
])("%d ms is %s", (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

it.each([
  ["90s", 90_000],
  [" 30 m ", 1_800_000],
  ["2h", 7_200_000],
  ["3d", 259_200_000],
  ["3", undefined],
  ["-3d", undefined],
  ["1.5h", undefined],
  ["soon", undefined],
])("%s is %s ms", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

it("counts", () => {
  expect([plural(0, "event"), plural(1, "event"), plural(1200, "event")]).toEqual([
    "0 events",
    "1 event",
    "1,200 events",
  ]);
});

it.each([
  ["what is no error", "gone", "gone"],
  ["an error", new TypeError("no such thing"), "no such thing"],
  ["an error without words", new AggregateError([]), "AggregateError"],
])("says why a command did not run: %s", (_, error, text) => {
  expect(describeFailure(error)).toBe(text);
});
