import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { type Browser } from "playwright-core";
import { writeMailPages } from "../../../operations/plan/mail-pages";
import { launchChromium } from "../../support/browser";
import { templatePlan } from "../../support/template-plan";

let browser: Browser;
let server: Server;
/** The requests that a page has made. */
const requests: string[] = [];

beforeAll(async () => {
  browser = await launchChromium();
  server = createServer((request, response) => {
    requests.push(String(request.url));
    response.setHeader("access-control-allow-origin", "*");
    response.end("");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await browser.close();
  await new Promise((resolve) => server.close(resolve));
});

it("shows both mails in a browser, runs nothing of them, and loads nothing", async () => {
  const folder = join(temporaryFolder(), "mails");
  const { port } = server.address() as AddressInfo;
  const at = (path: string) => `http://127.0.0.1:${port}/${path}`;
  const html = `<!doctype html><html><head>
    <meta http-equiv="refresh" content="0;url=${at("refresh")}"><link rel="stylesheet" href="${at("style")}">
    <link rel="prefetch" href="${at("prefetch")}"><base href="${at("base/")}"></head><body>
    <h1 style="color: rgb(200, 0, 0)">"Hello" </iframe></h1><img src="${at("picture")}" onerror="top.document.title = 'ran'">
    <script>top.document.title = "ran"</script><iframe src="${at("frame")}"></iframe><video src="${at("video")}"></video>
    <form action="${at("form")}"><button id="send">Send</button></form><a id="link" href="${at("link")}">A link</a>
    <a id="top" target="_top" href="${at("top")}">Another</a></body></html>`;
  const hostile =
    "</bdi></pre></p><script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">";
  const name = "shop-dev-gone-0badcafe";
  writeMailPages(
    folder,
    templatePlan({
      before: { name, subject: "Before", html: "<p>Before</p>", text: "Before" },
      after: { name, subject: hostile, html, text: hostile },
    }),
  );
  const file = join(folder, "gone-0badcafe.html");
  // The page would ask for what the mail names, were it not for its policy.
  for (const path of ["refresh", "picture", "frame"]) expect(readFileSync(file, "utf8")).toContain(path);

  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const { href } = pathToFileURL(file);
  /** Opens the page. @returns the frame of the mail after the apply. */
  const open = async () => {
    await page.goto(href);
    const [, after] = page.frames().filter((frame) => frame.parentFrame() === page.mainFrame());
    if (after === undefined) throw new Error("The page has no frame for the mail after the apply.");
    return after;
  };
  const after = await open();
  expect(await after.locator("h1").textContent()).toContain('"Hello"');
  expect(await after.evaluate('getComputedStyle(document.querySelector("h1")).color')).toBe("rgb(200, 0, 0)");
  expect(await page.locator("pre").nth(1).textContent()).toBe(hostile);
  for (const id of ["link", "send", "top"]) {
    await (await open()).locator(`#${id}`).click({ noWaitAfter: true });
    // The browser answers a click on a link by itself where it lets nothing through.
    await page.waitForTimeout(200);
    expect(page.url()).toBe(href);
  }
  expect(await page.title()).not.toBe("ran");
  expect(requests).toEqual([]);
  await page.close();
});
