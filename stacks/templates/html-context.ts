import { type Token, Tokenizer, TokenizerMode } from "parse5";
import { type Piece, type Problem } from "./pieces";

/** Where in the HTML a piece of the template stands. */
interface Context {
  readonly kind: "text" | "raw" | "attribute" | "tag" | "comment";
  /** The element, in small letters. */
  readonly element: string;
  /** The attribute, in small letters; empty outside of attributes. */
  readonly attribute: string;
  readonly isQuoted: boolean;
  /** Whether the element has the attribute `http-equiv`, with which the content of `<meta>` is an instruction. */
  readonly isInstruction: boolean;
  /** Whether nothing but blanks stands between the quotation mark and the piece. */
  readonly isFirst: boolean;
  /** The same for two pieces if a block may begin at the one and end at the other. */
  readonly id: string;
  /** The paragraph, cell or other block that the piece's text is laid out in; `undefined` outside of one. */
  readonly layout: LayoutBlock | undefined;
}

interface LayoutBlock {
  readonly element: string;
  /** Where an attribute can be put in: behind the tag's name. */
  readonly offset: number;
  readonly attributes: ReadonlySet<string>;
}

/**
 * How the content of an element is read that holds no further elements
 * (https://html.spec.whatwg.org/multipage/parsing.html#parsing-html-fragments). An escaped text is safe in the two that
 * know character references, and in no other one.
 */
const contentModes = new Map([
  ["title", TokenizerMode.RCDATA],
  ["textarea", TokenizerMode.RCDATA],
  ["script", TokenizerMode.SCRIPT_DATA],
  ["plaintext", TokenizerMode.PLAINTEXT],
  ...["style", "xmp", "iframe", "noembed", "noframes", "noscript"].map(
    (name) => [name, TokenizerMode.RAWTEXT] as const,
  ),
]);

/** Attributes that hold an address: https://html.spec.whatwg.org/multipage/indices.html#attributes-3, and older ones. */
const addressAttributes = new Set(
  "action,archive,background,cite,classid,codebase,data,dynsrc,formaction,href,icon,longdesc,lowsrc,manifest,poster,profile,src,usemap,xlink:href".split(
    ",",
  ),
);

/** Attributes that hold code, styles, markup or a list of addresses. */
const codeAttributes = /^(?:on.*|style|srcdoc|srcset|imagesrcset|ping|http-equiv|content)$/;

/**
 * Elements that may have an address of an event: they link, or show a picture. Any other one would load code, or change
 * where the mail's own links lead.
 */
const linkingElements = /^(?:a|area|audio|blockquote|body|img|q|source|table|td|th|tr|video|v:.+)$/;

/** A character of Unicode's private use area, which stands for a value while the HTML is parsed. A block is a blank. */
const stand = "\ue000";

/**
 * Finds values that escaping does not make safe where they stand, and blocks that begin in one place of the HTML and end
 * in another, so that what stands behind them depends on the branch.
 */
export function contextProblems(pieces: readonly Piece[]): Problem[] {
  const { markup, offsets, spots } = markupOf(pieces);
  const contexts = new Contexts(markup, spots).found;
  const blocks = new Map<string, Context>();
  return pieces.flatMap((piece, at): Problem[] => {
    const context = contexts.get(offsets[at] ?? 0);
    if (piece.kind === "static") {
      const tag = piece.message?.tag;
      const problem = tag === undefined || context === undefined ? undefined : messageProblem(tag, context);
      return problem === undefined ? [] : [{ ...piece.place, problem }];
    }
    const refuse = (problem: string): Problem[] => [{ ...piece.place, problem: `${piece.shown} ${problem}` }];
    if (context === undefined) return refuse("stands in a tag or a comment that is not closed");
    const [before, behind] = [bare(pieces, at, -1), bare(pieces, at, 1)];
    if (/<(?:[/?]|!-?)?$/.test(before)) return refuse("stands in a tag's name: write the tag out in each branch");
    if (piece.kind === "value") {
      const problem = valueProblem(piece, context, pieces[at - 1]?.kind === "value");
      return problem === undefined ? [] : refuse(problem);
    }
    const isWithinName =
      (context.kind === "tag" && /[\w:-]$/.test(before) && /^[\w:-]/.test(behind)) ||
      (context.kind === "raw" && /<\/?\w*$/.test(before));
    if (isWithinName) return refuse("stands within a name: put blanks around it");
    const first = blocks.get(piece.block);
    if (first === undefined) blocks.set(piece.block, context);
    if (first === undefined || first.id === context.id) return [];
    return [
      {
        ...piece.place,
        problem: `${piece.shown} begins ${told(first)} and goes on ${told(context)}: let each of its branches close what it opens`,
      },
    ];
  });
}

