import { toTemplateData } from "../../handler/contract/template-data";
import { escapeHtml, hasVisibleCharacter, toSubject } from "../../handler/contract/text";
import { readsOfTexts } from "../support/template-reads";

const codePoint = (code: number) => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;

describe("a visible character", () => {
  it.each(
    [
      ...[0x20, 0x09, 0x0a, 0x00, 0x7f, 0x85, 0xa0, 0xad, 0x034f, 0x061c, 0x115f, 0x1160, 0x1680, 0x17b4, 0x17b5],
      ...[0x180b, 0x180e, 0x2003, 0x200b, 0x200c, 0x200d, 0x200e, 0x2028, 0x202e, 0x2060, 0x2064, 0x2066, 0x206f],
      ...[0x2800, 0x3000, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0xfff9, 0xffff, 0x13441, 0x16fe4],
      ...[0x1d159, 0x1d173, 0xe0001, 0xe0020, 0xe007f, 0xe0100, 0xe01ef, 0xe0fff],
    ].map((code) => [codePoint(code), String.fromCodePoint(code)]),
  )("is not %s, alone or often", (_, character) => {
    expect([character, ` ${character}\t${character}`].map(hasVisibleCharacter)).toEqual([false, false]);
    expect(hasVisibleCharacter(`${character}a${character}`)).toBe(true);
  });

  it.each(["a", ".", "0", "日", "ا", "🎉", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "⠁", "\u0301", "\ufffd", "\ud83c"])("is %j", (text) => {
    expect(hasVisibleCharacter(text)).toBe(true);
  });

  it("is none of an empty text", () => {
    expect(hasVisibleCharacter("")).toBe(false);
  });
});

it.each([
  ["Hi\r\nBcc: evil@example.net", "Hi Bcc: evil@example.net"],
  ["a\u2028b\u2029c\u0085d\u0000e", "a b c d e"],
  ["  blank  ", "blank"],
  ["Invoice \u202efdp.exe\u202c", "Invoice fdp.exe"],
  ["\u202aa\u202bb\u202dc\u2066d\u2067e\u2068f\u2069", "abcdef"],
  ["مرحبا\u200f (3)\u200e\u061c", "مرحبا\u200f (3)\u200e\u061c"],
  ["👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم"],
  ["Party \ud83c", "Party \ufffd"],
])("makes of %j the subject %j", (text, subject) => {
  expect(toSubject(text)).toBe(subject);
});

it("keeps a body's line breaks, and gives each value as it is and escaped, without half characters", () => {
  expect(toTemplateData({ message: 'a\r\n<b> "\ud83c" & \udf89' }, readsOfTexts("message"))).toEqual({
    subject: { message: 'a <b> "\ufffd" & \ufffd' },
    text: { message: 'a\r\n<b> "\ufffd" & \ufffd' },
    html: { message: "a\r\n&lt;b&gt; &quot;\ufffd&quot; &amp; \ufffd" },
  });
  expect(escapeHtml("'`")).toBe("&#39;&#96;");
});
