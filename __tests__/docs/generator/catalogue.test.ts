import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { catalogueDocument } from "../../../docs/generator/catalogue-document";
import {
  findPicture,
  findStalePictures,
  pictureStem,
  refreshPictures,
} from "../../../docs/generator/catalogue-pictures";
import { emailRequest } from "../../../handler/notifications/email-request";
import { type EventTrigger } from "../../../handler/notifications/define";
import { patternOf, routeOf } from "../../../handler/notifications/patterns";
import { producerSchema } from "../../../handler/notifications/producer-schema";
import { sampleEvent } from "../../../handler/notifications/sample";
import { seedCatalogue } from "../../../handler/notifications/seed";
import { loadTemplate } from "../../../stacks/templates/load";
import { readMarkdown } from "../../support/documents";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const folder = temporaryFolder();
const document = catalogueDocument(seedCatalogue, folder);

/** The blocks of code of a notification's section. */
function blocksOf(id: string): string[] {
  const section = document.split(`\n## ${id}\n`)[1]?.split("\n## ")[0] ?? "";
  return readMarkdown("x.md", section).code.filter((text) => text.includes("\n"));
}

describe("docs/catalogue.md", () => {
  it("lists every notification, and has a section of each", () => {
    expect(readMarkdown("x.md", document).anchors.slice(1)).toEqual(seedCatalogue.map(({ id }) => id));
    for (const { id, description, ruleName } of seedCatalogue) {
      expect(document).toContain(`[${id}](#${id})`);
      expect(document).toContain(description);
      expect(document).toContain(`\`${ruleName}\``);
    }
  });

  it.each(seedCatalogue.map((notification) => [notification.id, notification] as const))(
    "has the JSON Schema of %s",
    (id, notification) => {
      const schemas = blocksOf(id).filter((text) => text.includes('"$schema"'));
      expect(schemas.map((text) => JSON.parse(text) as unknown)).toEqual([producerSchema(notification)]);
    },
  );

  const onEvents = seedCatalogue.flatMap((notification) =>
    notification.trigger.kind === "event" ? [[notification.id, notification, notification.trigger] as const] : [],
  );

  it.each<[string, (typeof seedCatalogue)[number], EventTrigger]>(onEvents.map(([...each]) => each))(
    "has the pattern of %s, and a command with a sample that the pattern takes and that makes a mail",
    (id, notification, trigger) => {
      const blocks = blocksOf(id);
      expect(blocks.map(parsed)).toContainEqual(patternOf(trigger));
      const command = blocks.find((text) => text.startsWith("aws events put-events")) ?? "";
      // A shell reads the command as a person's would.
      const script = `aws() { for word in "$@"; do printf '%s\\0' "$word"; done; }; ${command}`;
      const [service, verb, option, text = ""] = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0");
      expect([service, verb, option]).toEqual(["events", "put-events", "--entries"]);
      const [entry, ...others] = JSON.parse(text) as PutEventsRequestEntry[];
      expect(others).toEqual([]);
      expect(entry).toMatchObject({
        EventBusName: "email-automation-sandbox-event-bus",
        Source: trigger.source,
        DetailType: trigger.detailType,
      });
      const detail = JSON.parse(entry?.Detail ?? "") as Record<string, unknown>;
      expect(routeOf(trigger, detail)).toBe("mailed");
      expect(notification.prepare(sampleEvent(notification, { detail })).recipients).toEqual([
        "success@simulator.amazonses.com",
      ]);
    },
  );

  it("says what fires a schedule, and what is left out on purpose", () => {
    expect(blocksOf("daily-report")[0]).toBe(
      "curl -X POST http://127.0.0.1:4566/_sandbox/fire/email-automation-sandbox-daily-report\n",
    );
    expect(document).toContain("`cron(0 9 * * ? *)`");
    expect(blocksOf("priority-alert").map(parsed)).toContainEqual(
      expect.objectContaining({ detail: { priority: ["low"] } }),
    );
  });

  it("stays readable, whatever a team's notification says", () => {
    const odd = {
      ...emailRequest,
      description: "Mails a | b\nand more.",
      sample: {
        emailConfig: { recipient: "success@simulator.amazonses.com", subject: "It's `odd`" },
        message: "It's ```code```",
      },
    };
    const text = catalogueDocument([odd], folder);
    const { anchors, code } = readMarkdown("x.md", text);
    expect(anchors).toHaveLength(2);
    expect(text).toContain("Mails a \\| b and more.");
    expect(code).toContain("It's `odd`");
    expect(code.find((each) => each.startsWith("aws events"))).toContain("It'\\''s ```code```");
  });
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe("the pictures of the catalogue", () => {
  const stem = pictureStem(emailRequest);
  // The least that is a whole PNG.
  const picture = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=",
    "base64",
  );
  const nameOf = (bytes: Buffer) => `${stem}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.png`;
  const named = nameOf(picture);
  const withPicture = (content: Buffer = picture, name = named) => {
    const there = temporaryFolder();
    mkdirSync(dirname(join(there, name)), { recursive: true });
    writeFileSync(join(there, name), content);
    return there;
  };
  const template = loadTemplate(emailRequest);
  const { html, text } = template;

  it.each<[string, string]>([
    ["the template", pictureStem(emailRequest, () => ({ ...template, html: html.replace("<td", "<td title='x'") }))],
    [
      "the sample",
      pictureStem({ ...emailRequest, sample: { ...(emailRequest.sample as object), title: "Something else" } }),
    ],
  ])("have another name where %s changes", (_, other) => {
    expect(stem).toMatch(/^images\/notifications\/email-request-[0-9a-f]{8}$/);
    expect(other).not.toBe(stem);
  });

  it("keep their name where only the text body changes", () => {
    expect(pictureStem(emailRequest, () => ({ ...template, text: `${text}!` }))).toBe(stem);
  });

  it("are missed, and those of other mails are left over", () => {
    const missing = join(temporaryFolder(), `${stem}-*.png`);
    expect(findStalePictures(dirname(dirname(dirname(missing))), [emailRequest])).toEqual([missing]);
    const there = withPicture();
    expect(findStalePictures(there, [emailRequest])).toEqual([]);
    writeFiles(there, { "images/notifications/email-request-00000000.png": "" });
    expect(findStalePictures(there, [emailRequest])).toEqual([
      join(there, "images/notifications/email-request-00000000.png"),
    ]);
  });

  const cut = picture.subarray(0, -1);
  const other = Buffer.concat([picture.subarray(0, -12), Buffer.from("another"), picture.subarray(-12)]);
  it.each<[string, Buffer, string]>([
    ["emptied", Buffer.alloc(0), named],
    ["emptied, and called so", Buffer.alloc(0), nameOf(Buffer.alloc(0))],
    ["another file", Buffer.from("<html>"), nameOf(Buffer.from("<html>"))],
    ["cut", cut, nameOf(cut)],
    ["another picture", other, named],
    ["without the hash of its bytes", picture, `${stem}.png`],
  ])("are stale where one is %s, and are taken again", async (_, content, name) => {
    const there = withPicture(content, name);
    expect(findPicture(there, emailRequest)).toBeUndefined();
    expect(findStalePictures(there, [emailRequest])).toEqual([join(there, `${stem}-*.png`), join(there, name)]);
    const answer = await refreshPictures(there, [emailRequest], () => ({ missing: "Chromium is missing." }));
    expect(answer).toContain("The pictures of email-request are missing.");
    expect(existsSync(join(there, name))).toBe(false);
  });

  it("are shown where they are there", () => {
    expect(catalogueDocument([emailRequest], temporaryFolder())).toContain("There is no picture yet");
    expect(catalogueDocument([emailRequest], withPicture())).toContain(`src="${named}"`);
  });

  it("are asked for where there is no browser, and those of other mails go", async () => {
    const there = temporaryFolder();
    const left = join(there, "images/notifications/gone-00000000.png");
    writeFiles(there, { "images/notifications/gone-00000000.png": "" });
    const answer = await refreshPictures(there, [emailRequest], () => ({
      missing: "Chromium is missing: install it.",
    }));
    expect(answer).toBe(
      "The pictures of email-request are missing. Chromium is missing: install it. Then run `npm run docs` again.",
    );
    expect(existsSync(left)).toBe(false);
  });

  it("are not taken again where they are there", async () => {
    const there = withPicture();
    const find = () => {
      throw new Error("No browser is needed");
    };
    expect(await refreshPictures(there, [emailRequest], find)).toBeUndefined();
    expect(readFileSync(join(there, named))).toEqual(picture);
  });
});
