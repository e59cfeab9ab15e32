import { parseEmailAddress } from "../../handler/contract/email-address";

it.each([
  ["a@example.com", "a@example.com"],
  ["first.last+tag@mail.example.co.uk", "first.last+tag@mail.example.co.uk"],
  ["Case.Matters@Example.COM", "Case.Matters@example.com"],
  ["x@bücher.example", "x@xn--bcher-kva.example"],
  ["x@xn--bcher-kva.example", "x@xn--bcher-kva.example"],
  ["o'hara!#$%&*/=?^_`{|}~-@example.com", "o'hara!#$%&*/=?^_`{|}~-@example.com"],
  ['"quoted local"@example.com', '"quoted local"@example.com'],
  [`${"l".repeat(64)}@example.com`, `${"l".repeat(64)}@example.com`],
])("takes %s", (text, address) => {
  expect(parseEmailAddress(text)).toBe(address);
});

it.each([
  "",
  "@example.com",
  "a@",
  "a",
  "a@localhost",
  "a b@example.com",
  "a@exa mple.com",
  "a..b@example.com",
  ".a@example.com",
  "a@-example.com",
  "a@example..com",
  "jörg@example.com",
  "Name <a@example.com>",
  "a@example.com\r\nBcc: b@example.com",
  "a@example.com,b@example.com",
  '"a\r\nBcc: b@example.com"@example.com',
  "a@example.com/x",
  "a@example.com?x",
  "a@ex%61mple.com",
  "a@exa\nmple.com",
  "a@b@example.com",
  `${"l".repeat(65)}@example.com`,
  `a@${"d".repeat(250)}.com`,
])("refuses %j", (text) => {
  expect(parseEmailAddress(text)).toBeUndefined();
});
