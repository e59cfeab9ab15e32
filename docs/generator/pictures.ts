import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { awsClientConfig } from "aws-emulator/client-config";
import { Command } from "commander";
import { type Mail } from "aws-emulator";
import { type Browser, chromium } from "playwright-core";
import "aws-emulator/aws-sdk-settings";
import { findChromium } from "../../sandbox/tools/chromium";
import { findSandbox } from "../../stacks/sandbox-endpoint";

/**
 * `npm run docs:pictures`: takes the README's pictures of the inbox, once in each color scheme. It needs a running
 * sandbox (`npm start` in another terminal), puts some events there, and photographs what the inbox makes of them.
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
  const mail = await putEvents(url);
  const browser = await chromium.launch({
    executablePath: lookup.found.value,
    // In a container the program runs as root, and Chromium refuses to start with its own sandbox there.
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    mkdirSync(folder, { recursive: true });
    for (const colorScheme of ["light", "dark"] as const) {
      const path = join(folder, `inbox-${colorScheme}.png`);
      await takePicture(browser, `${url}/_sandbox/#/mail/${mail.id}`, colorScheme, path);
      const { size } = statSync(path);
      console.log(`${path}: ${Math.ceil(size / 1000)} KB`);
      if (size > mostBytes) throw new Error(`${path} has ${size} bytes: make it smaller than ${mostBytes}`);
    }
  } finally {
    await browser.close();
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

async function takePicture(browser: Browser, address: string, colorScheme: "light" | "dark", path: string) {
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
  .description("Takes the README's pictures of the inbox of a running sandbox.")
  .argument("[folder]", "where they go", "docs/images")
  .option("--url <address>", "the sandbox's address", sandbox.endpoint)
  .action(takePictures)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
