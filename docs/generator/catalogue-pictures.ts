import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { type Notification } from "../../handler/notifications/define";
import { sampleEvent } from "../../handler/notifications/sample";
import { findChromium } from "../../sandbox/tools/chromium";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
import { renderMail } from "../../stacks/templates/mail";
import { type Template } from "../../stacks/templates/render";

/**
 * Pictures of the notifications' mails. A browser draws the same page a little differently on each machine, so a picture
 * can't be compared with another one. Its name holds two hashes instead. The first is that of what it shows, as the name of
 * a stored template has it: a picture whose mail has changed is a file that is not there. The second is that of its own
 * bytes, so that a file that was emptied, damaged or replaced is not taken for the picture.
 */

const picturesFolder = "images/notifications";

/** How a picture is taken; sizes are in pixels of the page. What is taller than a picture is cut. */
const view = { width: 600, tallest: 1200, scale: 1.5 } as const;

/** The mail that a notification's sample makes, with a time that is always the same. */
export function sampleMail(notification: Notification, templateOf: TemplateReader = loadTemplate): Template {
  return renderMail(
    notification,
    sampleEvent(notification, { time: "2026-01-01T09:00:00Z" }),
    undefined,
    templateOf(notification),
  );
}

/** What the name of a notification's picture begins with, in the folder of the documents. */
export function pictureStem(notification: Notification, templateOf?: TemplateReader): string {
  const { html } = sampleMail(notification, templateOf);
  return `${picturesFolder}/${notification.id}-${hashOf(JSON.stringify([html, view])).slice(0, 8)}`;
}

const hashOf = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");

const pictureName = (stem: string, picture: Buffer): string => `${stem}-${hashOf(picture).slice(0, 16)}.png`;

/** The first and the last bytes of a PNG (https://www.w3.org/TR/png-3/#5DataRep). */
const png = {
  begin: Buffer.from("89504e470d0a1a0a", "hex"),
  end: Buffer.from("0000000049454e44ae426082", "hex"),
} as const;

const isWhole = (picture: Buffer): boolean =>
  picture.subarray(0, png.begin.length).equals(png.begin) && picture.subarray(-png.end.length).equals(png.end);

/** @returns the file of a notification's picture, in the folder of the documents; `undefined` where it has none. */
export function findPicture(folder: string, notification: Notification): string | undefined {
  const stem = pictureStem(notification);
  return picturesIn(folder).find((path) => {
    if (!path.startsWith(`${stem}-`)) return false;
    const picture = readFileSync(join(folder, path));
    return isWhole(picture) && path === pictureName(stem, picture);
  });
}

const picturesIn = (folder: string): string[] =>
  (existsSync(join(folder, picturesFolder)) ? readdirSync(join(folder, picturesFolder)) : []).map(
    (name) => `${picturesFolder}/${name}`,
  );

/** @returns paths of the pictures that are missing, and of the files that are none of the catalogue's. */
export function findStalePictures(folder: string, notifications: readonly Notification[]): string[] {
  const found = notifications.map((notification) => findPicture(folder, notification));
  const missing = notifications.flatMap((each, at) => (found[at] === undefined ? `${pictureStem(each)}-*.png` : []));
  return [...missing, ...picturesIn(folder).filter((path) => !found.includes(path))].map((path) => join(folder, path));
}

/**
 * Takes the pictures that are missing, and removes what is none of the catalogue's.
 * @returns why pictures are still missing, as a sentence; `undefined` where none is.
 */
export async function refreshPictures(
  folder: string,
  notifications: readonly Notification[],
  find = findChromium,
): Promise<string | undefined> {
  const stale = findStalePictures(folder, notifications);
  for (const path of stale) rmSync(path, { recursive: true, force: true });
  const missing = notifications.filter((notification) => findPicture(folder, notification) === undefined);
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
      await page.setContent(sampleMail(notification).html);
      const height = await page.evaluate<number>("document.documentElement.scrollHeight");
      const clip = { x: 0, y: 0, width: view.width, height: Math.min(height, view.tallest) };
      const picture = await page.screenshot({ clip, fullPage: true });
      const path = join(folder, pictureName(pictureStem(notification), picture));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, picture);
    }
  } finally {
    await browser.close();
  }
  return undefined;
}
