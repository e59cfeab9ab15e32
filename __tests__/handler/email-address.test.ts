import { checkEmailAddress, domainOf, mailboxOf, parseEmailAddress } from "../../handler/contract/email-address";
import { hashRecipient } from "../../handler/contract/recipient-hash";
import { allowsRecipient, type RecipientPolicy } from "../../handler/contract/recipient-policy";

it.each([
  ["a@example.com", "a@example.com"],
  ["first.last+tag@mail.example.co.uk", "first.last+tag@mail.example.co.uk"],
  ["Case.Matters@Example.COM", "Case.Matters@example.com"],
  ["x@bücher.example", "x@xn--bcher-kva.example"],
  ["x@xn--bcher-kva.example", "x@xn--bcher-kva.example"],
  ["kim@münchen-büro.example", "kim@xn--mnchen-bro-9dbh.example"],
  ["o'hara!#$%&*/=?^_`{|}~-@example.com", "o'hara!#$%&*/=?^_`{|}~-@example.com"],
  // The rules of single providers are not checked: Gmail gives out no name of one letter, for example.
  ["x@gmail.com", "x@gmail.com"],
  ['"jane"@example.com', '"jane"@example.com'],
  ['"jane..roe."@example.com', '"jane..roe."@example.com'],
  ['"ja\\ne"@example.com', '"ja\\ne"@example.com'],
  [`${"l".repeat(64)}@example.com`, `${"l".repeat(64)}@example.com`],
])("takes %s", (text, address) => {
  expect(parseEmailAddress(text)).toBe(address);
});

const domainOfLength = (length: number) => {
  const labels = `${"d".repeat(60)}.`.repeat(5);
  return `${labels.slice(0, length - 4).replace(/\.$/, "d")}.com`;
};

it.each([
  ["", "is empty"],
  ["   ", "is blank"],
  ["\u00a0", "is blank"],
  [" a@example.com", "has a blank at its start"],
  ["\ufeffa@example.com", "has a blank at its start"],
  ["a@example.com ", "has a blank at its end"],
  ["a@example.com\n", "has a blank at its end"],
  ["a@example.com\u00a0", "has a blank at its end"],
  ["\u200bjane@example.com", "has a character that can't be seen"],
  ["ja\u00adne@example.com", "has a character that can't be seen"],
  ["jane@exam\u200dple.com", "has a character that can't be seen"],
  ["a@example.com\r\nBcc: b@example.com", "has a character that can't be seen"],
  ['"a\r\nBcc: b@example.com"@example.com', "has a character that can't be seen"],
  ["a@exa\nmple.com", "has a character that can't be seen"],
  ["Name <a@example.com>", "has a display name: give the bare address"],
  ['"Roe, Jane" <jane@example.com>', "has a display name: give the bare address"],
  ["<a@example.com>", "has a display name: give the bare address"],
  ["a@example.com>", "has a display name: give the bare address"],
  ["a@example.com,b@example.com", "names more than one address: give a list"],
  ["a@example.com; b@example.com", "names more than one address: give a list"],
  ["Ops: a@example.com, b@example.com;", "names more than one address: give a list"],
  ["Ops:;", "names more than one address: give a list"],
  ["a", "has no at sign"],
  ["@example.com", "has nothing in front of its at sign"],
  ["a@", "has nothing behind its at sign"],
  ["jörg@example.com", "has a character in front of its at sign that is not ASCII, and SES takes none"],
  ["jane\u00a0@example.com", "has a character in front of its at sign that is not ASCII, and SES takes none"],
  ['"jörg"@example.com', "has a character in front of its at sign that is not ASCII, and SES takes none"],
  ['"quoted local"@example.com', "has a quoted part that no mail service takes"],
  ['"jane@home"@example.com', "has a quoted part that no mail service takes"],
  ['"a,b"@example.com', "has a quoted part that no mail service takes"],
  ['"ja\\"ne"@example.com', "has a quoted part that no mail service takes"],
  ['"jane\\"@example.com', "has a quoted part that no mail service takes"],
  ['""@example.com', "has a quoted part that no mail service takes"],
  ['"@example.com', "has a quotation mark in it"],
  ['ja"n"e@example.com', "has a quotation mark in it"],
  ["a@b@example.com", "has more than one at sign"],
  ["jane(home)@example.com", "has a comment: give the bare address"],
  ["jane@example.com(home)", "has a comment: give the bare address"],
  ["a b@example.com", "has a blank in it"],
  ["a@exa mple.com", "has a blank in it"],
  ["a..b@example.com", "has a dot too much in front of its at sign"],
  [".a@example.com", "has a dot too much in front of its at sign"],
  ["jane.@example.com", "has a dot too much in front of its at sign"],
  ["jane@example.com.", "has a dot at its end"],
  ["jane@[192.0.2.1]", "has an IP address behind its at sign, and SES takes domains only"],
  ["jane@[IPv6:2001:db8::1]", "has an IP address behind its at sign, and SES takes domains only"],
  ["a@example.com/x", "has no domain behind its at sign"],
  ["a@example.com?x", "has no domain behind its at sign"],
  ["a@ex%61mple.com", "has no domain behind its at sign"],
  ["a@xn--ü.example", "has no domain behind its at sign"],
  ["jane@192.0.2.1", "is not an e-mail address"],
  ["a@localhost", "is not an e-mail address"],
  ["a@-example.com", "is not an e-mail address"],
  ["a@example..com", "is not an e-mail address"],
  ["mailto:a@example.com", "is not an e-mail address"],
  [`${"l".repeat(65)}@example.com`, "has more than 64 characters in front of its at sign"],
  [`${"l".repeat(300)}@example.com`, "has more than 254 characters"],
  [`a@${"d".repeat(250)}.com`, "has more than 254 characters"],
  // This address is short enough as written, but too long in punycode.
  [`${"l".repeat(64)}@${"ü.".repeat(60)}example`, "has more than 254 characters"],
])("refuses %j: it %s", (text, problem) => {
  expect(checkEmailAddress(text)).toEqual({ problem });
});

