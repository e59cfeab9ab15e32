import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import MarkdownIt from "markdown-it";

export const projectRoot = join(__dirname, "..", "..");

/** A Markdown file, with the parts that tests check. */
export interface MarkdownDocument {
  /** The path from the project's root. */
  readonly path: string;
  readonly text: string;
  /** The targets of its links and pictures. */
  readonly links: readonly string[];
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: readonly string[];
  /** The texts of its code spans and code blocks. */
  readonly code: readonly string[];
}

/** Folders without documents of this project. */
const skipped = new Set(["node_modules", "cdktf.out", ".git", ".sandbox", ".terraform", "coverage", "local-state"]);

/** Every Markdown file of the project. */
export function markdownDocuments(folder = ""): MarkdownDocument[] {
  return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownDocuments(path);
    return entry.name.endsWith(".md") ? [readMarkdown(path, readFileSync(join(projectRoot, path), "utf8"))] : [];
  });
}

export function readMarkdown(path: string, text: string): MarkdownDocument {
  const links: string[] = [];
  const code: string[] = [];
  const titles: string[] = [];
  const blocks = new MarkdownIt({ html: true }).parse(text, {});
  for (const [index, block] of blocks.entries()) {
    if (block.type === "heading_open") {
      const spans = blocks[index + 1]?.children ?? [];
      titles.push(spans.map(({ type, content }) => (["text", "code_inline"].includes(type) ? content : "")).join(""));
    }
    for (const token of [block, ...(block.children ?? [])]) {
      if (["code_inline", "fence", "code_block"].includes(token.type)) code.push(token.content);
      if (token.type === "link_open") links.push(String(token.attrGet("href")));
      if (token.type === "image") links.push(String(token.attrGet("src")));
      if (["html_block", "html_inline"].includes(token.type)) {
        for (const [, link = ""] of token.content.matchAll(/\s(?:href|src|srcset)="([^"]*)"/g)) links.push(link);
      }
    }
  }
  return { path, text, links, anchors: anchorsOf(titles), code };
}

/** Two headings with one title have two anchors: the second one ends in `-1`. */
function anchorsOf(titles: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return titles.map((title) => {
    const anchor = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}
