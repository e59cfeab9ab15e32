import { describeWithChromium, eventually, launchChromium, violations } from "aws-emulator/testing/browser";
import { startFakeGateway } from "aws-emulator/testing/fake-gateway";
import { contents } from "aws-emulator/testing/inbox-fixtures";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { type Browser } from "playwright-core";
import { seedCatalogue } from "../../../handler/notifications/seed";
import { writeGallery } from "../../../sandbox/preview/gallery";
import { type PreviewedEdition, previewsOf } from "../../../sandbox/preview/previews";

describeWithChromium("the gallery in the inbox", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  const hostile = (at: string) => `<style>@media (prefers-color-scheme: dark) { p { color: rgb(1, 2, 3) } }</style>
    <p>A mail</p><script>top.document.title = "ran"</script><a href="${at}out" target="_top">Out</a>
    <img src="${at}x.png" onerror="top.document.title = 'ran'">`;

  it("shows each mail on a desktop and a phone, in both schemes, to a keyboard and at 375 px", async () => {
    const { editions } = previewsOf(seedCatalogue, undefined, temporaryFolder());
    const [first] = editions as [PreviewedEdition];
    const directory = temporaryFolder();
    const link = { name: "preview", title: "Preview" };
    const gateway = await startFakeGateway({ ...contents().info, pages: [link] }, [{ ...link, directory }]);
    const odd: PreviewedEdition = {
      ...first,
      notification: "odd",
      variant: "b",
      mail: { subject: "Odd", html: hostile(gateway.url), text: "Odd", data: { subject: {}, text: {}, html: {} } },
    };
    const failed: PreviewedEdition = {
      ...first,
      notification: "failed",
      mail: undefined,
      problems: ["body.html:7:8: no"],
    };
    const home = { address: "../../", title: "Inbox" };
    writeGallery(directory, { editions: [...editions, odd, failed], problems: [] }, { home });
    // A scheme that the test sets would hold in the frames, too, whatever the page gives them.
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: null });
    const frame = (where: string) => page.getByRole("region", { name: where }).frameLocator("iframe");
    try {
      await page.goto(gateway.url);
      await page.getByRole("link", { name: "Preview" }).click();
      await page.getByRole("heading", { level: 2, name: first.mail?.subject ?? "" }).waitFor();
      for (const where of ["Desktop", "Phone"]) await frame(where).getByText("Timestamp:").waitFor();
      expect(await violations(page)).toEqual([]);

      // A mail's own dark scheme counts, and nothing of it runs, loads or leads away.
      const item = page.getByRole("navigation").getByRole("link", { name: /odd/ });
      await item.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 2, name: "Odd" }).and(page.locator(":focus")).waitFor();
      await page.getByRole("button", { name: "Dark" }).click();
      const color = async () => {
        const element = await page.getByRole("region", { name: "Phone" }).locator("iframe").elementHandle();
        return (await element.contentFrame())?.evaluate<string>("getComputedStyle(document.querySelector('p')).color");
      };
      await eventually(color, "rgb(1, 2, 3)");
      await page.getByRole("button", { name: "Light" }).click();
      await eventually(color, "rgb(0, 0, 0)");
      await frame("Desktop").getByRole("link", { name: "Out" }).click();
      await eventually(() => page.title(), "Odd - Mail preview");
      expect(gateway.requests).toContain("pages/preview/");
      expect(gateway.requests.filter((path) => ["x.png", "out"].includes(path))).toEqual([]);

      await page.getByRole("button", { name: "Phone" }).click();
      await page.getByRole("region", { name: "Desktop" }).waitFor({ state: "hidden" });
      await page.getByRole("link", { name: /failed/ }).click();
      await page.getByText("body.html:7:8: no").waitFor();
      await page.emulateMedia({ colorScheme: "dark" });
      await page.setViewportSize({ width: 375, height: 800 });
      expect(await violations(page)).toEqual([]);
      await page.reload();
      await page.getByText("body.html:7:8: no").waitFor();
      await eventually(() => page.evaluate("document.documentElement.scrollWidth"), 375);
      await page.getByRole("link", { name: "Inbox" }).click();
      await page.getByRole("heading", { name: "Sandbox inbox" }).waitFor();
    } finally {
      await page.close();
      await gateway.close();
    }
  });
});