it("takes the longest address that SMTP has", () => {
  const local = "l".repeat(64);
  const longest = `${local}@${domainOfLength(254 - 65)}`;
  expect(longest).toHaveLength(254);
  expect(checkEmailAddress(longest)).toEqual({ address: longest });
  expect(checkEmailAddress(longest.replace(".com", ".come"))).toEqual({ problem: "has more than 254 characters" });
});

describe("a mailbox", () => {
  it.each([
    ["Jane.Roe@example.com", "jane.roe@example.com"],
    ["JANE.ROE@EXAMPLE.COM", "jane.roe@example.com"],
    ['"jane.roe"@example.com', "jane.roe@example.com"],
    ['"Jane\\.Ro\\e"@Example.com', "jane.roe@example.com"],
    ["jane.roe@example.com.", "jane.roe@example.com"],
    ["x@Bücher.example", "x@xn--bcher-kva.example"],
    ["x@bu\u0308cher.example", "x@xn--bcher-kva.example"],
    ["x@XN--BCHER-KVA.example", "x@xn--bcher-kva.example"],
    ['"jane..roe"@example.com', "jane..roe@example.com"],
    // A single quotation mark does not begin a quoted name.
    ['ne"@example.com', 'ne"@example.com'],
    ['"ne@example.com', '"ne@example.com'],
    ["@Example.com.", "@example.com"],
    ["no address", "no address"],
  ])("of %s is %s, with one hash", (address, mailbox) => {
    expect(mailboxOf(address)).toBe(mailbox);
    expect(hashRecipient(address)).toBe(hashRecipient(mailbox));
  });

  it("differs where the address does", () => {
    const addresses = ["jane@example.com", "jane+a@example.com", "j.ane@example.com", "jane@mail.example.com"];
    expect(new Set(addresses.map(mailboxOf)).size).toBe(4);
  });
});

describe("an allow-list", () => {
  const policy: RecipientPolicy = {
    mode: "restricted",
    addresses: ["Jane.Roe@Example.com", '"ops"@example.com'],
    domains: ["Bücher.example", "shop.example."],
  };

  it.each([
    "jane.roe@example.com",
    '"jane.roe"@example.com',
    "OPS@EXAMPLE.com",
    "anybody@xn--bcher-kva.example",
    "anybody@BÜCHER.example",
    "anybody@shop.example",
  ])("takes %s in whichever form it stands there", (address) => {
    expect(allowsRecipient(policy, address)).toBe(true);
  });

  it.each([
    "jane@example.com",
    "jane.roe@mail.example.com",
    '"jane.roe@example.com"@evil.example',
    "jane.roe@example.com@evil.example",
    "anybody@sub.shop.example",
    "anybody@shop.example.evil.example",
    "shop.example@evil.example",
    "",
  ])("does not take %j", (address) => {
    expect(allowsRecipient(policy, address)).toBe(false);
  });
});

it("compares domains that are none in lower case, too", () => {
  expect(domainOf("jane@EXA MPLE")).toBe("exa mple");
});
