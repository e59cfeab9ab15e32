import { maximumRecipients, readRecipients, readReplyTo } from "../../handler/notifications/recipients";

const many = (count: number) => Array.from({ length: count }, (_, index) => `a${index}@example.com`);

it.each<[string, unknown, readonly string[]]>([
  ["one address", "a@example.com", ["a@example.com"]],
  ["a list", ["a@example.com", "b@example.com"], ["a@example.com", "b@example.com"]],
  ["as many as an event takes", many(maximumRecipients), many(maximumRecipients)],
  ["one mailbox in three spellings", ["Ops@Example.com", "ops@example.com", '"OPS"@EXAMPLE.COM'], ["Ops@example.com"]],
  ["one domain in two spellings", ["x@bücher.example", "x@xn--bcher-kva.example"], ["x@xn--bcher-kva.example"]],
])("takes %s", (_, named, addresses) => {
  expect(readRecipients(named)).toEqual({ addresses, refused: [] });
});

it.each<[unknown, string]>([
  ["", "is empty"],
  [null, "is missing"],
  [undefined, "is missing"],
  [4711, "is a number, and has to be a text"],
  [true, "is a boolean, and has to be a text"],
  [{ address: "a@example.com" }, "is an object, and has to be a text"],
  [["a@example.com"], "is a list itself: name each address by itself"],
  ["Jane <jane@example.com>", "has a display name: give the bare address"],
  ["jane@example.com ", "has a blank at its end"],
  ["jane", "has no at sign"],
])("mails the others of a list where one entry is %j, and says which and why", (entry, problem) => {
  expect(readRecipients(["ok@example.com", entry, "ok2@example.com"])).toEqual({
    addresses: ["ok@example.com", "ok2@example.com"],
    refused: [{ position: 2, problem }],
  });
});

it.each<[string, unknown, string]>([
  ["nobody", undefined, "It names nobody to mail."],
  ["null", null, "It names nobody to mail."],
  ["an empty list", [], "Its list of recipients is empty."],
  ["51 of them", many(51), "It names 51 recipients, and an event takes 50."],
  ["one mailbox 51 times", Array(51).fill("a@example.com"), "It names 51 recipients, and an event takes 50."],
  ["an empty text", "", "Its recipient is empty."],
  ["a number", 4711, "Its recipient is a number, and has to be a text."],
  ["an object", {}, "Its recipient is an object, and has to be a text."],
  ["a display name", "Jane <jane@example.com>", "Its recipient has a display name: give the bare address."],
  ["two in one text", "a@example.com, b@example.com", "Its recipient names more than one address: give a list."],
  ["a list of one that is none", ["nobody"], "Its recipient has no at sign."],
  ["only bad ones", ["", null], "No recipient can be mailed: number 1 is empty; number 2 is missing."],
  [
    "many bad ones",
    Array(50).fill(""),
    "No recipient can be mailed: number 1 is empty; number 2 is empty; number 3 is empty; number 4 is empty; number 5 is empty; and 45 more.",
  ],
])("mails nobody for %s", (_, named, problem) => {
  expect(readRecipients(named)).toEqual({ problem });
});

it.each<[string, unknown, unknown]>([
  ["nothing", undefined, []],
  ["null", null, []],
  ["an empty list", [], []],
  ["as many as an event takes", many(maximumRecipients), many(maximumRecipients)],
  ["one address", "Help@Example.com", ["Help@example.com"]],
  [
    "a list, each mailbox once",
    ["a@example.com", "A@example.com", "b@example.com"],
    ["a@example.com", "b@example.com"],
  ],
  ["a bad address", "help", { problem: "Its address for replies has no at sign." }],
  ["an empty text", "", { problem: "Its address for replies is empty." }],
  [
    "a bad one among others",
    ["a@example.com", "Help <help@example.com>"],
    { problem: "Of its addresses for replies, number 2 has a display name: give the bare address." },
  ],
  ["too many", many(51), { problem: "It names 51 addresses for replies, and an event takes 50." }],
])("reads %s as where replies go", (_, named, read) => {
  expect(readReplyTo(named)).toEqual(read);
});