function markupOf(pieces: readonly Piece[]) {
  const offsets: number[] = [];
  let markup = "";
  for (const piece of pieces) {
    offsets.push(markup.length);
    markup += standingFor(piece, " ");
  }
  return { markup, offsets, spots: offsets.filter((_, at) => isWatched(pieces[at])) };
}

/** Whether it counts where the piece stands: who writes a messages file does not see where its texts are shown. */
const isWatched = (piece: Piece | undefined): boolean => piece?.kind !== "static" || piece.message?.isEscaped === true;

/** Reports a text of a messages file that would be read as attributes. */
function messageProblem(tag: string, { kind, element, attribute, isQuoted }: Context): string | undefined {
  if (kind === "tag") return `${tag} stands in the tag <${element}> itself: write it as the value of an attribute`;
  return kind === "attribute" && !isQuoted
    ? `${tag} has no quotation marks around it: write ${attribute}="${tag}"`
    : undefined;
}

function standingFor(piece: Piece, block: string): string {
  if (piece.kind === "static") return piece.text.replaceAll(stand, " ");
  return piece.kind === "value" ? stand : block;
}

/**
 * A few characters before or behind a piece, without the tags of blocks, which leave nothing in the mail.
 * @param step -1 for those before it, 1 for those behind it.
 */
function bare(pieces: readonly Piece[], at: number, step: -1 | 1): string {
  const enough = 8;
  let text = "";
  for (let next = at + step; text.length < enough; next += step) {
    const piece = pieces[next];
    if (piece === undefined) break;
    const part = standingFor(piece, "");
    text = step === -1 ? part.slice(-enough) + text : text + part.slice(0, enough);
  }
  return text;
}

/**
 * Sets the language of the mail, and lets each block that shows a value take its direction from its text, so that Arabic
 * and Hebrew are laid out from right to left. What the author has set stays.
 * @param language BCP 47 tag.
 */
export function withLanguage(pieces: readonly Piece[], language: string): readonly Piece[] {
  const { markup, offsets, spots } = markupOf(pieces);
  const { found, documents } = new Contexts(markup, spots);
  const blocks = pieces.flatMap((piece, at) => {
    const context = piece.kind === "value" ? found.get(offsets[at] ?? 0) : undefined;
    return context?.kind === "text" && context.layout !== undefined ? [context.layout] : [];
  });
  const insertions = new Map<number, string>();
  for (const { element, offset, attributes } of [...documents, ...blocks]) {
    const direction = attributes.has("dir") ? "" : ' dir="auto"';
    const lang = element !== "html" || attributes.has("lang") ? "" : ` lang="${language}"`;
    insertions.set(offset, lang + direction);
  }
  const places = [...insertions].sort(([one], [other]) => one - other);
  const written = pieces.map((piece, at): Piece => {
    if (piece.kind !== "static") return piece;
    const start = offsets[at] ?? 0;
    let text = "";
    let from = 0;
    for (const [offset, insertion] of places) {
      if (offset <= start || offset > start + piece.text.length) continue;
      text += piece.text.slice(from, offset - start) + insertion;
      from = offset - start;
    }
    return { ...piece, text: text + piece.text.slice(from) };
  });
  if (documents.length > 0) return written;
  const place = { file: "", line: 1, column: 1 };
  return [
    { kind: "static", text: `<div lang="${language}" dir="auto">`, place },
    ...written,
    { kind: "static", text: "</div>\n", place },
  ];
}

/** Takes an attribute away from the whole page, in HTML or MJML. */
export function withoutOnPage(attribute: "lang" | "dir", pieces: readonly Piece[]): readonly Piece[] {
  const written = new RegExp(
    `(<(?:html|body|mjml)\\b[^>]*?)\\s+${attribute}\\s*=\\s*(?:"[^"]*"|'[^']*'|[^\\s"'>]+)`,
    "gi",
  );
  return pieces.map((piece) =>
    piece.kind === "static" ? { ...piece, text: piece.text.replace(written, "$1") } : piece,
  );
}

