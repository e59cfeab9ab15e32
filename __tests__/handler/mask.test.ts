import { maskAddresses } from "../../handler/contract/mask";

it.each([
  ["no address here", "no address here"],
  ["", ""],
  ["crm for <jane@example.com>", "crm for (address)"],
  ["jane@example.com", "(address)"],
  ["to jane@example.com, bob@example.com and more", "to (address) (address) and more"],
  ['to "jane roe"@example.com', "to (address)"],
  ['to "jane \\" roe"@example.com', "to (address)"],
  ['{"to":"\\"jane roe\\"@example.com"} follows', "(address) follows"],
  ["&quot;jane roe&quot;@example.com", "(address)"],
  ["mailto:jane%40example.com?x", "(address)"],
  ["mailto:jane%2540example.com", "(address)"],
  ["jane&#64;example.com jane&#x40;example.com jane&commat;example.com", "(address) (address) (address)"],
  ["jane\\u0040example.com jane\\x40example.com jane=40example.com", "(address) (address) (address)"],
  ["jane\uff20example.com jane\ufe6bexample.com", "(address) (address)"],
  ["by jane @ example.com today", "by (address) today"],
  ["by jane\u00a0@example.com", "by (address)"],
  ["jane@b\u00fccher.example", "(address)"],
  ["jane&#64example.com", "(address)"],
  ["jane@home@example.com today", "(address) today"],
  ['"jane roe"@example.com "bob roe"@example.com', "(address) (address)"],
  [" @example.com", "(address)"],
  ["jane@", "(address)"],
  ["a=40 and 40 % of it", "a=40 and 40 % of it"],
])("masks %j", (text, masked) => {
  expect(maskAddresses(text)).toBe(masked);
});

it.each([0, 1, 5, 60, 299, 300, 301])(
  "leaves no part of an address that a cut at 300 divides: %d characters before it",
  (before) => {
    for (const address of ["jane.roe.secret@example.com", '"jane roe secret"@example.com']) {
      const masked = maskAddresses(`${"- ".repeat(before / 2)}${address} ${"x ".repeat(400)}`);
      expect(masked).not.toMatch(/jane|roe|secret/);
      expect(masked.length).toBeLessThanOrEqual(302);
    }
  },
);

it("tells no more than it is asked for, in whole characters", () => {
  expect(maskAddresses("a b c d e f", 5)).toBe("a b c..");
  expect(maskAddresses("\ud83c\udf89 \ud83c\udf89 \ud83c\udf89", 4)).toBe("\ud83c\udf89 \ufffd..");
});

it("tells a long text without a blank as nothing: half of it could be an address", () => {
  expect(maskAddresses("x".repeat(80_000))).toBe("..");
  expect(maskAddresses("@".repeat(80_000))).toBe("..");
});

it("tells a text that is as long as the excerpt in full", () => {
  expect(maskAddresses("a b c", 5)).toBe("a b c");
});
