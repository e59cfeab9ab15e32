import fc from "fast-check";
import { compose, parseMime } from "../../../src/services/ses/mime";

const names = ["From", "To", "Cc", "Reply-To", "Subject", "X-Reference", "References", "List-Unsubscribe"];
const nothing = { text: "text", html: "" };
const linesOf = async (headers: Parameters<typeof compose>[1]) =>
  (await compose("id", headers, nothing)).toString("latin1").split("\r\n");

// RFC 5322, 2.1.1
it("no line is longer than 998 characters, whatever the headers are", async () => {
  const word = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc
      .tuple(fc.constantFrom("x", "ß", "=", '"', ",", "<", "\\", "\u{1f4e7}"), fc.integer({ min: 850, max: 3000 }))
      .map(([unit, count]) => unit.repeat(count)),
  );
  const value = fc.oneof(
    fc.array(word, { maxLength: 5 }).map((words) => words.join(" ")),
    word.map((name) => `"${name}" <someone@customers.example>, other@customers.example`),
    word.map((name) => `${name} <someone@customers.example>`),
  );
  const name = fc.oneof(
    fc.constantFrom(...names),
    fc.integer({ min: 1, max: 1200 }).map((length) => `X${"y".repeat(length)}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ name, value }), { minLength: 1, maxLength: 4 }), async (headers) => {
      expect((await linesOf(headers)).filter(({ length }) => length > 998)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

it.each(["From", "To", "Reply-To"])(
  "a name above that is written in words, and the address stays one: %s",
  async (name) => {
    const long = "n".repeat(1500);
    const value = `"${long}" <someone@customers.example>, other@customers.example`;
    const raw = await compose("id", [{ name, value }], nothing);
    for (const line of raw.toString("latin1").split("\r\n")) expect(line.length).toBeLessThanOrEqual(998);
    expect(raw.toString("latin1")).toMatch(/=\?UTF-8\?Q\?n+\?=\s+<someone@customers\.example>,\s+other@/);
    expect((await parseMime(raw)).headers[0]?.value.replace(/\s+/g, " ")).toBe(
      `${long} <someone@customers.example>, other@customers.example`,
    );
  },
);

it("the other addresses of a list stay addresses beside one that is too long", async () => {
  const value = `"Jörg" <joerg@customers.example>, ${"a".repeat(900)}@customers.example, "${"n".repeat(1500)}" <n@customers.example>`;
  const lines = await linesOf([{ name: "To", value }]);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(998);
  expect(lines.join("")).toMatch(/^To: =\?UTF-8\?Q\?J=C3=B6rg\?= <joerg@customers\.example>,.*<n@customers\.example>/);
});

it("an id that is too long gives way to the composer's own", async () => {
  const lines = await linesOf([{ name: "Message-ID", value: `<${"x".repeat(900)}@customers.example>` }]);
  expect(lines.filter((line) => /^message-id:/i.test(line))).toHaveLength(1);
});

it("a word that fits stays as it is", async () => {
  const value = "y".repeat(860);
  expect((await linesOf([{ name: "X-Reference", value }])).join("")).toContain(value);
});

it.each([
  ["a local part of two bytes a character", "To", `${"ß".repeat(500)}@customers.example`],
  ["quotes, which the composer escapes", "From", `<${'"'.repeat(600)}@customers.example>`],
  ["ids of two bytes a character", "References", `<${"ß".repeat(500)}>`],
])("no line is longer than 998 bytes: %s", async (_, name, value) => {
  for (const line of await linesOf([{ name, value }])) expect(line.length).toBeLessThanOrEqual(998);
});

it.each([
  ["X-Reference", "\v"],
  ["Subject", "\f"],
  ["List-Unsubscribe", "\u0085"],
  ["In-Reply-To", "\u00a0"],
  ["References", "\ufeff"],
])("a line of %s is folded at blanks, and not at %j", async (name, character) => {
  const value = Array.from({ length: 8 }, () => "y".repeat(40)).join(character);
  const lines = await linesOf([{ name, value }]);
  for (const line of lines.slice(0, lines.indexOf(""))) expect(line).toMatch(/^(?: |[\w-]+: )[ -~]*$/);
  const { headers } = await parseMime(lines.join("\r\n"));
  expect(headers[0]?.value.replace(/\s+/g, " ")).toBe(value.replace(/\p{Cc}|\s/gu, " "));
});