/** @param isBehindValue whether another value stands directly before it. */
function valueProblem(
  { form }: Piece & { readonly kind: "value" },
  context: Context,
  isBehindValue: boolean,
): string | undefined {
  const { element, attribute } = context;
  switch (context.kind) {
    case "text":
      return form === "markup" && (element === "title" || element === "textarea")
        ? `is markup, and <${element}> shows a text only: let \`map\` give the text as well`
        : undefined;
    case "raw":
      return `stands within <${element}>, where escaping does not make a value safe: show it outside`;
    case "comment":
      return "stands in a comment, which is mailed: use {{! a comment of the template }}, or show it outside";
    case "tag":
      return `stands in the tag <${element}> itself, where escaping does not make a value safe: put it into a quoted value, name="{{..}}", of an attribute that the tag has once`;
    case "attribute":
      break;
  }
  if (!context.isQuoted) return `has no quotation marks around it: write ${attribute}="{{..}}"`;
  if (codeAttributes.test(attribute) && (attribute !== "content" || context.isInstruction)) {
    return `stands in the attribute ${attribute}, where escaping does not make a value safe: choose between constants with {{#if ..}}`;
  }
  if (form === "markup")
    return `is markup, and the attribute ${attribute} holds a text: let \`map\` give the text as well`;
  if (!addressAttributes.has(attribute)) return undefined;
  if (!linkingElements.test(element)) {
    return `stands in the attribute ${attribute} of <${element}>, and only a link or a picture may have an address from an event`;
  }
  if (form !== "link")
    return `stands in the attribute ${attribute}, and is no checked address: give it the type link(), and let \`map\` make the whole address`;
  return context.isFirst && !isBehindValue
    ? undefined
    : `is a whole address, and the attribute ${attribute} has text before it: let \`map\` make the whole address`;
}

function told({ kind, element, attribute }: Context): string {
  switch (kind) {
    case "attribute":
      return `in the attribute ${attribute} of <${element}>`;
    case "tag":
      return `in the tag <${element}>`;
    case "comment":
      return "in a comment";
    case "raw":
      return `in <${element}>`;
    default:
      return "in the text";
  }
}

/** Reads HTML token by token, as the specification says, and notes what each stand-in is a part of. */
class Contexts {
  readonly found = new Map<number, Context>();
  /** The tags `<html>` and `<body>`. */
  readonly documents: LayoutBlock[] = [];
  /** The blocks that are open. */
  private readonly layout: LayoutBlock[] = [];
  private readonly tokenizer: Tokenizer;
  /** The element whose content is not read as HTML. */
  private closed = "";
  /** How many elements of SVG and MathML are open. Other rules hold in them. */
  private foreign = 0;

  /** @param spots the offsets whose contexts are asked for, in order. */
  constructor(
    private readonly markup: string,
    private readonly spots: readonly number[],
    private readonly base = 0,
    private readonly within = "",
  ) {
    this.tokenizer = new Tokenizer(
      { sourceCodeLocationInfo: true },
      {
        onStartTag: (token) => {
          this.startTag(token);
        },
        onEndTag: (token) => {
          this.endTag(token);
        },
        onComment: (token) => {
          this.comment(token);
        },
        onDoctype: ({ location }) => {
          this.add(location, () => ({ kind: "tag", element: "!doctype" }));
        },
        onCharacter: (token) => {
          this.text(token);
        },
        onWhitespaceCharacter: (token) => {
          this.text(token);
        },
        onNullCharacter: (token) => {
          this.text(token);
        },
        onEof: () => undefined,
        onParseError: null,
      },
    );
    this.tokenizer.write(markup, true);
  }

  private add(
    location: Token.Location | null,
    contextOf: (at: number) => Partial<Context> & Pick<Context, "kind">,
  ): void {
    if (location === null) return;
    for (let next = this.firstFrom(location.startOffset); ; next += 1) {
      const at = this.spots[next];
      if (at === undefined || at >= location.endOffset) break;
      const context = {
        element: "",
        attribute: "",
        isQuoted: false,
        isFirst: false,
        isInstruction: false,
        id: "",
        layout: this.layout.at(-1),
        ...contextOf(at),
      };
      this.found.set(this.base + at, { ...context, id: `${this.within} ${context.kind} ${context.id}` });
    }
  }

