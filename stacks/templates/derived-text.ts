import { convert, type DomNode, type FormatCallback, type SelectorDefinition } from "html-to-text";
import { setLines } from "./line-breaks";
import { type Piece } from "./pieces";

/** Stands for the piece of this number while the text is made of the HTML. It is one word. */
const stand = (at: number) => `hbs${at}text`;
const stands = /hbs(\d+)text/g;

/**
 * Makes the text part of a mail of its HTML part: paragraphs with a blank line between, a line for a row of a table or of a
 * list, addresses behind the words that link to them. What the mail hides, such as a preheader, is left out.
 * @param file that the HTML is made of.
 */
export function derivedText(pieces: readonly Piece[], file: string): readonly Piece[] {
  const place = { file, line: 1, column: 1 };
  const bare = pieces.map(withoutStrips);
  // One stand for every copy of a value, so that a link is seen to show its own address.
  const first = new Map(bare.map(({ kind, text }, at) => [kind === "value" ? text : `${at}`, at] as const).reverse());
  let markup = "";
  for (const [at, piece] of bare.entries()) {
    if (piece.kind === "static") markup += stripped(bare, pieces, at);
    else if (piece.kind === "block" && isInTag(markup)) markup += " ";
    else markup += stand(first.get(piece.text) ?? at);
  }
  const words = textOf(markup, bare)
    .split(stands)
    .map((word, at): Piece => {
      const piece = at % 2 === 1 ? bare[Number(word)] : undefined;
      return piece ?? { kind: "static", text: word, place };
    });
  return setLines(words);
}

/** A tag without its `~`, which would take the line breaks of the text. */
function withoutStrips(piece: Piece): Piece {
  return piece.kind === "static"
    ? piece
    : { ...piece, text: piece.text.replace(/^\{\{~/, "{{").replace(/~\}\}$/, "}}") };
}

/** Whether what follows stands in a tag, and in no attribute's value. */
const isInTag = (markup: string): boolean =>
  /^<[a-z](?:[^>"']|"[^"]*"|'[^']*')*$/i.test(markup.slice(markup.lastIndexOf("<")));

/** The author's text at this place, without the blanks that the `~` of its neighbours take. */
function stripped(bare: readonly Piece[], pieces: readonly Piece[], at: number): string {
  const { text = "" } = bare[at] ?? {};
  const behind = pieces[at - 1]?.kind !== "static" && pieces[at - 1]?.text.endsWith("~}}") === true;
  const before = pieces[at + 1]?.kind !== "static" && pieces[at + 1]?.text.startsWith("{{~") === true;
  const rest = behind ? text.trimStart() : text;
  return before ? rest.trimEnd() : rest;
}

function textOf(markup: string, pieces: readonly Piece[]): string {
  const isBlock = ({ data }: DomNode) =>
    [...(data ?? "").matchAll(stands)].some(([, at]) => pieces[Number(at)]?.kind === "block");
  const lines = (selector: string, breaks: number, format?: string): SelectorDefinition => ({
    selector,
    ...(format === undefined ? {} : { format }),
    options: { leadingLineBreaks: breaks, trailingLineBreaks: breaks },
  });
  // What stands outside of <body> counts too, such as a condition around the whole page.
  const body = `<body>${markup}</body>`;
  const shownWords = convert(body, { wordwrap: false, selectors: [{ selector: "img", format: "skip" }] });
  return convert(body, {
    wordwrap: false,
    formatters: {
      cell: (element, walk, builder) => {
        walk(lineOf(element).children, builder);
        builder.addInline(" ");
      },
      // A row of a loop has always the same number, and a number is wrong behind a row that is left out.
      numbered: (element, walk, builder, options) => {
        const kind = element.children.some(isBlock) ? "unorderedList" : "orderedList";
        (builder.options.formatters[kind] as FormatCallback)(element, walk, builder, options);
      },
      picture: (element, _, builder) => {
        const { alt = "" } = element.attribs as { readonly alt?: string };
        if (isLinked(element) || !shownWords.includes(alt.trim())) builder.addInline(alt);
      },
    },
    selectors: [
      ...["head", "mj-head", ...hidden, ...hiddenByStyles(markup)].map((selector) => ({ selector, format: "skip" })),
      lines("tr", 1, "block"),
      ...['div[style*="display:inline-block"]', "td", "th"].map((selector) => ({ selector, format: "cell" })),
      // Each component of MJML is a paragraph.
      lines('td[style*="font-size:0px"]', 2, "block"),
      lines("blockquote", 2, "block"),
      { selector: "ol", format: "numbered" },
      { selector: "img", format: "picture" },
      { selector: "a", options: { hideLinkHrefIfSameAsText: true } },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({
        selector,
        options: { uppercase: false, leadingLineBreaks: 2, trailingLineBreaks: 2 },
      })),
    ],
  });
}

const isLinked = ({ parent }: DomNode): boolean => (parent ? parent.name === "a" || isLinked(parent) : false);

/** The innermost element of a cell that holds nothing but one block in another: its words need no lines of their own. */
function lineOf(cell: DomNode): DomNode {
  const children = cell.children.filter(
    ({ type, data }) => type !== "comment" && (type !== "text" || data?.trim() !== ""),
  );
  const [only, ...others] = children;
  return only !== undefined && others.length === 0 && wrappers.has(only.name ?? "") ? lineOf(only) : cell;
}

const wrappers = new Set(["center", "div", "p", "span", "table", "tbody", "td", "tr"]);

/** What mail programs do not show, as authors of mails hide the preheader. */
const hidden = ["display:none", "display: none", "mso-hide:all", "mso-hide: all"].map((style) => `[style*="${style}"]`);

/** The classes, ids and elements that a style sheet hides in each client, and not on small screens alone. */
function hiddenByStyles(markup: string): string[] {
  const sheets = [...markup.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/gi)].map(([, sheet]) => sheet ?? "").join("\n");
  const rules = sheets.replace(/\/\*[\s\S]*?\*\//g, "").replace(/@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, "");
  return [...rules.matchAll(/([^{}]*)\{([^{}]*)\}/g)].flatMap(([, selectors = "", declarations = ""]) =>
    /(?:^|[;\s])display\s*:\s*none/i.test(declarations)
      ? selectors
          .split(",")
          .map((selector) => selector.trim())
          .filter((selector) => /^\w*(?:[.#][A-Za-z][\w-]*)+$/.test(selector))
      : [],
  );
}
