import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { type MarkdownDocument, markdownDocuments, projectRoot, readMarkdown } from "../support/documents";

const documents = markdownDocuments();

/** Links that lead nowhere, each with its document. */
function deadLinks(
  document: MarkdownDocument,
  all: readonly MarkdownDocument[] = documents,
  exists = (path: string) => existsSync(join(projectRoot, path)),
): string[] {
  return document.links
    .filter((link) => {
      if (/^[a-z]+:/i.test(link)) return false;
      const [path = "", anchor] = decodeURI(link).split("#");
      const target = path === "" ? document.path : normalize(join(dirname(document.path), path));
      if (!exists(target)) return true;
      if (anchor === undefined) return false;
      return all.find((other) => other.path === target)?.anchors.includes(anchor) !== true;
    })
    .map((link) => `${document.path}: ${link}`);
}

it("every link and every anchor of every document leads somewhere", () => {
  expect(documents.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["README.md", "CONTRIBUTING.md", "docs/runbook.md", "packages/aws-emulator/README.md"]),
  );
  expect(documents.flatMap((document) => deadLinks(document))).toEqual([]);
});

it("finds what leads nowhere", () => {
  const other = readMarkdown("docs/other.md", "# A `code` title, twice\n\n# A code title, twice\n");
  const text = [
    "# Here",
    "[a](docs/other.md) [b](docs/gone.md) [c](docs/other.md#a-code-title-twice-1) [d](docs/other.md#gone) [e](#here)",
    "[f](#gone) [g](https://example.com/gone) `[h](code.md)` ![i](gone.png) [j][j]",
    '<picture><source srcset="gone-dark.png"></picture>',
    "```\n[k](fence.md)\n```",
    "[j]: gone-reference.md",
  ].join("\n\n");
  const document = readMarkdown("README.md", text);
  const files = ["README.md", "docs/other.md"];
  expect(deadLinks(document, [document, other], (path) => files.includes(path))).toEqual(
    ["docs/gone.md", "docs/other.md#gone", "#gone", "gone.png", "gone-reference.md", "gone-dark.png"].map(
      (link) => `README.md: ${link}`,
    ),
  );
});
