import { type Piece } from "./pieces";

/**
 * Stands beside a tag that would be alone on its line, because a renderer may take such a line away or leave it. It shows
 * nothing (https://handlebarsjs.com/guide/#template-comments).
 */
export const beside = "{{! }}";

type Node =
  { readonly kind: "words"; readonly piece: Piece } | { readonly kind: "breaks"; readonly count: number } | Block;

interface Block {
  readonly kind: "block";
  readonly branches: readonly Branch[];
  readonly close: Piece;
}

interface Branch {
  /** The tag that it begins with. */
  readonly tag: Piece;
  readonly nodes: readonly Node[];
}

/** What is known about the line breaks before a place. */
interface Before {
  /** How many have to stand before the next words. */
  readonly needed: number;
  /** How many of these are written. */
  readonly written: number;
  /** Whether nothing stands before, so that none is needed. */
  readonly isStart: boolean;
}

/** What is known about the line breaks behind a place. */
interface Behind {
  readonly needed: number;
  /** Whether nothing stands behind, but the line's end. */
  readonly isEnd: boolean;
}

/**
 * Sets the line breaks around the tags of blocks so that the text reads well whichever branches it shows, and with any
 * number of rows: what is left out leaves no blank line.
 *
 * Handlebars drops the line of a tag that has a line of its own, and not every renderer does so. Where a tag would have
 * one, a comment stands beside it, so that all of them render the same text.
 */
export function setLines(pieces: readonly Piece[]): readonly Piece[] {
  const writer = new Writer();
  const start = { needed: 0, written: 0, isStart: true };
  const { written } = writer.sequence(treeOf(pieces), start, { needed: 1, isEnd: true });
  const last = pieces.at(-1);
  if (written === 0 && last !== undefined) writer.breaks(1, last);
  return writer.written;
}

class Writer {
  readonly written: Piece[] = [];

  /** @returns what is known behind it. */
  sequence(nodes: readonly Node[], before: Before, behind: Behind): Before {
    let known = before;
    for (const [at, node] of nodes.entries()) {
      if (node.kind === "breaks") known = { ...known, needed: Math.max(known.needed, node.count) };
      else if (node.kind === "words") {
        this.breaks(known.isStart ? 0 : known.needed - known.written, node.piece);
        this.written.push(node.piece);
        known = { needed: 0, written: 0, isStart: false };
      } else {
        const rest = nodes.slice(at + 1);
        const needed = leading(rest);
        known = this.block(
          node,
          known,
          isBlank(rest) ? { ...behind, needed: Math.max(needed, behind.needed) } : { needed, isEnd: false },
        );
      }
    }
    return known;
  }

  private block({ branches, close }: Block, before: Before, behind: Behind): Before {
    const first = branches[0] as Branch;
    const isLoop = first.tag.text.startsWith("{{#each");
    const [lead, trail] = [leading(first.nodes), trailing(first.nodes)];
    // Of a mail that is one loop, the rows need the line breaks at their ends.
    const isEnd = behind.isEnd && !(isLoop && before.isStart);
    const isSkipped = !branches.some(({ tag }) => tag.text === "{{else}}");
    const nothing = before.isStart ? 0 : isEnd ? 1 : Math.max(before.needed, behind.needed);
    const needs = branches.map(({ nodes }) =>
      isBlank(nodes)
        ? undefined
        : {
            before: before.isStart ? 0 : Math.max(before.needed, leading(nodes)),
            behind: isEnd ? 1 : Math.max(trailing(nodes), behind.needed),
          },
    );
    /** Line breaks that stand before the block and behind it, and how far these are from what each branch needs. */
    const choice = (outer: { readonly open: number; readonly close: number }) => {
      const open = before.written + outer.open;
      const skipped = Math.abs(open + outer.close - nothing);
      const inner = needs.map((need) => ({
        start: Math.max(0, (need?.before ?? 0) - open),
        end: Math.max(0, (need?.behind ?? 0) - outer.close),
      }));
      let wrong = isSkipped ? skipped * (isLoop ? 0.5 : 1) : 0;
      for (const need of needs) {
        if (need === undefined) wrong += skipped;
        else wrong += Math.max(0, open - need.before) + Math.max(0, outer.close - need.behind);
      }
      if (isLoop && needs[0] !== undefined && inner[0] !== undefined)
        wrong += 2 * Math.abs(inner[0].start + inner[0].end - Math.max(lead, trail));
      const isAlone = inner.map(
        ({ start }, at) => start > 0 && (at === 0 ? open > 0 || before.isStart : (inner[at - 1]?.end ?? 0) > 0),
      );
      isAlone.push((inner.at(-1)?.end ?? 0) > 0 && outer.close > 0);
      const breaks = outer.open + inner.reduce((sum, { start, end }) => sum + start + end, 0);
      return { ...outer, inner, isAlone, cost: wrong * 100 + isAlone.filter(Boolean).length * 10 + breaks };
    };
    const counts = [0, 1, 2];
    const best = counts
      .flatMap((open) => counts.map((closing) => choice({ open, close: closing })))
      .reduce((one, other) => (other.cost < one.cost ? other : one));
    this.breaks(best.open, first.tag);
    for (const [at, { tag, nodes }] of branches.entries()) {
      this.tag(tag, best.isAlone[at]);
      const need = needs[at];
      if (need === undefined) continue;
      const { start, end } = best.inner[at] as { start: number; end: number };
      const inner = this.sequence(
        nodes,
        { needed: need.before, written: need.before - start, isStart: before.isStart },
        { needed: isLoop ? Math.max(behind.needed, lead) : behind.needed, isEnd: isEnd && !isLoop },
      );
      this.breaks(end - inner.written, tag);
    }
    this.tag(close, best.isAlone.at(-1));
    const needed = Math.max(nothing, ...needs.map((need) => need?.behind ?? 0));
    return { needed, written: needed - best.close, isStart: false };
  }

