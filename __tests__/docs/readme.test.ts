import { readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../handler/notifications";
import { projectRoot, readMarkdown } from "../support/documents";
import { invoicePaid } from "./invoice-paid";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const readme = readMarkdown("README.md", read("README.md"));

it("the emulator's README starts it as the types want it, and gives it their options", () => {
  const { code } = readMarkdown("README.md", read("packages/aws-emulator/README.md"));
  const comment = /\/\*\*.*\*\/\n/;
  const typed = ["emulator-example", "emulator-inbox-options"].map((name) =>
    read(`__tests__/docs/${name}.ts`).replace(comment, ""),
  );
  expect(code.filter((text) => text.startsWith("import "))).toEqual(typed);
});

describe("the notification that README.md declares", () => {
  it("is one that the types accept", () => {
    const [example] = readme.code.filter((text) => text.startsWith("export const"));
    const fixture = read("__tests__/docs/invoice-paid.ts");
    expect(example).toBe(fixture.slice(fixture.indexOf("export const")));
  });

  it("makes a mail of its sample", () => {
    const { trigger, sample } = invoicePaid;
    const event = { id: "1", source: trigger.source, "detail-type": trigger.detailType, time: "2026-11-26T09:00:00Z" };
    const prepared = invoicePaid.prepare({ ...event, detail: sample as Record<string, unknown> });
    expect(prepared.recipients).toEqual(["success@simulator.amazonses.com"]);
    expect(prepared.contentIn()).toEqual({ name: "Jane", invoice: "2026-0042" });
  });
});

it("lists every section, in order", () => {
  const sections = readme.anchors.slice(1).filter((anchor) => anchor !== "contents");
  expect(readme.links.filter((link) => link.startsWith("#")).map((link) => link.slice(1))).toEqual(sections);
});

it("names every notification of the seed set, with its source and detail-type", () => {
  const seed = catalogue.filter(({ id }) => ["email-request", "priority-alert", "daily-report"].includes(id));
  expect(seed).toHaveLength(3);
  for (const { id, trigger } of seed) {
    expect(readme.text).toContain(`\`${id}\``);
    if (trigger.kind === "event") expect(readme.text).toContain(`\`${trigger.detailType}\``);
  }
});

it("shows pictures that are small", () => {
  const pictures = readme.links.filter((link) => link.endsWith(".png"));
  expect(pictures).toEqual(["docs/images/inbox-dark.png", "docs/images/inbox-light.png"]);
  for (const picture of pictures) {
    const bytes = readFileSync(join(projectRoot, picture));
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
    expect([picture, bytes.length < 150_000]).toEqual([picture, true]);
  }
});
