import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { writeMailPages } from "../../../operations/plan/mail-pages";
import { summarize } from "../../../operations/plan/summary";
import { type PlannedTemplate, templatePlan } from "../../support/template-plan";
import { runOperation } from "../../support/operations-command";

const own = "shop-dev-email-request-0badcafe";
const stored = { subject: "Old {{subject.title}}", html: "<p>Old {{html.title}}</p>", text: "Old {{text.title}}" };

/** @returns the pages, by their names. */
function pagesOf(...changes: readonly PlannedTemplate[]): Record<string, string> {
  const folder = join(temporaryFolder(), "mails");
  writeMailPages(folder, templatePlan(...changes));
  if (!existsSync(folder)) return {};
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

it("shows the mail of a changed template before and after, filled with the notification's sample", () => {
  const { "email-request.html": page = "" } = pagesOf({
    before: { name: own, ...stored },
    after: { name: own, ...stored, subject: "New {{subject.title}}" },
  });
  expect(page).toContain("What changes in the template: subject.");
  const subjects = [...page.matchAll(/Subject: <bdi>([^<]*)</g)].map(([, subject]) => subject);
  expect(subjects).toEqual([expect.stringMatching(/^Old [A-Z]/), expect.stringMatching(/^New [A-Z]/)]);
  expect(page).not.toContain("{{");
});

it.each([
  ["new", { before: null, after: { name: own, ...stored } }, "The template is new."],
  ["removed", { before: { name: own, ...stored }, after: null }, "The template is removed."],
])("shows the mail of a template that is %s", (_, change, sentence) => {
  expect(pagesOf(change)["email-request.html"]).toContain(sentence);
});

it("shows a template as it is stored where there is no sample for it", () => {
  const { "gone-0badcafe.html": page = "" } = pagesOf({
    before: null,
    after: { name: "shop-dev-gone-0badcafe", ...stored },
  });
  expect(page).toContain("can't be filled with a sample");
  expect(page).toContain("Old &#123;&#123;subject&#46;title&#125;&#125;");
});

it("makes no page where a template only gets another name, and no folder where there is no page", () => {
  const other = "shop-dev-email-request-deadbeef";
  expect(pagesOf({ before: { name: own, ...stored }, after: { name: other, ...stored } })).toEqual({});
});

it("gives each page a name of its own that is a plain file, whatever the templates are called", () => {
  const names = [
    "shop-dev-../../etc",
    "shop-dev-..%2F..%2Fetc",
    "shop-dev-GONE",
    "shop-dev-gone",
    `shop-dev-${"x".repeat(300)}`,
  ];
  const pages = pagesOf(...names.map((name) => ({ before: null, after: { name, ...stored } })));
  expect(Object.keys(pages)).toHaveLength(names.length);
  for (const name of Object.keys(pages)) expect(name).toMatch(/^[\w-]{1,110}\.html$/);
});

it("shows no sensitive value, and none that only the apply makes known", () => {
  const after = { name: own, ...stored, subject: "s3cr3t" };
  const { "email-request.html": page = "" } = pagesOf({
    before: { name: own, ...stored },
    after: { ...after, html: null },
    after_sensitive: { subject: true },
    after_unknown: { html: true },
  });
  expect(page).not.toContain("s3cr3t");
  expect(page).toContain("sensitive");
  expect(page).toContain("(known after apply)");
});

it("is named by the summary, in a folder of the reader's", () => {
  const plan = templatePlan({ before: null, after: { name: own, ...stored } });
  expect(summarize(plan, { pagesIn: "mails" })).toContain("open in a browser, from `mails`: `email-request.html`.");
  expect(summarize(plan)).not.toContain("open in a browser");
});

describe("npm run plan -- --summary --mails", () => {
  const fixture = join(__dirname, "..", "..", "fixtures", "plan.json");
  const words = (folder: string) => ["plan", "--summary", "--from", fixture, "--mails", folder];

  it("writes the pages into a new folder", async () => {
    const folder = join(temporaryFolder(), "mails");
    const { code, output } = await runOperation(words(folder), {});
    expect(code).toBe(0);
    const pages = readdirSync(folder);
    expect(pages.length).toBeGreaterThan(0);
    for (const page of pages) expect(output).toContain(page);
  });

  it("refuses a folder that has anything in it, and leaves it as it is", async () => {
    const folder = writeFiles(temporaryFolder(), { "mine.txt": "" });
    const { code, errors } = await runOperation(words(folder), {});
    expect({ code, errors }).toEqual({
      code: 2,
      errors: expect.stringContaining("is there already, and not empty") as string,
    });
    expect(readdirSync(folder)).toEqual(["mine.txt"]);
  });
});
