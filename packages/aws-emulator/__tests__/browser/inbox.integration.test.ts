import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { type Browser, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import { Journal } from "../../src/gateway/journal";
import { temporaryFolder, writeFiles } from "../support/temporary";
import { describeWithChromium, eventually, launchChromium, violations } from "../support/browser";
import { type FakeGateway, startFakeGateway } from "../support/fake-gateway";
import {
  addEvent,
  BUS,
  busEvent,
  type Contents,
  contents,
  DLQ_ARN,
  fill,
  IDS,
  mail,
  toFunction,
} from "../support/inbox-fixtures";

const NARROW = { width: 360, height: 740 };

describeWithChromium("the inbox page", () => {
  let browser: Browser;
  let gateway: FakeGateway;
  /** What is in the sandbox when the page is visited. */
  let shown: Contents;
  let page: Page;
  /** What the browser complained about; a test that provokes complaints empties it. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    shown = contents();
    gateway = await startFakeGateway(shown.info);
    complaints = [];
  });
  afterEach(async () => {
    await page.context().close();
    await gateway.close();
    expect(complaints).toEqual([]);
  });

  async function visit(hash = "", options: BrowserContextOptions = {}): Promise<void> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
      ...options,
    });
    fill(gateway.journal, shown);
    page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (/^https?:/.test(request.url()) && !request.url().startsWith(gateway.url)) complaints.push(request.url());
    });
    await page.goto(gateway.url + hash);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator("#reader > *").waitFor({ state: "attached" });
  }

  const list = () => page.getByRole("listbox");
  const option = (name: string | RegExp) => list().getByRole("option", { name });
  const reader = () => page.getByRole("region", { name: "Reading pane" });
  const title = () => reader().getByRole("heading", { level: 2 });
  const tab = (name: string) => reader().getByRole("tab", { name });
  const frame = () => page.frameLocator("iframe");
  const clipboard = () => page.evaluate<string>("navigator.clipboard.readText()");
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Waits until the text of an element contains every part. */
  const shows = (locator: Locator, ...parts: readonly string[]) =>
    eventually(async () => {
      const text = await locator.innerText();
      return parts.filter((part) => !text.includes(part)).map((part) => ({ missing: part, text }));
    }, []);
  const focused = (locator: Locator) => locator.and(page.locator(":focus")).waitFor();
  const sidewaysOverflow = (selector: string) =>
    page.evaluate<number>(
      `(element => element.scrollWidth - element.clientWidth)(document.querySelector("${selector}"))`,
    );

  describe("mail", () => {
    it("lists mails with their people, subject, notification and age", async () => {
      await visit();
      await eventually(() => list().getByRole("option").count(), 5);
      await shows(
        list().getByRole("option").first(),
        "oncall@acme.example",
        "from Acme Orders",
        "Priority alert",
        "priority-alert",
        "2 min",
        "38 of the last 50 charges timed out",
      );
    });

    it("shows a mail's envelope, its HTML and its text", async () => {
      await visit();
      await option(/order 10442/).click();
      await eventually(() => title().innerText(), "Your order 10442 is on its way");
      await shows(
        reader().locator(".envelope"),
        "Acme Orders <notifications@acme.example>",
        "Ada Lovelace <ada@lovelace.example>, charles@babbage.example",
      );
      await frame().getByRole("heading", { name: "Your order is on its way" }).waitFor();
      await tab("Text").click();
      await reader().getByText("We should").waitFor({ state: "hidden" });
      await shows(reader().getByRole("tabpanel"), "Hello Ada, we handed your order 10442");
    });

    it("shows headers, tags and template data as the source", async () => {
      await visit(`#/mail/${IDS.priority}`);
      await tab("Source").click();
      await shows(
        reader().getByRole("tabpanel"),
        "X-SES-CONFIGURATION-SET",
        "notification: priority-alert",
        '"title": "Payment gateway is timing out"',
      );
    });

    it("shows the event that caused a mail, its rule and attempts, and leads to it", async () => {
      await visit(`#/mail/${IDS.priority}`);
      await tab("Event").click();
      const panel = reader().getByRole("tabpanel");
      await shows(
        panel,
        "acme-orders-sandbox-priority-alert",
        "2 attempts",
        "Waited 0.5 s, on AWS about 1 minute",
        '"detail-type": "Priority Alert"',
      );
      await panel.getByRole("link", { name: "Show in Events" }).click();
      await eventually(() => title().innerText(), "Priority Alert");
      await reader()
        .getByRole("link", { name: /Priority alert: payment/ })
        .waitFor();
      await focused(title());
    });

    it("says so when no event is known to have caused a mail", async () => {
      await visit(`#/mail/${IDS.markup}`);
      await tab("Event").click();
      await reader().getByText("something called SES directly").waitFor();
    });

    it("shows a mail that SES could not render as never sent, with the reason", async () => {
      await visit();
      await option(/Never sent/).click();
      await title().waitFor();
      await shows(reader(), "Never sent.", "Attribute 'firstName' is not present in the rendering data.");
      await eventually(() => reader().getByRole("link", { name: "Download as .eml" }).count(), 0);
    });

    it("shows a mail as wide as a phone, and the next one too", async () => {
      await visit(`#/mail/${IDS.welcome}`);
      const width = async () => (await page.locator("iframe").boundingBox())?.width ?? 0;
      await eventually(async () => (await width()) > 700, true);
      await reader().getByRole("button", { name: "Phone, 375 px" }).click();
      await eventually(width, 375);
      await option(/Daily report/).click();
      await frame().getByRole("heading", { name: "Daily report" }).waitFor();
      await eventually(width, 375);
      await reader().getByRole("button", { name: "Full width" }).click();
      await eventually(async () => (await width()) > 700, true);
    });

    it("shows the raw message, which is asked for when it is looked at", async () => {
      await visit(`#/mail/${IDS.welcome}`);
      await frame().getByRole("heading", { name: "Your order is on its way" }).waitFor();
      expect(gateway.requests.filter((path) => path.endsWith(".eml"))).toEqual([]);
      await press("5");
      await shows(reader().getByRole("region", { name: "The raw message" }), "Subject: Your order 10442 is on its way");
      await option(/Never sent/).click();
      await shows(reader().getByRole("tabpanel"), "Nothing was rendered.");
    });

    it("downloads a mail as .eml", async () => {
      await visit(`#/mail/${IDS.welcome}`);
      const started = page.waitForEvent("download");
      await reader().getByRole("link", { name: "Download as .eml" }).click();
      const download = await started;
      expect(download.suggestedFilename()).toBe(`${IDS.welcome}.eml`);
      expect(readFileSync(await download.path(), "utf8")).toContain("Subject: Your order 10442 is on its way");
    });

    it("counts unread mails in the title, and remembers what was read for this run of the sandbox only", async () => {
      await visit();
      await eventually(() => page.title(), "(5) Sandbox inbox");
      await option(/order 10442/).click();
      await eventually(() => page.title(), "(4) Sandbox inbox");
      await page.goto(gateway.url);
      await eventually(() => page.title(), "(4) Sandbox inbox");
      gateway.info = { ...gateway.info, startedAt: new Date().toISOString() };
      await page.reload();
      await eventually(() => page.title(), "(5) Sandbox inbox");
    });

    it("filters by subject, recipient and event type", async () => {
      await visit();
      const search = page.getByRole("searchbox");
      await search.fill("10442");
      await eventually(() => list().getByRole("option").count(), 1);
      await search.fill("GRACE+orders");
      await eventually(() => list().getByRole("option").count(), 1);
      await search.fill("scheduled event");
      await option(/Daily report/).waitFor();
      await search.fill("nothing like this");
      await page.getByText("Nothing matches “nothing like this”.").waitFor();
    });
  });

  describe("what strangers write", () => {
    it("shows markup in a subject as text, in the list and in the reading pane", async () => {
      await visit();
      await option("Answer from <b>Support</b> & a question").click();
      await eventually(() => title().innerText(), "Answer from <b>Support</b> & a question");
      await eventually(() => page.locator("#mail-list b, #reader b").count(), 0);
    });

    it("shows markup in an error message, an address and an event as text", async () => {
      const evil = '<img src="x" onerror="document.title = 1">';
      shown.messages.unshift(
        mail({ id: "evil", minutes: 0, to: [evil], subject: evil, title: "", message: "", from: evil }),
      );
      shown.activity.unshift(
        busEvent({
          id: "evil/../event",
          minutes: 0,
          detailType: evil,
          detail: { title: evil },
          deliveries: [
            toFunction(evil, {
              status: "failed",
              attempts: [
                {
                  number: 1,
                  startedAt: "not a time",
                  endedAt: "",
                  status: "error",
                  errorType: evil,
                  errorMessage: evil,
                },
              ],
              deadLetter: { destinationArn: "arn:aws:sqs:us-east-1:1:q; rm -rf 'x'", reason: evil },
            }),
          ],
          records: [{ queueArn: "arn:aws:sqs:us-east-1:1:q; rm -rf 'x'", reason: evil }],
        }),
      );
      await visit("#/mail/evil");
      await tab("Source").click();
      await press("g", "e", "Home", "Enter");
      await eventually(() => title().innerText(), evil);
      await eventually(() => page.locator("img").count(), 0);
      // A copied command must do what it says, whatever the queue is called.
      await shows(reader().locator(".command").last(), `/1/q; rm -rf '\\''x'\\'''`);
    });

    describe("in a mail's HTML", () => {
      let outside: Server;
      let hits: string[];

      beforeEach(async () => {
        hits = [];
        outside = createServer((request, response) => {
          hits.push(`${request.url ?? ""} from ${request.headers.referer ?? "nowhere"}`);
          response.writeHead(200, { "content-type": "text/html" }).end("<title>outside</title>");
        });
        await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
        const base = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
        shown.messages.unshift({
          ...mail({ id: "hostile", minutes: 0, to: ["you@example.com"], subject: "Hostile", title: "", message: "" }),
          html: `<html><head><base href="${base}/base/"><meta http-equiv="refresh" content="0;url=${base}/refresh">
            <link rel="stylesheet" href="${base}/style.css"><style>@import "${base}/import.css"; p { background: url(${base}/background.png) }</style>
            </head><body onload="document.body.append('RAN')">
            <script>document.body.append("RAN"); parent.document.title = "RAN"; fetch("${base}/fetch")</script>
            <script src="${base}/script.js"></script>
            <img src="${base}/pixel.png" onerror="document.body.append('RAN')"><img src="/_sandbox/messages">
            <iframe src="${base}/frame"></iframe>
            <p>The mail itself.</p>
            <form action="${base}/form"><button>Send it</button></form>
            <a href="${base}/link">A link</a>
          </body></html>`,
        });
      });
      afterEach(async () => {
        outside.closeAllConnections();
        await new Promise((resolve) => outside.close(resolve));
      });

      it.each([
        ["", undefined],
        [", even if the page itself were allowed to", "default-src * 'unsafe-inline'"],
      ])("runs no script, sends no form and fetches nothing%s", async (_, policy) => {
        gateway.policy = policy ?? gateway.policy;
        await visit("#/mail/hostile");
        await frame().getByText("The mail itself.").waitFor();
        // The browser saying what it refused is the sign that it got that far.
        await eventually(() => complaints.some((text) => text.includes("/pixel.png")), true);
        await frame().getByRole("button", { name: "Send it" }).click();
        await eventually(() => complaints.some((text) => text.includes("/form")), true);
        await eventually(() => frame().locator("body").innerText(), expect.not.stringContaining("RAN"));
        await eventually(() => page.title(), expect.not.stringContaining("RAN"));
        expect(hits).toEqual([]);
        await eventually(
          () => page.locator("iframe").getAttribute("sandbox"),
          expect.not.stringMatching(/allow-(?:scripts|same-origin|forms|top)/),
        );
        await reader().getByText("Remote images and styles are not loaded here.").waitFor();
        complaints = [];
      });

      it("opens a link in a tab of its own that knows nothing of this page", async () => {
        await visit("#/mail/hostile");
        const opened = page.context().waitForEvent("page");
        await frame().getByRole("link", { name: "A link" }).click();
        const other = await opened;
        await other.waitForLoadState();
        expect(await other.evaluate("opener")).toBeNull();
        expect(hits[0]).toBe("/link from nowhere");
        expect(page.url()).toBe(`${gateway.url}#/mail/hostile`);
        complaints = [];
      });
    });
  });

  describe("events", () => {
    it("counts the failed ones, and says of each what became of it", async () => {
      await visit();
      await page.getByRole("link", { name: "Events 2 failed" }).click();
      await option(/Priority Alert Retry 1 of 2 in 0\.5 s, on AWS about 1 minute/).waitFor();
      await option(/Priority Alert Delivered by acme-orders-sandbox-priority-alert/).waitFor();
      await option(
        /Email Notification Request Parked: InvalidEventError: .*"not an address" is no email address/,
      ).waitFor();
      await option(/Order Placed No rule matched; nearest: acme-orders-sandbox-email-request/).waitFor();
    });

    it("tells bad news of SES and of a failed invocation by what they say, whoever took them", async () => {
      await visit("#/events");
      await option(/Email Bounced Bounced: charles@babbage.example: smtp; 550 5\.1\.1 user unknown/).click();
      await reader().getByText("Bounced. charles@babbage.example: smtp; 550").waitFor();
      await reader().getByRole("link", { name: "The event behind it" }).click();
      await eventually(() => title().innerText(), "Email Notification Request");
      await reader()
        .getByRole("link", { name: /Email Bounced Bounced: charles/ })
        .waitFor();
      await option(/Invocation Result - Failure Failure record: InvalidEventError/).click();
      await reader().getByText("Failure record. InvalidEventError: the recipient is no email address").waitFor();
    });

    it("lists what belongs to an event below it, news too", async () => {
      await visit("#/events");
      const below = "Belongs to the event above:";
      const names = async () => {
        const texts = await list().getByRole("option").allInnerTexts();
        return texts.map((text) => text.replace(`${below}\n`, below).split("\n")[0]);
      };
      await eventually(names, [
        "Priority Alert",
        "Priority Alert",
        "Email Notification Request",
        `${below}Email Sent`,
        `${below}Email Bounced`,
        "Email Notification Request",
        `${below}Lambda Function Invocation Result - Failure`,
        "Order Placed",
        "Scheduled Event",
      ]);
      addEvent(
        gateway.journal,
        busEvent({
          id: "complaint",
          minutes: 0,
          source: "aws.ses",
          detailType: "Email Complaint Received",
          detail: { eventType: "Complaint", mail: { messageId: IDS.welcome }, complaint: {} },
        }),
      );
      await eventually(async () => (await names())[5], `${below}Email Complaint Received`);
      await page.getByRole("link", { name: "Events 3 failed" }).waitFor();
    });

    it("filters by failed, business and SES, together with the search, and follows news", async () => {
      await visit("#/events");
      const count = (filter: string) => async () => {
        await page.getByRole("button", { name: filter, exact: true }).click();
        return list().getByRole("option").count();
      };
      await eventually(() => list().getByRole("option").count(), 9);
      await page.getByRole("button", { name: "Failed", exact: true }).click();
      await eventually(() => list().getByRole("option").count(), 2);
      await eventually(
        () => page.getByRole("button", { name: "Failed", exact: true }).getAttribute("aria-pressed"),
        "true",
      );
      await page.getByRole("searchbox").fill("bounce");
      await eventually(() => list().getByRole("option").count(), 1);
      await page.getByRole("searchbox").fill("");
      await eventually(count("Business"), 6);
      await eventually(count("SES"), 2);
      gateway.journal.addRecord(IDS.welcomeEvent, { queueArn: DLQ_ARN, reason: "late" });
      await eventually(count("Failed"), 3);
      await eventually(count("All"), 9);
      // Mails have none of it.
      await page.getByRole("link", { name: /^Mail/ }).click();
      await option(/order 10442/).waitFor();
      await eventually(() => page.getByRole("group", { name: "Show" }).isVisible(), false);
    });

    it("names the nearest rule of an event that none matched, and the field that differs", async () => {
      await visit(`#/events/${IDS.unmatchedEvent}`);
      await shows(
        reader(),
        "acme-orders-sandbox-email-request, of which 0 of 2 fields match: ",
        'source has to be "custom.application", and is "shop.checkout".',
      );
    });

    it("shows a failed event's attempts, reason and record, and the line that reads it", async () => {
      await visit(`#/events/${IDS.failedEvent}`);
      await shows(
        reader(),
        'Parked. InvalidEventError: detail.emailConfig.recipient: "not an address" is no email address',
        "Given up after 3 attempts.",
        DLQ_ARN,
        "Lambda Function Invocation Result - Failure",
      );
      await shows(reader().getByRole("list", { name: "Attempts" }), "Attempt 3 failed after 19 ms");
      await reader().getByRole("button", { name: "Copy the receive-message command" }).click();
      await reader().getByText("Copied").waitFor();
      expect((await clipboard()).replace(/\\\n\s*/g, "")).toBe(
        "aws sqs receive-message --endpoint-url http://127.0.0.1:4566 --region us-east-1 " +
          "--queue-url http://127.0.0.1:4566/123456789012/acme-orders-sandbox-dead-letters " +
          "--max-number-of-messages 10 --visibility-timeout 0 --attribute-names All --message-attribute-names All",
      );
    });

    it("ends a failed event with where its record lies, the command, and a button that does it", async () => {
      const asked: string[] = [];
      gateway.redrive = (eventId) => {
        asked.push(eventId);
        return Promise.resolve({ ok: true, output: "1 of 1 redriven <b>now</b>\n" });
      };
      await visit(`#/events/${IDS.failedEvent}`);
      await shows(
        reader(),
        "Parked in acme-orders-sandbox-dead-letters",
        "The queue keeps it until ",
        `npm run redrive -- ${IDS.failedEvent}`,
      );
      const button = reader().getByRole("button", { name: "Redrive", exact: true });
      await button.click();
      await reader().getByText("1 of 1 redriven <b>now</b>").waitFor();
      await page.getByRole("log").getByText("The redrive is done").waitFor();
      expect(asked).toEqual([IDS.failedEvent]);
      // The record moved meanwhile: the gateway says so, and the page shows it.
      inRetryQueue();
      await reader().getByText("Redriven to acme-orders-sandbox-retries").waitFor();
      await eventually(() => button.count(), 0);
    });

    it("says why a redrive failed", async () => {
      gateway.redrive = () => Promise.reject(new Error("no such command"));
      await visit(`#/events/${IDS.failedEvent}`);
      await reader().getByRole("button", { name: "Redrive", exact: true }).click();
      await reader().getByText("no such command").waitFor();
      await page.getByRole("log").getByText("The redrive failed").waitFor();
      complaints = complaints.filter((text) => !text.includes("500"));
    });

    it("offers what helps where a redrive does not, and no button", async () => {
      const asked: string[] = [];
      gateway.adviceFor = (...about) => {
        asked.push(about.join(" of "));
        return {
          text: "No redrive helps <b>yet</b>.",
          isCorrectable: true,
          redrive: { when: "Once it is taken:", command: "npm run redrive -- --really" },
        };
      };
      await visit(`#/events/${IDS.failedEvent}`);
      await reader().getByText("No redrive helps <b>yet</b>.").waitFor();
      expect(new Set(asked)).toEqual(
        new Set([`InvalidEventError: the recipient is no email address of ${IDS.failedEvent}`]),
      );
      await shows(
        reader(),
        "Correct the event in this command, and put it:",
        "Once it is taken:",
        "npm run redrive -- --really",
      );
      await reader().getByRole("button", { name: "Copy the put-events command" }).click();
      await reader().getByText("Copied").waitFor();
      const command = (await clipboard()).replace(/\\\n\s*/g, "");
      expect(command).toContain(
        `aws events put-events --endpoint-url ${shown.info.endpoint} --region us-east-1 --entries '`,
      );
      expect(JSON.parse(command.slice(command.indexOf("'") + 1, -1))).toEqual([
        {
          EventBusName: BUS,
          Source: "custom.application",
          DetailType: "Email Notification Request",
          Detail: JSON.stringify({
            emailConfig: { recipient: "not an address", subject: "Your invoice" },
            title: "Invoice 2025-1187",
          }),
        },
      ]);
      await eventually(() => reader().getByRole("button", { name: "Redrive", exact: true }).count(), 0);
    });

    it("offers no command for a corrected event, and no redrive, where neither helps", async () => {
      gateway.adviceFor = () => ({ text: "Ask its producer.", isCorrectable: false });
      await visit(`#/events/${IDS.failedEvent}`);
      await reader().getByText("Ask its producer.").waitFor();
      await shows(reader(), "To look at what is in the queue:");
      await eventually(
        () =>
          reader()
            .getByRole("button", { name: /^Copy the (?:redrive|put)|^Redrive$/ })
            .count(),
        0,
      );
    });

    it("offers no redrive where the sandbox knows none", async () => {
      gateway.info = { ...gateway.info, canRedrive: false };
      await visit(`#/events/${IDS.failedEvent}`);
      await reader().getByText("Where it is now").waitFor();
      await eventually(() => reader().getByRole("button", { name: "Redrive", exact: true }).count(), 0);
    });

    it("says of a record that somebody deleted that it is discarded", async () => {
      await visit(`#/events/${IDS.failedEvent}`);
      gateway.journal.deleteRecord(IDS.failedEvent, DLQ_ARN);
      await option(/Email Notification Request Discarded: InvalidEventError/).waitFor();
      await shows(reader().getByRole("list", { name: "What became of its record" }), "Discarded from acme-orders");
      await eventually(() => reader().innerText(), expect.not.stringContaining("Where it is now"));
      await page.getByRole("link", { name: "Events 1 failed" }).waitFor();
    });

    const retries = DLQ_ARN.replace("dead-letters", "retries");
    const inRetryQueue = () => {
      gateway.journal.setPolled(retries, true);
      gateway.journal.addRecord(IDS.failedEvent, { queueArn: retries, reason: "InvalidEventError" });
    };

    it("says of an event in a retry queue that it waits, and does not offer to read the queue", async () => {
      await visit("#/events");
      inRetryQueue();
      await option(/Email Notification Request Waiting for a retry: InvalidEventError/).click();
      await reader().getByText("Waiting for a retry. First: InvalidEventError").waitFor();
      await shows(reader(), "npm run list counts what waits.");
      await eventually(() => reader().innerText(), expect.not.stringContaining("receive-message"));
      await page.getByRole("link", { name: "Events 1 failed" }).waitFor();
    });

    it("says of an event that failed and was mailed after all that it is mailed", async () => {
      await visit(`#/events/${IDS.failedEvent}`);
      await page.getByRole("link", { name: "Events 2 failed" }).waitFor();
      inRetryQueue();
      const late = { id: "late", to: ["not an address"], subject: "Your invoice", title: "Invoice", message: "" };
      gateway.journal.addMail(mail({ ...late, minutes: 0, tags: { eventId: IDS.failedEvent } }));
      gateway.journal.endRecord(IDS.failedEvent, retries);
      await option(/Email Notification Request Mailed late: InvalidEventError/).waitFor();
      await page.getByRole("link", { name: "Events 1 failed" }).waitFor();
      const steps = reader().getByRole("list", { name: "What became of its record" }).getByRole("listitem");
      await eventually(
        async () => (await steps.allInnerTexts()).map((text) => text.split("\n")[0]),
        ["Parked in acme-orders-sandbox-dead-letters", "Redriven to acme-orders-sandbox-retries", "Mailed"],
      );
      await reader().getByText("Mailed late, by a retry or a redrive. First:").waitFor();
      await reader()
        .getByRole("link", { name: /Your invoice to not an address/ })
        .click();
      await reader().getByRole("heading", { name: "Your invoice" }).waitFor();
    });

    it("says of an event that its function parked in the first run that it is parked, and where", async () => {
      await visit("#/events");
      const records = [{ queueArn: DLQ_ARN, reason: "MessageRejected: the content" }];
      const attempt = { number: 1, startedAt: shown.info.startedAt, endedAt: shown.info.startedAt, status: "success" };
      const attempts = [{ ...attempt, status: "success" as const, parked: "MessageRejected" }];
      const deliveries = [toFunction("rule", { status: "delivered", attempts })];
      addEvent(
        gateway.journal,
        busEvent({ id: "parked", minutes: 0, detailType: "Order", detail: {}, deliveries, records }),
      );
      await option(/Order Parked: MessageRejected: the content/).click();
      await page.getByRole("link", { name: "Events 3 failed" }).waitFor();
      await reader().getByText("Parked. MessageRejected: the content").waitFor();
      await shows(
        reader().getByRole("list", { name: "Attempts" }),
        "Attempt 1 parked the event after 0 ms: MessageRejected",
      );
      await reader().getByRole("button", { name: "Copy the receive-message command" }).waitFor();
      await eventually(goodMarks, []);
      await shows(reader().getByRole("region", { name: "Rule rule" }), "Handed over");
    });

    /** What the reading pane shows in the colour of good news. */
    const goodMarks = async () =>
      (await reader().locator(".good").allInnerTexts()).map((text) => text.replaceAll("\n", " "));

    it.each([
      ["a bounce", IDS.bouncedEvent, "Rule acme-orders-sandbox-feedback"],
      ["a failure record", IDS.failureEvent, "Rule acme-orders-sandbox-dead-letter"],
    ])("shows %s that was delivered as handed over, and nothing of it as good", async (_, id, rule) => {
      await visit(`#/events/${id}`);
      await shows(reader().getByRole("region", { name: rule }), "Handed over", "Attempt 1 succeeded");
      await eventually(goodMarks, []);
    });

    it("says of an event whose mail bounced that it did, and shows good news as good before", async () => {
      await visit(`#/events/${IDS.bouncedEvent}`);
      await reader().getByRole("link", { name: "The event behind it" }).click();
      await shows(
        reader().getByRole("region", { name: "Rule acme-orders-sandbox-email-request" }),
        "Handed over",
        "Attempt 1 succeeded",
      );
      await reader().getByText("Bounced. charles@babbage.example: smtp; 550").waitFor();
      // The mark of the event "Email Sent", which followed.
      await eventually(goodMarks, [""]);
      await visitEvent("77d0a3f4-90f3-4f4e-8d85-0f1a6f0f7e55");
      await eventually(goodMarks, ["Delivered", "Delivered", ""]);
    });

    it("says of an event one of whose mails bounced how many did, in the list too, by the delivery of each", async () => {
      const rule = { mailed: "acme-orders-sandbox-email-request", copied: "acme-orders-sandbox-copies" };
      const deliveries = Object.values(rule).map((each) =>
        toFunction(each, {
          status: "delivered",
          attempts: [{ number: 1, startedAt: shown.info.startedAt, endedAt: shown.info.startedAt, status: "success" }],
        }),
      );
      shown.activity = shown.activity.map((event) =>
        event.id === IDS.welcomeEvent ? { ...event, deliveries } : event,
      );
      shown.messages.push(
        ...["a", "b"].map((id) =>
          mail({
            id,
            minutes: 4,
            to: [id],
            subject: id,
            title: "",
            message: "",
            eventId: IDS.welcomeEvent,
            rule: rule.copied,
          }),
        ),
      );
      const bounce = shown.activity.filter(({ id }) => id === IDS.bouncedEvent);
      shown.activity = shown.activity.filter(({ id }) => id !== IDS.bouncedEvent);
      await visit("#/events");
      await option(/^Email Notification Request Delivered by acme/)
        .first()
        .click();
      await shows(reader().locator(".reader-actions"), "Delivered");
      for (const event of bounce) addEvent(gateway.journal, event);
      await option(/^Email Notification Request 1 of 3 bounced: charles@babbage.example: smtp; 550/)
        .locator(".mark.bad")
        .waitFor();
      await shows(reader().locator(".reader-actions"), "1 of 3 bounced");
      await reader().getByText("1 of 3 bounced. charles@babbage.example: smtp; 550").waitFor();
      await shows(reader().getByRole("region", { name: `Rule ${rule.mailed}` }), "Handed over");
      await shows(reader().getByRole("region", { name: `Rule ${rule.copied}` }), "Delivered");
    });

    const visitEvent = (id: string) => page.goto(`${gateway.url}#/events/${id}`);

    it("says of an event whose mail was never rendered that it was not, here and beside the mail", async () => {
      const [unsent] = shown.failures;
      if (unsent === undefined) throw new Error("the fixture has no such mail");
      shown.failures = [{ ...unsent, eventId: IDS.welcomeEvent }];
      shown.messages = shown.messages.filter(({ id }) => id !== IDS.welcome);
      shown.activity = shown.activity.filter(({ source }) => source !== "aws.ses");
      await visit(`#/events/${IDS.welcomeEvent}`);
      await reader().getByText("Not rendered. Attribute 'firstName' is not present").waitFor();
      await eventually(goodMarks, []);
      await visitMail(IDS.unsent);
      await tab("Event").click();
      await shows(reader().getByRole("region", { name: /^Rule / }), "Handed over");
      await eventually(goodMarks, []);
    });

    const visitMail = (id: string) => page.goto(`${gateway.url}#/mail/${id}`);

    it("tells a long wait for a place of the function as one throttled attempt", async () => {
      await visit(`#/events/${IDS.unmatchedEvent}`);
      const event = gateway.journal.events.get(IDS.unmatchedEvent);
      if (!event) throw new Error("the fixture has no such event");
      const delivery = gateway.journal.addDelivery(event, toFunction("rule", { status: "running", attempts: [] }));
      const error = { errorType: "TooManyRequestsException", errorMessage: "Rate Exceeded." };
      for (let count = 0; count < 300; count += 1) gateway.journal.throttled(delivery, error);
      await option(/Order Placed Waits for a free place of its function/).waitFor();
      await reader().getByText("was throttled 300 times").waitFor();
      await eventually(() => reader().getByRole("listitem").count(), 1);
    });

    it("says how long a retry waits here and on AWS, and follows it to its end", async () => {
      await visit(`#/events/${IDS.retryingEvent}`);
      await reader().getByText("Retry 1 of 2 in 0.5 s, on AWS about 1 minute").first().waitFor();
      const [delivery] = gateway.journal.events.get(IDS.retryingEvent)?.deliveries ?? [];
      if (!delivery) throw new Error("the fixture has no such delivery");
      gateway.journal.endAttempt(delivery, gateway.journal.startAttempt(delivery, "2d-1"), { status: "success" });
      delivery.status = "delivered";
      gateway.journal.changed(delivery);
      await reader().getByText("Attempt 2").waitFor();
      await option(/Priority Alert Delivered by .* Stock is low/).waitFor();
      await eventually(() => reader().innerText(), expect.not.stringContaining("Retry 1 of 2"));
    });

    it("says that an event which no rule matched went nowhere", async () => {
      await visit(`#/events/${IDS.unmatchedEvent}`);
      await reader().getByText("EventBridge drops such an event without a trace.").waitFor();
    });
  });

  describe("news", () => {
    const news = () =>
      mail({
        id: "news",
        minutes: 0,
        to: ["ada@lovelace.example"],
        subject: "Fresh off the bus",
        title: "Fresh",
        message: "Hi",
      });

    it("shows a new mail by itself, announces it, and leaves focus and the open mail alone", async () => {
      await visit(`#/mail/${IDS.welcome}`);
      await page.evaluate("document.body.dataset.loaded = 'once'");
      await page.evaluate("document.querySelector('iframe').dataset.loaded = 'once'");
      await option(/Daily report/).focus();
      gateway.journal.addMail(news());
      await option(/Unread Fresh off the bus/).waitFor();
      await shows(list().getByRole("option").first(), "Fresh off the bus");
      await page.getByRole("log").getByText("New mail: Fresh off the bus, to ada@lovelace.example").waitFor();
      await eventually(() => page.title(), "(5) Sandbox inbox");
      await focused(option(/Daily report/));
      await eventually(() => page.locator("body").getAttribute("data-loaded"), "once");
      await eventually(() => page.locator("iframe").getAttribute("data-loaded"), "once");
    });

    it("says when it is disconnected, and catches up when it is back", async () => {
      await visit();
      gateway.setStreaming(false);
      await page.getByText("Disconnected, trying again").waitFor();
      gateway.journal.addMail(news());
      gateway.setStreaming(true);
      await page.getByText("Live", { exact: true }).waitFor();
      await option(/Fresh off the bus/).waitFor();
      complaints = complaints.filter((text) => !text.includes("503"));
    });

    it("moves nothing for those who want no motion", async () => {
      await visit();
      gateway.journal.addMail(news());
      await option(/Fresh off the bus/).waitFor();
      const animation = () =>
        page.evaluate("getComputedStyle(document.querySelector('#mail-list .row')).animationName");
      await eventually(() => animation(), "none");
      await page.emulateMedia({ reducedMotion: "no-preference" });
      await eventually(() => animation(), "arrive");
    });
  });

  describe("thousands of mails", () => {
    const count = 3000;
    const rows = () => page.locator("#mail-list .row");
    const scrollTo = (top: string) =>
      page.evaluate(`(list => { list.scrollTop = ${top}; })(document.querySelector("#mail-list"))`);
    const top = () => page.evaluate<number>('document.querySelector("#mail-list").scrollTop');
    const numbered = (index: number) =>
      mail({
        id: `mail-${index}`,
        minutes: (5000 - index) / 1000,
        to: [`reader-${index}@example.com`],
        subject: `Subject ${index}`,
        title: "",
        message: "",
      });
    const askedRows = () =>
      gateway.requests.filter((path) => path.startsWith("inbox/mails")).flatMap((path) => path.match(/id=/g) ?? [])
        .length;

    beforeEach(() => {
      shown.messages = Array.from({ length: count }, (_, index) => numbered(count - index));
      shown.failures = [];
    });

    it("are rows around what is visible only, and only these are asked for", async () => {
      await visit();
      await option("Subject 3000").first().waitFor();
      await eventually(() => page.title(), `(${count}) Sandbox inbox`);
      await eventually(async () => (await rows().count()) < 60, true);
      expect(askedRows()).toBeLessThan(120);
      expect(gateway.requests.filter((path) => /^(?:messages|activity|rendering)/.test(path))).toEqual([]);
      await scrollTo("list.scrollHeight / 2");
      await option("Subject 1500").first().waitFor();
      await eventually(async () => (await rows().count()) < 60, true);
      await eventually(() => option("Subject 1500").first().getAttribute("aria-posinset"), "1501");
      await eventually(() => option("Subject 1500").first().getAttribute("aria-setsize"), String(count));
      expect(askedRows()).toBeLessThan(300);
    });

    it("are walked through with the keyboard, from the first to the last and back", async () => {
      await visit();
      await press("j", "j");
      await focused(option("Subject 2999 ").first());
      await press("End");
      await focused(option(/Subject 1 /));
      await press("k", "Enter");
      await eventually(() => title().innerText(), "Subject 2");
      await press("k");
      await eventually(() => title().innerText(), "Subject 3");
      await press("u", "Home");
      await focused(option(/Subject 3000 /));
      // Below the margin of rows that are there already, one by one.
      for (let step = 0; step < 40; step += 1) await page.keyboard.press("j");
      await focused(option(/Subject 2960 /));
      await eventually(() => page.locator("#mail-list [tabindex='0']").count(), 1);
    });

    it("stay where they are in view while new ones come, and count as unread", async () => {
      await visit();
      await scrollTo("30000");
      await option(/Subject 26\d\d /)
        .first()
        .waitFor();
      const middle = rows().nth(20);
      const name = (await middle.innerText()).split("\n")[0] ?? "";
      const before = await rows().filter({ hasText: name }).first().boundingBox();
      for (let index = 1; index <= 200; index += 1) gateway.journal.addMail(numbered(count + index));
      await eventually(() => page.title(), `(${count + 200}) Sandbox inbox`);
      await eventually(() => rows().filter({ hasText: name }).first().boundingBox(), before);
      await page
        .getByRole("log")
        .getByText(/\d+ new mails/)
        .first()
        .waitFor();
      await scrollTo("0");
      await option(/Subject 3200 /).waitFor();
    });

    it("are searched all, news among them too, and are all there again without the search", async () => {
      await visit();
      await page.getByRole("searchbox").fill("reader-17@");
      await option(/Subject 17 /).waitFor();
      await eventually(() => list().getByRole("option").count(), 1);
      await eventually(() => page.title(), `(${count}) Sandbox inbox`);
      gateway.journal.addMail({ ...numbered(4000), to: ["reader-17@example.com"] });
      gateway.journal.addMail(numbered(4001));
      await option(/Subject 4000 /).waitFor();
      await eventually(() => page.title(), `(${count + 2}) Sandbox inbox`);
      await eventually(() => list().getByRole("option").count(), 2);
      await option(/Subject 17 /).click();
      await eventually(() => page.title(), `(${count + 1}) Sandbox inbox`);
      await page.getByRole("searchbox").fill("");
      await option(/Subject 4001 /).waitFor();
      // What is open is still the tab stop, wherever it is in the list.
      await eventually(() => page.locator("#mail-list [tabindex='0']").count(), 1);
      await shows(page.locator("#mail-list [tabindex='0']"), "Subject 17");
    });

    it("are asked for by what changed, not all again", async () => {
      await visit();
      await option(/Subject 3000 /).waitFor();
      const asked = gateway.requests.length;
      gateway.journal.addMail(numbered(3001));
      await option(/Subject 3001 /).waitFor();
      await page.getByRole("log").getByText("New mail: Subject 3001").waitFor();
      await eventually(() => gateway.requests.slice(asked), ["inbox/mails?id=mail-3001", "inbox/mails?id=mail-3001"]);
    });

    it("show the row of the mail that the address names", async () => {
      await visit(`#/mail/mail-5`);
      await eventually(() => title().innerText(), "Subject 5");
      await eventually(() => option(/Subject 5 /).getAttribute("aria-selected"), "true");
      await eventually(async () => (await top()) > 0, true);
    });
  });

  describe("a journal that is full", () => {
    it("loses its oldest rows, and the page says so", async () => {
      await gateway.close();
      const limits = { items: 10, bytes: Infinity };
      gateway = await startFakeGateway(shown.info, [], new Journal({ mails: limits, events: limits }));
      await visit();
      await option(/Daily report/).waitFor();
      for (let index = 0; index < 8; index += 1) {
        const to = ["a@example.com"];
        gateway.journal.addMail(mail({ id: `new-${index}`, minutes: 0, to, subject: "New", title: "", message: "" }));
      }
      await eventually(() => list().getByRole("option").count(), 10);
      await option(/Daily report/).waitFor({ state: "detached" });
      await page.getByText("The sandbox keeps the newest: 3 older mails were dropped.").waitFor();
      await eventually(() => page.title(), "(10) Sandbox inbox");
    });
  });

  describe("what is extreme", () => {
    const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown;

    it("an event and a mail of 20,000 levels are shown as text; the others as ever", async () => {
      await visit();
      const { journal } = gateway;
      addEvent(journal, busEvent({ id: "deep", minutes: 0, detailType: "Deep", detail: { deep: nested(20_000) } }));
      const to = ["a@example.com"];
      const deep = mail({ id: "deep-mail", minutes: 0, to, subject: "Deep", title: "", message: "", eventId: "deep" });
      journal.addMail({ ...deep, templateData: { deep: nested(20_000) } });
      await option(/Deep/).click();
      await tab("Source").click();
      await reader().getByText("Nested too deeply to show. This is its text:").first().waitFor();
      await shows(reader().getByRole("region", { name: "Template data" }), "[".repeat(20_000));
      await tab("Event").click();
      await reader().getByRole("link", { name: "Show in Events" }).click();
      await eventually(() => title().innerText(), "Deep");
      await reader().getByText("Nested too deeply to show. This is its text:").first().waitFor();
      await page.reload();
      await eventually(() => title().innerText(), "Deep");
      await page.getByRole("link", { name: /^Mail/ }).click();
      // The list of events has such a row, too, for as long as it is shown.
      await eventually(() => title().innerText(), "Nothing open");
      await option(/order 10442/).click();
      await eventually(() => title().innerText(), "Your order 10442 is on its way");
    });

    it("texts of 256 KB and 50 recipients leave the page usable", async () => {
      const long = '"\\<b>x</b> '.repeat(24_000);
      const to = Array.from({ length: 50 }, (_, index) => `Someone ${index} <someone-${index}@example.com>`);
      shown.messages.unshift({
        ...mail({ id: "long", minutes: 0, to, subject: long, title: "", message: "", eventId: "long-event" }),
        text: long,
        html: `<p>${long}</p>`,
        templateData: { long },
      });
      shown.activity.unshift(busEvent({ id: "long-event", minutes: 0, detailType: long, detail: { title: long } }));
      await visit();
      await list().getByRole("option").first().click();
      await eventually(async () => (await title().innerText()).length < 600, true);
      await shows(reader().locator(".envelope"), "Someone 49 <someone-49@example.com>");
      for (const name of ["Text", "Source", "Event", "HTML"]) {
        await tab(name).click();
        await eventually(() => sidewaysOverflow("#reader"), 0);
      }
      await eventually(() => page.locator("#mail-list b, #reader b").count(), 0);
      await press("g", "e");
      await page.locator("#event-list").getByRole("option").first().click();
      await eventually(async () => (await title().innerText()).length < 600, true);
      await eventually(() => page.locator("#event-list b, #reader b").count(), 0);
    });
  });

  describe("clearing", () => {
    it("asks, and forgets everything; what comes after is news", async () => {
      await visit(`#/mail/${IDS.welcome}`);
      const clear = page.getByRole("banner").getByRole("button", { name: "Clear all" });
      const dialog = page.getByRole("dialog", { name: "Clear all?" });
      await clear.click();
      await dialog.getByRole("button", { name: "Keep" }).click();
      await eventually(() => title().innerText(), "Your order 10442 is on its way");
      expect(gateway.journal.mails.size).toBe(5);
      await clear.click();
      await dialog.getByRole("button", { name: "Clear all" }).click();
      await eventually(() => title().innerText(), "No mail yet");
      await eventually(() => page.title(), "Sandbox inbox");
      await page.getByRole("link", { name: "Events", exact: true }).waitFor();
      await eventually(() => clear.isDisabled(), true);
      const to = ["ada@lovelace.example"];
      gateway.journal.addMail(mail({ id: "new", minutes: 0, to, subject: "Afterwards", title: "", message: "" }));
      await option(/Afterwards/).waitFor();
      await eventually(() => list().getByRole("option").count(), 1);
    });
  });

  describe("an empty sandbox", () => {
    it("says how to put an event, with what it knows of the bus", async () => {
      shown.messages = [];
      shown.failures = [];
      await visit();
      await eventually(() => title().innerText(), "No mail yet");
      await shows(reader().locator(".command").first(), "npm run send");
      await reader().getByRole("button", { name: "Copy the put-events command" }).click();
      await reader().getByText("Copied").waitFor();
      const command = await clipboard();
      expect(command).toContain("aws events put-events --endpoint-url http://127.0.0.1:4566 ");
      const entries: unknown = JSON.parse(/--entries '(.*)'$/s.exec(command)?.[1] ?? "");
      expect(entries).toMatchObject([
        { EventBusName: BUS, Source: "custom.application", DetailType: "Email Notification Request" },
      ]);
    });

    it("leaves a placeholder for a bus that it has not seen", async () => {
      shown.messages = [];
      shown.failures = [];
      shown.activity = [];
      await visit("#/events", { viewport: NARROW });
      await shows(reader(), '"EventBusName": "<bus name>"', "npm run send");
      await eventually(() => title().innerText(), "No events yet");
      await eventually(() => reader().innerText(), expect.not.stringMatching(/no mail/i));
    });
  });

  describe("the keyboard", () => {
    it("goes from the list to a mail's event, to the Events view and back, without a mouse", async () => {
      await visit();
      await press("j");
      await focused(option(/Priority alert/));
      await press("j", "j", "k");
      await focused(option(/order 10442/));
      await press("Enter");
      await eventually(() => title().innerText(), "Your order 10442 is on its way");
      await focused(title());
      await press("4");
      await eventually(() => tab("Event").getAttribute("aria-selected"), "true");
      await shows(reader().getByRole("tabpanel"), "1 attempt");
      await press("j");
      await shows(title(), "Answer from");
      await press("u");
      await eventually(() => title().innerText(), "Nothing open");
      await focused(option(/Answer from/));
      await press("g", "e");
      await press("End", "o");
      await eventually(() => title().innerText(), "Scheduled Event");
      await press("Escape", "g", "m");
      await focused(option(/Answer from/));
    });

    it("has one tab stop in the list, and arrows move within it", async () => {
      await visit();
      await eventually(() => page.locator("#mail-list [tabindex='0']").count(), 1);
      await page.getByRole("searchbox").focus();
      await press("Tab", "ArrowDown", "ArrowDown", "Space");
      await shows(title(), "Answer from");
      await eventually(() => page.locator("#mail-list [tabindex='0']").count(), 1);
    });

    it("moves between tabs with the arrows", async () => {
      await visit(`#/mail/${IDS.welcome}`);
      await tab("HTML").focus();
      await press("ArrowLeft");
      await eventually(() => tab("Raw").getAttribute("aria-selected"), "true");
      await focused(tab("Raw"));
    });

    it("searches with /, and gets out with Escape", async () => {
      await visit();
      await press("/");
      await page.keyboard.type("jku report");
      await eventually(() => page.getByRole("searchbox").inputValue(), "jku report");
      await press("Escape");
      await eventually(() => page.getByRole("searchbox").inputValue(), "");
      await focused(option(/Priority alert/));
      await press("/");
      await page.keyboard.type("report");
      await press("Enter");
      await focused(option(/Daily report/));
      await press("Enter");
      await eventually(() => title().innerText(), "Daily report");
    });

    it("explains itself with ?, and can be told to leave single keys alone", async () => {
      await visit();
      await press("?");
      const help = page.getByRole("dialog", { name: "Keyboard" });
      await help.waitFor();
      await shows(help, "Back to the list");
      await help.getByRole("checkbox", { name: "Single-key shortcuts" }).uncheck();
      await press("Escape");
      await help.waitFor({ state: "hidden" });
      await press("?");
      await eventually(() => help.isVisible(), false);
      await press("ArrowDown");
      await focused(option(/Priority alert/));
    });
  });

  describe("addresses", () => {
    it("opens what its address names, and goes back", async () => {
      await visit(`#/events/${IDS.failedEvent}`);
      await eventually(() => title().innerText(), "Email Notification Request");
      await page.getByRole("link", { name: /^Mail/ }).click();
      await eventually(() => title().innerText(), "Nothing open");
      await option(/order 10442/).click();
      await eventually(() => page.url(), `${gateway.url}#/mail/${IDS.welcome}`);
      await page.goBack();
      await page.goBack();
      await eventually(() => title().innerText(), "Email Notification Request");
    });

    it("says so when its address names nothing", async () => {
      await visit("#/mail/gone%E0%A4%A");
      await eventually(() => title().innerText(), "This mail isn’t here");
    });
  });

  describe("a narrow window", () => {
    it("shows the list, then the pane, and never needs to scroll sideways", async () => {
      await visit("", { viewport: NARROW });
      await eventually(() => reader().isVisible(), false);
      await eventually(() => sidewaysOverflow("html"), 0);
      await option(/order 10442/).click();
      await eventually(() => list().isVisible(), false);
      await focused(title());
      for (const name of ["Text", "Source", "Event", "HTML"]) {
        await tab(name).click();
        await eventually(() => sidewaysOverflow("html"), 0);
        await eventually(() => sidewaysOverflow("#reader"), 0);
      }
      await reader().getByRole("button", { name: "Back to the list" }).click();
      await focused(option(/order 10442/));
      await page.goto(`${gateway.url}#/events/${IDS.failedEvent}`);
      await reader().getByText(DLQ_ARN, { exact: true }).waitFor();
      await eventually(() => sidewaysOverflow("html"), 0);
      await eventually(() => sidewaysOverflow("#reader"), 0);
    });
  });

  describe("a folder that the gateway was given", () => {
    const directory = writeFiles(temporaryFolder(), {
      "index.html": `<!doctype html><title>Mails</title><link rel="icon" href="data:,"><h1></h1><script>document.querySelector("h1").textContent = "All mails"</script>`,
    });

    it("is a link beside the views, and opens with its own script", async () => {
      await gateway.close();
      gateway = await startFakeGateway({ ...shown.info, pages: [{ name: "mails", title: "Mails" }] }, [
        { name: "mails", title: "Mails", directory },
      ]);
      await visit("", { viewport: NARROW });
      await eventually(() => sidewaysOverflow("html"), 0);
      await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Mails", exact: true }).click();
      await page.getByRole("heading", { name: "All mails" }).waitFor();
      expect(page.url()).toBe(`${gateway.url}pages/mails/`);
    });
  });

  describe("accessibility", () => {
    it("gives every part a role and a name", async () => {
      await visit(`#/mail/${IDS.welcome}`);
      await option(/order 10442/).waitFor();
      const snapshot = await page.locator("body").ariaSnapshot();
      for (const line of [
        '- heading "Sandbox inbox" [level=1]',
        '- navigation "Views":',
        '- link "Mail 4 unread":',
        '- link "Events 2 failed":',
        '- searchbox "Search by subject, recipient or event type"',
        '- listbox "Mail":',
        '- option "Your order 10442 is on its way to Ada Lovelace, charles@babbage.example from Acme Orders 4 min email-request Your order is on its way Hello Ada, we handed your order 10442 to the carrier',
        '- region "Reading pane":',
        '- tablist "Parts of the mail":',
        '- tab "HTML" [selected]',
        '- tabpanel "HTML":',
        "- contentinfo:",
      ]) {
        expect(snapshot).toContain(line);
      }
      expect(snapshot).not.toMatch(
        /- (?:button|link|searchbox|option|tab|tabpanel|listbox|dialog|heading)(?: \[|:|$)/m,
      );
    });

    const schemes = ["light", "dark"] as const;
    const widths = [375, 800, 1280] as const;

    it.each(schemes.flatMap((scheme) => widths.map((width) => [scheme, width] as const)))(
      "has no violation of WCAG that axe knows, in the %s scheme, %s px wide",
      async (colorScheme, width) => {
        const views = [
          ["#/mail", "Nothing open"],
          [`#/mail/${IDS.priority}`, "Priority alert: payment gateway is timing out"],
          [`#/mail/${IDS.unsent}`, "Welcome, {{firstName}}"],
          ["#/events", "Nothing open"],
          [`#/events/${IDS.failedEvent}`, "Email Notification Request"],
          [`#/events/${IDS.bouncedEvent}`, "Email Bounced"],
          [`#/events/${IDS.retryingEvent}`, "Priority Alert"],
          [`#/events/${IDS.unmatchedEvent}`, "Order Placed"],
        ] as const;
        await visit("", { colorScheme, viewport: { width, height: 800 } });
        for (const [hash, heading] of views) {
          await page.goto(gateway.url + hash);
          // A narrow page shows the list where nothing is open.
          await eventually(() => page.locator("#reader-title").textContent(), heading);
          expect({ hash, violations: await violations(page) }).toEqual({ hash, violations: [] });
        }
        await page.goto(`${gateway.url}#/mail/${IDS.priority}`);
        for (const name of ["Text", "Source", "Event", "Raw"]) {
          await tab(name).click();
          await reader().getByRole("tabpanel", { name }).locator(":scope > *").first().waitFor();
          expect({ name, violations: await violations(page) }).toEqual({ name, violations: [] });
        }
        await page.getByText("Not emulated").click();
        expect(await violations(page)).toEqual([]);
        for (const [open, close] of [
          ["Clear all", "Keep"],
          ["Keyboard shortcuts", "Close"],
        ] as const) {
          await page.getByRole("banner").getByRole("button", { name: open }).click();
          expect({ open, violations: await violations(page) }).toEqual({ open, violations: [] });
          await page.getByRole("dialog").getByRole("button", { name: close }).click();
        }
        gateway.journal.clear();
        for (const view of ["mail", "events"]) {
          await page.goto(`${gateway.url}#/${view}`);
          await eventually(() => title().innerText(), view === "mail" ? "No mail yet" : "No events yet");
          expect({ view, violations: await violations(page) }).toEqual({ view, violations: [] });
        }
      },
    );

    it("says what is not emulated", async () => {
      await visit();
      await page.getByText("Not emulated").click();
      await page.getByText("Schedules fire by command, not by time").waitFor();
      await page.getByText("0.5 s, then 1 s apart; Lambda waits about 1 minute, then about 2").waitFor();
    });
  });
});
