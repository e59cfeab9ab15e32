import { parse } from "parse5";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { readFileSync } from "node:fs";
import { catalogue } from "../../../handler/notifications";
import { seedCatalogue } from "../../../handler/notifications/seed";
import { type Notification } from "../../../handler/notifications/define";
import { editionsOf } from "../../../handler/notifications/editions";
import { galleryPage, gmailClipsAt, writeGallery } from "../../../sandbox/preview/gallery";
import { type PreviewedEdition, previewsOf } from "../../../sandbox/preview/previews";
import { loadTemplate, TemplateError } from "../../../stacks/templates/load";

/** An element of a parsed page. */
interface Element {
  readonly nodeName: string;
  readonly attrs?: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes?: readonly Element[];
  readonly value?: string;
}

const elementsOf = (node: Element): readonly Element[] => [node, ...(node.childNodes ?? []).flatMap(elementsOf)];
const pageOf = (html: string) => elementsOf(parse(html));
const attribute = ({ attrs = [] }: Element, name: string) => attrs.find((each) => each.name === name)?.value;
const textOf = (node: Element): string =>
  elementsOf(node)
    .map(({ value = "" }) => value)
    .join("");
const named = (page: readonly Element[], name: string) => page.filter(({ nodeName }) => nodeName === name);

const edition: PreviewedEdition = {
  notification: "invoice-paid",
  locale: "en",
  description: "Thanks for a payment",
  cause: "Invoice Paid of shop.billing",
  to: ["success@simulator.amazonses.com"],
  mail: { subject: "Thanks", html: "<p>Thanks</p>", text: "Thanks\n", data: { subject: {}, text: {}, html: {} } },
  problems: [],
};
const pageWith = (...editions: readonly PreviewedEdition[]) => galleryPage({ editions, problems: [] });

it("shows each edition of each notification, with its mail, text and data", () => {
  const previews = previewsOf(catalogue);
  expect(previews.problems).toEqual([]);
  const page = pageOf(galleryPage(previews));
  const articles = named(page, "article");
  const wanted = catalogue.flatMap((notification) =>
    editionsOf(notification).map(({ locale, variant }) => [notification.id, locale, variant].filter(Boolean).join("/")),
  );
  expect(articles.map((article) => attribute(article, "id"))).toEqual(wanted);
  const links = named(page, "a").map((link) => decodeURI(attribute(link, "href") ?? "").slice(1));
  expect(links).toEqual(expect.arrayContaining(wanted));
  previews.editions.forEach(({ mail, notification }, at) => {
    const article = elementsOf(articles[at] as Element);
    expect(attribute(named(article, "iframe")[0] as Element, "srcdoc")).toContain(mail?.html);
    const shown = textOf(articles[at] as Element);
    expect({ notification, shown }).toMatchObject({ shown: expect.stringContaining(mail?.subject ?? "") as string });
    expect(shown).toContain(mail?.text.trimEnd());
    expect(shown).toContain(JSON.stringify(mail?.data, null, 2));
  });
});

it("names locale and variant, and lists the editions below their notification", () => {
  const page = pageOf(
    pageWith(edition, { ...edition, locale: "fr", variant: "b" }, { ...edition, notification: "other" }),
  );
  const lists = named(page, "ul").filter((list) => attribute(list, "class") === "editions");
  expect(lists.map((list) => named(elementsOf(list), "a").map(textOf))).toEqual([["en", "fr, variant b"]]);
  expect(named(page, "article").map((article) => attribute(article, "id"))).toEqual([
    "invoice-paid/en",
    "invoice-paid/fr/b",
    "other/en",
  ]);
});

it("lets nothing of a mail out of its frame and its text", () => {
  const hostile = `"'></iframe></pre></article><script>alert(1)</script><img src=x onerror=alert(1)>`;
  const html = pageWith({
    ...edition,
    description: hostile,
    cause: hostile,
    to: [hostile],
    mail: { subject: hostile, html: hostile, text: hostile, data: { subject: { a: hostile }, text: {}, html: {} } },
    problems: [hostile],
  });
  const page = pageOf(html);
  expect(named(page, "script")).toHaveLength(1);
  expect(named(page, "img")).toEqual([]);
  expect(named(page, "article")).toHaveLength(1);
  const [frame] = named(page, "iframe");
  expect(attribute(frame as Element, "sandbox")).toBe("");
  expect(attribute(frame as Element, "srcdoc")).toMatch(/^<!doctype html>.*default-src 'none'/);
  expect(attribute(frame as Element, "srcdoc")).toContain(hostile);
});

it("runs its own script alone, and loads nothing", () => {
  const policyOf = (html: string) =>
    attribute(
      named(pageOf(html), "meta").find(
        (meta) => attribute(meta, "http-equiv") === "Content-Security-Policy",
      ) as Element,
      "content",
    );
  const policy = policyOf(pageWith(edition));
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'unsafe-inline'; img-src data:;/,
  );
  expect(policy).not.toContain("connect-src");
  // The page of a server asks that server for news.
  expect(policyOf(galleryPage({ editions: [edition], problems: [] }, { version: "1" }))).toContain(
    "connect-src 'self'",
  );
});

it.each([
  [100, "well"],
  [Math.ceil(gmailClipsAt * 0.95), "near"],
  [gmailClipsAt, "near"],
  [gmailClipsAt + 1, "over"],
])("holds %i bytes of HTML against what Gmail shows: %s", (bytes, state) => {
  const mail = { ...edition.mail, html: "x".repeat(bytes) } as PreviewedEdition["mail"];
  const [size] = pageOf(pageWith({ ...edition, mail })).filter((each) => attribute(each, "class") === "size");
  expect(attribute(size as Element, "data-state")).toBe(state);
});

describe("a notification that makes no mail", () => {
  const [first, second] = seedCatalogue as [Notification, Notification];
  const problem = `handler/notifications/${first.id}/body.html:7:8: {{nmae}} is not supplied.`;
  const previews = previewsOf(
    [first, second],
    (notification) => {
      if (notification.id === first.id) throw new TemplateError(first.id, [problem]);
      return loadTemplate(notification);
    },
    temporaryFolder(),
  );

  it("shows why in place of the mail, once, and leaves the others alone", () => {
    expect(previews.editions.map(({ mail, problems }) => [mail === undefined, problems])).toEqual([
      [true, [problem]],
      [false, []],
    ]);
    const articles = named(pageOf(galleryPage(previews)), "article");
    expect(textOf(articles[0] as Element)).toContain(problem);
    expect(articles.map((article) => named(elementsOf(article), "iframe").length)).toEqual([0, 1]);
  });
});

it("shows a definition that is not whole by what the synth says of it", () => {
  const broken = { ...seedCatalogue[0], problems: () => ["it has no trigger."] } as Notification;
  const { editions, problems } = previewsOf([broken], undefined, temporaryFolder());
  expect(editions).toEqual([]);
  expect(problems).toEqual([expect.stringContaining("it has no trigger.")]);
  expect(galleryPage({ editions, problems })).toContain("it has no trigger.");
});

it("is written as one file", () => {
  const folder = temporaryFolder();
  const file = writeGallery(
    `${folder}/a/b`,
    { editions: [edition], problems: [] },
    { home: { address: "../", title: "Home" } },
  );
  const page = pageOf(readFileSync(file, "utf8"));
  expect(named(page, "link").map((link) => attribute(link, "href")?.slice(0, 5))).toEqual(["data:"]);
  expect(named(page, "a").some((link) => attribute(link, "href") === "../" && textOf(link) === "Home")).toBe(true);
});
