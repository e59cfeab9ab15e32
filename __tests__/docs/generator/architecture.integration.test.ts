import { type Browser } from "playwright-core";
import { drawDiagram, type Theme } from "../../../docs/generator/architecture/diagram";
import { graphOf } from "../../../docs/generator/architecture/graph";
import { synthesizeForDocs } from "../../../docs/generator/stack";
import { launchChromium } from "../../support/browser";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

/** Runs in the page: the texts that stick out of the box that they stand in, and how many were looked at. */
const findCutTexts = `(() => {
  const svg = document.querySelector("svg");
  const texts = [...svg.querySelectorAll(".node text")];
  const cut = texts.filter((text) => {
    const inside = text.getBoundingClientRect();
    const box = text.closest(".node").querySelector("path, polygon").getBoundingClientRect();
    return inside.left < box.left || inside.right > box.right || inside.top < box.top || inside.bottom > box.bottom;
  });
  const all = svg.getBoundingClientRect();
  const outside = [...svg.querySelectorAll("text, path")].filter((each) => {
    const box = each.getBoundingClientRect();
    return box.left < all.left || box.right > all.right || box.top < all.top || box.bottom > all.bottom;
  });
  return { looked: texts.length, cut: [...cut, ...outside].map((each) => each.textContent) };
})()`;

it.each<Theme>(["light", "dark"])("a browser shows every text of the %s diagram within its box", async (theme) => {
  const svg = await drawDiagram(graphOf(synthesizeForDocs()), theme);
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
  // As XML, in which a mistake shows nothing at all.
  await page.goto(`data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`);
  const { looked, cut } = await page.evaluate<{ looked: number; cut: string[] }>(findCutTexts);
  expect(looked).toBeGreaterThan(40);
  expect(cut).toEqual([]);
  await page.close();
});
