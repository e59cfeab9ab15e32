import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { type Notification } from "../../handler/notifications/define";
import { sampleEvent } from "../../handler/notifications/sample";
import { findChromium } from "../../sandbox/tools/chromium";
import { loadTemplate, renderTemplate, type Template, type TemplateReader } from "../../stacks/templates";

/**
 * Pictures of the notifications' mails. A browser draws the same page a little differently on each machine, so the bytes
 * of a picture can't be compared. Its name holds the hash of what it shows instead, as the name of a stored template
 * does: a picture whose mail has changed is a file that is not there.
 */

const picturesFolder = "images/notifications";

/** How a picture is taken; sizes are in pixels of the page. What is taller than a picture is cut. */
const view = { width: 600, tallest: 1200, scale: 1.5 } as const;

/** The mail that a notification's sample makes, with a time that is always the same. */
export function sampleMail(notification: Notification, templateOf: TemplateReader = loadTemplate): Template {
  const { templateData } = notification.prepare(sampleEvent(notification, { time: "2026-01-01T09:00:00Z" }));
  return renderTemplate(templateOf(notification), templateData);
}

/** The file of a notification's picture, in the folder of the documents. */
export function pictureOf(notification: Notification, templateOf?: TemplateReader): string {
  const { html } = sampleMail(notification, templateOf);
  const hash = createHash("sha256")
    .update(JSON.stringify([html, view]))
    .digest("hex")
    .slice(0, 8);
  return `${picturesFolder}/${notification.id}-${hash}.png`;
}

/** @returns paths of the pictures that are missing, and of those that show a mail that is no longer. */
export function findStalePictures(folder: string, notifications: readonly Notification[]): string[] {
  const wanted = notifications.map((notification) => join(folder, pictureOf(notification)));
  const there = existsSync(join(folder, picturesFolder)) ? readdirSync(join(folder, picturesFolder)) : [];
  const left = there.map((name) => join(folder, picturesFolder, name)).filter((path) => !wanted.includes(path));
  return [...wanted.filter((path) => !existsSync(path)), ...left];
}

/**
 * Takes the pictures that are missing, and removes those that show a mail that is no longer.
 * @returns why pictures are still missing, as a sentence; `undefined` where none is.
 */
export async function refreshPictures(
  folder: string,
  notifications: readonly Notification[],
  find = findChromium,
): Promise<string | undefined> {
  const stale = findStalePictures(folder, notifications);
  for (const path of stale.filter((each) => existsSync(each))) rmSync(path);
  const missing = notifications.filter((notification) => stale.includes(join(folder, pictureOf(notification))));
  if (missing.length === 0) return undefined;
  const lookup = find();
  if ("missing" in lookup) {
    return `The pictures of ${missing.map(({ id }) => id).join(", ")} are missing. ${lookup.missing} Then run \`npm run docs\` again.`;
  }
  const browser = await chromium.launch({
    executablePath: lookup.found.value,
    // In a container the program runs as root, and Chromium refuses to start with its own sandbox there.
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    const context = await browser.newContext({
      viewport: { width: view.width, height: 1 },
      deviceScaleFactor: view.scale,
      // A picture of a mail loads nothing from elsewhere.
      offline: true,
    });
    const page = await context.newPage();
    for (const notification of missing) {
      const path = join(folder, pictureOf(notification));
      mkdirSync(dirname(path), { recursive: true });
      await page.setContent(sampleMail(notification).html);
      const height = await page.evaluate<number>("document.documentElement.scrollHeight");
      const clip = { x: 0, y: 0, width: view.width, height: Math.min(height, view.tallest) };
      await page.screenshot({ path, clip, fullPage: true });
    }
  } finally {
    await browser.close();
  }
  return undefined;
}
