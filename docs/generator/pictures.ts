import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { awsClientConfig } from "aws-emulator/client-config";
import { Command } from "commander";
import { type Mail } from "aws-emulator";
import { type Browser, chromium } from "playwright-core";
import "aws-emulator/aws-sdk-settings";
import { seedCatalogue } from "../../handler/notifications/seed";
import { writeGallery } from "../../sandbox/preview/gallery";
import { previewsOf } from "../../sandbox/preview/previews";
import { findChromium } from "../../sandbox/tools/chromium";
import { findSandbox } from "../../stacks/sandbox-endpoint";

/**
 * `npm run docs:pictures`: takes the documents' pictures of the gallery of mails (`npm run preview`), and of the inbox, once
 * in each color scheme. The inbox's need a running sandbox (`npm start` in another terminal): some events are put there,
 * and what the inbox makes of them is photographed. They are not compared, because each browser draws a little differently.
 */

const sandbox = findSandbox(process.env);

/** A picture is loaded by everybody who opens the README, so it stays small. */
const mostBytes = 150_000;

const source = "custom.application";

/** The inbox shows the newest mail on top. The mail of the last event is opened. */
const events = [
  {
    DetailType: "Email Notification Request",
    Detail: {
      emailConfig: { recipient: "sam@example.com", subject: "Welcome to the shop" },
      title: "Welcome, Sam",
      message: "Your account is ready.",
    },
  },
  {
    DetailType: "Priority Alert",
    Detail: {
      priority: "critical",
      emailConfig: { recipient: "on-call@example.com", subject: "Checkout is failing" },
      title: "Checkout is failing",
      message: "More than one in ten checkouts failed during the last five minutes.",
    },
  },
  {
    DetailType: "Email Notification Request",
    Detail: {
      emailConfig: { recipient: ["jane@example.com", "ada@example.com"], subject: "Your order is on its way" },
      title: "Your order is on its way",
      message: "The parcel with order 10442 left our warehouse this morning.\n\nIt arrives tomorrow between 9 and 12.",
    },
  },
];
const opened = { subject: "Your order is on its way", recipient: "jane@example.com" };

async function takePictures(folder: string, { url }: { readonly url: string }): Promise<void> {
  const lookup = findChromium();
  if ("missing" in lookup) throw new Error(lookup.missing);
  const browser = await chromium.launch({
    executablePath: lookup.found.value,
    // In a container the program runs as root, and Chromium refuses to start with its own sandbox there.
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    mkdirSync(folder, { recursive: true });
    await inBothSchemes(folder, "preview", (colorScheme, path) => takePreview(browser, colorScheme, path));
    const mail = await putEvents(url);
    const address = `${url}/_sandbox/#/mail/${mail.id}`;
    await inBothSchemes(folder, "inbox", (colorScheme, path) => takePicture(browser, address, colorScheme, path));
  } finally {
    await browser.close();
  }
}

type Scheme = "light" | "dark";

async function inBothSchemes(folder: string, name: string, take: (scheme: Scheme, path: string) => Promise<void>) {
  for (const scheme of ["light", "dark"] as const) {
    const path = join(folder, `${name}-${scheme}.png`);
    await take(scheme, path);
    const { size } = statSync(path);
    console.log(`${path}: ${Math.ceil(size / 1000)} KB`);
    if (size > mostBytes) throw new Error(`${path} has ${size} bytes: make it smaller than ${mostBytes}`);
  }
}

/** Of the notifications that the project comes with, so that those of a team change no picture. */
async function takePreview(browser: Browser, colorScheme: Scheme, path: string) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme, offline: true });
  const page = await context.newPage();
  const folder = mkdtempSync(join(tmpdir(), "preview-"));
  try {
    const file = writeGallery(folder, previewsOf(seedCatalogue, undefined, folder));
    await page.goto(pathToFileURL(file).href);
    for (const region of ["Desktop", "Phone"]) {
      await page.getByRole("region", { name: region }).frameLocator("iframe").getByText("Timestamp:").waitFor();
    }
    await page.evaluate("document.fonts.ready");
    await page.screenshot({ path });
  } finally {
    rmSync(folder, { recursive: true });
    await context.close();
  }
}

/** @returns the mail that the picture shows opened. */
async function putEvents(url: string): Promise<Mail> {
  const client = new EventBridgeClient({ ...awsClientConfig(url, sandbox.region), maxAttempts: 1 });
  const busName = sandbox.names.of("event-bus");
  let last = "";
  for (const { DetailType, Detail } of events) {
    const { Entries } = await client.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: busName, Source: source, DetailType, Detail: JSON.stringify(Detail) }],
      }),
    );
    const entry = Entries?.[0];
    if (entry?.EventId === undefined) {
      throw new Error(
        `The bus ${busName} refused an event (${entry?.ErrorCode ?? "no reason"}): start the sandbox anew`,
      );
    }
    last = entry.EventId;
    await mailsOf(url, last, [Detail.emailConfig.recipient].flat().length);
  }
  const mails = await mailsOf(url, last, 2);
  const mail = mails.find(({ to, subject }) => to.includes(opened.recipient) && subject === opened.subject);
  if (mail === undefined) throw new Error(`There is no mail to ${opened.recipient}; this is a bug in ${__filename}.`);
  return mail;
}

async function mailsOf(url: string, eventId: string, count: number): Promise<Mail[]> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const response = await fetch(`${url}/_sandbox/messages`);
    const mails = ((await response.json()) as Mail[]).filter((mail) => mail.eventId === eventId);
    if (mails.length === count) return mails;
    if (Date.now() > deadline) throw new Error(`Event ${eventId} has ${mails.length} of ${count} mails after a minute`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function takePicture(browser: Browser, address: string, colorScheme: Scheme, path: string) {
  const context = await browser.newContext({
    viewport: { width: 1180, height: 640 },
    colorScheme,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  await page.goto(address);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.frameLocator("iframe").getByText("left our warehouse").waitFor();
  await page.evaluate("document.fonts.ready");
  await page.screenshot({ path });
  await context.close();
}

new Command("docs:pictures")
  .description("Takes the pictures of the gallery of mails, and of the inbox of a running sandbox.")
  .argument("[folder]", "where they go", "docs/images")
  .option("--url <address>", "the sandbox's address", sandbox.endpoint)
  .action(takePictures)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
