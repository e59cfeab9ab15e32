import {
  describeFailure,
  formatDuration,
  parseDuration,
  plural,
  printable,
  printableJson,
} from "../../operations/text";
import { hashRecipient } from "../../handler/contract/recipient-hash";

const hidden = { showAddresses: false };
const masked = (address: string) => `<recipient ${hashRecipient(address)}>`;

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
    ["Refused: jane@example.com.", "jane@example.com."],
    ["<jane.o'neil+x@sub.example.com>", "jane.o'neil+x@sub.example.com"],
    ["to 'jane@example.com'", "jane@example.com"],
    ['{"to":"jane@example.com"}', "jane@example.com"],
    ['"jane doe"@example.com', '"jane doe"@example.com'],
    ["{jane}@example.com", "jane}@example.com"],
    ["jäne@bücher.example", "jäne@bücher.example"],
  ])("shows no address of %s", (text, address) => {
    expect(printable(text, hidden)).toContain(masked(address));
    expect(printable(text, hidden)).not.toMatch(/@|jane|jäne/);
    expect(printable(text, { showAddresses: true })).toBe(text);
  });

  it("is cut where it is long, and not within an address that shows then", () => {
    const shown = printable(`${"x ".repeat(245)}jane@example.com ${"y".repeat(600)}`, hidden);
    expect(shown.length).toBeLessThanOrEqual(502);
    expect(shown).not.toContain("jane");
    expect(shown.endsWith("..")).toBe(true);
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
  [
    "a refused connection",
    Object.assign(new AggregateError([]), { code: "ECONNREFUSED" }),
    "AggregateError. Nothing listens there: is the sandbox up (npm start), and is SANDBOX_PORT its own?",
  ],
])("says why a command did not run: %s", (_, error, text) => {
  expect(describeFailure(error)).toBe(text);
});
