import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { type Gateway, inboxDirectory, startGateway } from "aws-emulator";
import "aws-emulator/aws-sdk-settings";
import { findChromium } from "../sandbox/tools/chromium";
import { exampleAccountId } from "../stacks/stages";

/**
 * `npm run bench:inbox` opens an inbox page with many mails and an empty one in turn, and prints the medians and their
 * ratios. The ratios show whether the page's work grows with the number of mails. The times depend on the machine.
 *
 *   --mails <n>    number of mails (default 5000)
 *   --rounds <n>   how often each page is opened (default 7)
 */

interface Figures {
  /** Time until the list shows its first row, or says that it is empty, in milliseconds. */
  readonly firstRowMs: number;
  readonly heapMb: number;
  readonly elements: number;
  /** Size of everything that the gateway sent for the page, except the event stream. */
  readonly kilobytes: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { mails: { type: "string", default: "5000" }, rounds: { type: "string", default: "7" } },
  });
  const lookup = findChromium();
  if ("missing" in lookup) throw new Error(lookup.missing);
  const browser = await chromium.launch({
    executablePath: lookup.found.value,
    args: ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"],
  });
  const [empty, full] = [await openGateway(0), await openGateway(Number(values.mails))];
  const figures = { empty: [] as Figures[], full: [] as Figures[] };
  try {
    // The first page that a browser opens is slower than all later ones, so it is not measured.
    await visit(browser, empty);
    for (let round = 0; round < Number(values.rounds); round += 1) {
      figures.empty.push(await visit(browser, empty));
      figures.full.push(await visit(browser, full));
    }
  } finally {
    await browser.close();
    await empty.close();
    await full.close();
  }
  const line = (name: string, of: keyof Figures, unit: string) => {
    const [before, after] = [figures.empty, figures.full].map((all) => median(all.map((each) => each[of])));
    const ratio = ((after ?? 0) / (before ?? 1)).toFixed(1);
    console.log(`${name.padEnd(16)} empty ${show(before)} ${unit}, full ${show(after)} ${unit}: ${ratio} times`);
  };
  console.log(`${values.mails} mails and their events against none, medians of ${values.rounds} rounds:`);
  line("first row", "firstRowMs", "ms");
  line("JavaScript heap", "heapMb", "MB");
  line("elements", "elements", "");
  line("transferred", "kilobytes", "KB");
}

/** Starts a gateway without moto, which the inbox does not need, and adds mails like those of the deployed system. */
async function openGateway(mails: number): Promise<Gateway> {
  const gateway = await startGateway({
    port: 0,
    motoSocket: "/no/moto.sock",
    region: "us-east-1",
    accountId: exampleAccountId,
    workDirectory: join(tmpdir(), "bench-inbox"),
    retryDelaysMs: [1000],
    assetsDirectory: inboxDirectory,
  });
  for (let index = 0; index < mails; index += 1) addMail(gateway, index);
  return gateway;
}

function addMail({ journal }: Gateway, index: number): void {
  const id = `event-${index}`;
  const to = `reader-${index}@example.com`;
  const subject = `Your order ${index} is on its way`;
  const message = "We handed it to the carrier this morning. It should be with you on Thursday. ".repeat(5);
  const time = new Date().toISOString();
  const event = journal.addEvent("bus", {
    version: "0",
    id,
    "detail-type": "Email Notification Request",
    source: "custom.application",
    account: exampleAccountId,
    time,
    region: "us-east-1",
    resources: [],
    detail: { emailConfig: { recipient: to, subject }, title: subject, message },
  });
  const targetArn = `arn:aws:lambda:us-east-1:${exampleAccountId}:function:email-processor`;
  const delivery = journal.addDelivery(event, { rule: "email", bus: "bus", targetId: "fn", targetArn, kind: "lambda" });
  journal.endAttempt(delivery, journal.startAttempt(delivery, `request-${index}`), { status: "success" });
  delivery.status = "delivered";
  journal.changed(delivery);
  journal.addMail({
    id: `mail-${index}`,
    time,
    from: "notifications@example.com",
    to: [to],
    cc: [],
    bcc: [],
    subject,
    html: `<html><body><h1>${subject}</h1><p>${message}</p></body></html>`,
    text: `${subject}\n\n${message}`,
    template: "email-request",
    configurationSet: "notifications",
    templateData: { title: subject, message },
    tags: { notification: "email-request", eventId: id },
    headers: [{ name: "Subject", value: subject }],
    eventId: id,
  });
}

/** Selects a filled row, or the text that an empty list shows. */
const shown = "#mail-list .row .title, #list-note:not([hidden])";

/** Script that notes the time of the first row on the page's own clock, which starts when its address is opened. */
const noteFirstRow = `new MutationObserver((_, observer) => {
  if (document.querySelector(${JSON.stringify(shown)}) === null) return;
  window.firstRowMs = performance.now();
  observer.disconnect();
}).observe(document, { attributes: true, childList: true, subtree: true })`;

async function visit(browser: Browser, gateway: Gateway): Promise<Figures> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    let bytes = 0;
    page.on("response", (response) => {
      if (response.url().includes("/stream")) return;
      response.body().then(
        (body) => (bytes += body.length),
        () => undefined,
      );
    });
    await page.addInitScript(noteFirstRow);
    await page.goto(`${gateway.url}/_sandbox/`);
    await page.locator(shown).first().waitFor();
    const firstRowMs = await page.evaluate<number>("window.firstRowMs");
    const [heap, elements] = await page.evaluate<[number, number]>(
      `[performance.memory.usedJSHeapSize, document.querySelectorAll("*").length]`,
    );
    return { firstRowMs, heapMb: heap / 1_048_576, elements, kilobytes: bytes / 1024 };
  } finally {
    await context.close();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

const show = (value = 0) => value.toFixed(value < 10 ? 1 : 0);

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