  private tag(tag: Piece, isAlone: boolean | undefined): void {
    if (isAlone === true) this.written.push({ kind: "static", text: beside, place: tag.place });
    this.written.push(tag);
  }

  breaks(count: number, { place }: Piece): void {
    if (count > 0) this.written.push({ kind: "static", text: "\n".repeat(count), place });
  }
}

/** Whether nothing of it could be shown. */
const isBlank = (nodes: readonly Node[]): boolean => nodes.every(({ kind }) => kind === "breaks");

const leading = (nodes: readonly Node[]): number => {
  let count = 0;
  for (const node of nodes) {
    if (node.kind === "words") break;
    if (node.kind === "block") return Math.max(count, ...node.branches.map((branch) => leading(branch.nodes)));
    count = Math.max(count, node.count);
  }
  return count;
};

const trailing = (nodes: readonly Node[]): number => {
  let count = 0;
  for (const node of nodes.toReversed()) {
    if (node.kind === "words") break;
    if (node.kind === "block") return Math.max(count, ...node.branches.map((branch) => trailing(branch.nodes)));
    count = Math.max(count, node.count);
  }
  return count;
};

/** Most line breaks in a row: a blank line. */
const most = 2;

function treeOf(pieces: readonly Piece[]): readonly Node[] {
  const root: Node[] = [];
  const open: { readonly branches: { readonly tag: Piece; readonly nodes: Node[] }[] }[] = [];
  for (const token of withoutBlanks(tokensOf(pieces))) {
    const nodes = open.at(-1)?.branches.at(-1)?.nodes ?? root;
    if (token.kind !== "tag") nodes.push(token);
    else if (token.piece.text.startsWith("{{#")) open.push({ branches: [{ tag: token.piece, nodes: [] }] });
    else if (!token.piece.text.startsWith("{{/")) open.at(-1)?.branches.push({ tag: token.piece, nodes: [] });
    else {
      const block = open.pop();
      if (block === undefined) continue;
      const outer = open.at(-1)?.branches.at(-1)?.nodes ?? root;
      outer.push({ kind: "block", branches: block.branches, close: token.piece });
    }
  }
  return root;
}

type Token = Exclude<Node, Block> | { readonly kind: "tag"; readonly piece: Piece };

function tokensOf(pieces: readonly Piece[]): readonly Token[] {
  return pieces.flatMap((piece): Token[] => {
    if (piece.kind === "block") return [{ kind: "tag", piece }];
    if (piece.kind === "value") return [{ kind: "words", piece }];
    // What stands before the first words of a line is its indent.
    return piece.text.split(/([^\S\n]*\n(?:[^\S\n]*\n)*)/).flatMap((text, at): Token[] => {
      if (at % 2 === 1) return [{ kind: "breaks", count: Math.min(most, text.split("\n").length - 1) }];
      return text === "" ? [] : [{ kind: "words", piece: { ...piece, text } }];
    });
  });
}

/** Removes the blanks between a line's end and a tag, which would become an indent, or would be nothing but blanks. */
function withoutBlanks(tokens: readonly Token[]): readonly Token[] {
  const beyondTags = (at: number, step: 1 | -1): Token | undefined => {
    let next = at + step;
    while (tokens[next]?.kind === "tag") next += step;
    return tokens[next];
  };
  return tokens.flatMap((token, at): Token[] => {
    if (token.kind !== "words" || token.piece.kind !== "static") return [token];
    let { text } = token.piece;
    const isLineStart = (beyondTags(at, -1)?.kind ?? "breaks") === "breaks";
    const isLineEnd = (beyondTags(at, 1)?.kind ?? "breaks") === "breaks";
    if (isLineStart) text = tokens[at - 1]?.kind === "tag" ? text.trimStart() : text.replace(/^\s*\u00a0\s*/, "");
    if (isLineEnd || (isLineStart && text.trim() === "")) text = text.trimEnd();
    return text === "" ? [] : [{ kind: "words", piece: { ...token.piece, text } }];
  });
}