  /** The number of the first spot at the offset or behind it. */
  private firstFrom(offset: number): number {
    let [low, high] = [0, this.spots.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.spots[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private startTag({ tagName, selfClosing, attrs, location }: Token.TagToken): void {
    this.add(location, (at) => {
      const start = location?.startOffset ?? 0;
      if (this.foreign > 0 || foreignElements.has(tagName)) return { kind: "raw", element: tagName, id: `${start}` };
      const [name, span] =
        Object.entries((location as Token.LocationWithAttributes).attrs ?? {}).find(
          ([, { startOffset, endOffset }]) => startOffset <= at && at < endOffset,
        ) ?? [];
      const before = name === undefined ? "" : this.markup.slice(span?.startOffset, at);
      const [, quote, text] = /^[^=]*=\s*(["']?)([\s\S]*)$/.exec(before) ?? [];
      if (name === undefined || text === undefined) return { kind: "tag", element: tagName, id: `${start}` };
      return {
        kind: "attribute",
        element: tagName,
        attribute: name,
        isQuoted: quote !== "",
        isFirst: text.replaceAll(stand, "").trim() === "",
        isInstruction: attrs.some(({ name: other }) => other === "http-equiv"),
        id: `${start} ${name}`,
      };
    });
    if (foreignElements.has(tagName) && !selfClosing) this.foreign += 1;
    const block: LayoutBlock = {
      element: tagName,
      offset: this.base + (location?.startOffset ?? 0) + 1 + tagName.length,
      attributes: new Set(attrs.map(({ name }) => name)),
    };
    if (tagName === "html" || tagName === "body") this.documents.push(block);
    if (layoutElements.has(tagName)) this.layout.push(block);
    const mode = contentModes.get(tagName);
    if (mode === undefined || this.foreign > 0) return;
    this.tokenizer.state = mode;
    this.closed = tagName;
  }

  private endTag({ tagName, location }: Token.TagToken): void {
    this.add(location, () => ({ kind: "tag", element: tagName, id: `${location?.startOffset}` }));
    if (foreignElements.has(tagName)) this.foreign = Math.max(0, this.foreign - 1);
    this.closed = "";
    // Browsers take a missing end tag as implied, so the innermost block of this name is what ends.
    const open = this.layout.findLastIndex(({ element }) => element === tagName);
    if (open >= 0) this.layout.length = open;
  }

  private text({ location }: Token.CharacterToken): void {
    this.add(location, () => {
      if (this.foreign > 0) return { kind: "raw", element: "svg", id: "svg" };
      const isRaw = this.closed !== "" && contentModes.get(this.closed) !== TokenizerMode.RCDATA;
      return { kind: isRaw ? "raw" : "text", element: this.closed, id: this.closed };
    });
  }

  private comment({ location }: Token.CommentToken): void {
    if (location === null) return;
    const { startOffset, endOffset } = location;
    this.add(location, () => ({ kind: "comment", id: `${startOffset}` }));
    // Outlook reads what stands in a conditional comment as HTML.
    const source = this.markup.slice(startOffset, endOffset);
    const [, open, inner] = /^(<!--\[if [^\]]*\]>)([\s\S]*)<!\[endif\]-->$/.exec(source) ?? [];
    if (open === undefined || inner === undefined) return;
    const begin = startOffset + open.length;
    const spots = this.spots.filter((at) => at >= begin && at < begin + inner.length).map((at) => at - begin);
    const parts = new Contexts(inner, spots, this.base + begin, `${this.within} comment ${startOffset}`);
    for (const [at, context] of parts.found) this.found.set(at, context);
  }
}

/** Elements that lay text out in lines of their own. */
const layoutElements = new Set(
  "address,article,aside,blockquote,body,caption,center,dd,div,dt,figcaption,footer,h1,h2,h3,h4,h5,h6,header,li,main,p,pre,section,td,th".split(
    ",",
  ),
);

const foreignElements = new Set(["svg", "math"]);
