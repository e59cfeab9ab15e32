import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { type Notification } from "../../handler/notifications/define";
import { sampleEvent } from "../../handler/notifications/sample";
import { checkCatalogue } from "../../stacks/catalogue-check";
import { loadTemplate } from "../../stacks/templates/load";
import { renderMail } from "../../stacks/templates/mail";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const root = join(__dirname, "..", "..");
const guide = readFileSync(join(root, "docs", "notifications.md"), "utf8");

/** The first block of code in a language. */
function codeOf(language: string): string {
  const [, code] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(guide) ?? [];
  if (code === undefined) throw new Error(`docs/notifications.md has no block of ${language}`);
  return code;
}

/** The guide's own notification, in a copy of the handler as a reader would write it. */
const copy = temporaryFolder();
cpSync(join(root, "handler"), join(copy, "handler"), { recursive: true });
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
// Whoever follows the guide may have a notification of this very name.
rmSync(join(copy, "handler", "notifications", "invoice-paid"), { recursive: true, force: true });
const folder = writeFiles(join(copy, "handler", "notifications", "invoice-paid"), {
  "index.ts": codeOf("ts"),
  "body.html": codeOf("html"),
  "body.txt": codeOf("text"),
});
const { invoicePaid } = jest.requireActual<{ invoicePaid: Notification }>(join(folder, "index.ts"));
const check = (notification: Notification) =>
  checkCatalogue([notification], { prefix: "shop-dev", templateOf: (each) => loadTemplate(each, undefined, folder) });

it("shows a notification that the synth takes, and that mails the event that the guide shows", () => {
  expect(check(invoicePaid)).toHaveLength(1);
  const event = sampleEvent(invoicePaid, { detail: JSON.parse(codeOf("json")) as unknown });
  expect(invoicePaid.prepare(event).recipients).toEqual(["ada@example.com"]);
  expect(renderMail(invoicePaid, event, undefined, loadTemplate(invoicePaid, undefined, folder))).toMatchObject({
    subject: "Invoice 2026-0001 is paid",
    text: expect.stringContaining("EUR 12.00 for your invoice 2026-0001") as string,
  });
});

it("explains each field of a definition, and no other", () => {
  const path = join(root, "handler", "notifications", "define.ts");
  const definition = ts
    .createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)
    .statements.filter((statement) => ts.isInterfaceDeclaration(statement))
    .find(({ name }) => name.text === "NotificationDefinition");
  const [, section = ""] = guide.split("\n## The fields of a definition\n");
  const rows = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(rows).toEqual(definition?.members.map((member) => member.name?.getText()));
});

it("names commands and files that there are", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  const commands = [...guide.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
  expect(commands).toContain("new-notification");
  expect(commands.filter((name) => !Object.keys(scripts).includes(name))).toEqual([]);
  const files = [...guide.matchAll(/`((?:docs|handler|__tests__)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
  expect(files.filter((path) => !path.includes("invoice-paid") && !existsSync(join(root, path)))).toEqual([]);
});

it("shows an error in the words that the synth has for it", () => {
  const [lane] = /^ {2}- .*there is no lane.*$/m.exec(guide) ?? [];
  expect(lane).toBeDefined();
  expect(() => check({ ...invoicePaid, lane: "bulk" as "standard" })).toThrow(lane);
});

it("shows pictures that are small", () => {
  const pictures = [...guide.matchAll(/(?:src|srcset)="(images\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(pictures).toEqual(["images/preview-dark.png", "images/preview-light.png"]);
  for (const picture of pictures) {
    const bytes = readFileSync(join(root, "docs", picture));
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
    expect([picture, bytes.length < 150_000]).toEqual([picture, true]);
  }
});
