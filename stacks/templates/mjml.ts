import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Token, Tokenizer } from "parse5";
import * as z from "zod";
import { type Piece, type Problem } from "./pieces";

const resultSchema = z.object({
  html: z.string(),
  errors: z.array(z.object({ line: z.number(), message: z.string() })),
});
type Result = z.output<typeof resultSchema>;

const projectRoot = join(__dirname, "..", "..");

/** Stands for the piece of this number while MJML runs. It is a word, so that MJML leaves it alone everywhere. */
const stand = (at: number) => `hbs${at}piece`;
const stands = /hbs(\d+)piece/g;

/** HTML that MJML makes stands in no file. */
const nowhere = { file: "", line: 1, column: 1 };

/**
 * Turns a compiled template in MJML into HTML. The pieces of Handlebars stay what they are, each in its place.
 * @param language BCP 47 tag of the mail, where the author has set none.
 * @returns the pieces of the HTML, and what MJML refuses or would leave out.
 */
export function mjmlToHtml(
  pieces: readonly Piece[],
  language: string,
): {
  readonly pieces: readonly Piece[];
  readonly problems: readonly Problem[];
} {
  const markup = pieces.map((piece, at) => (piece.kind === "static" ? piece.text : stand(at))).join("");
  const included = pieces.find((piece) => piece.kind === "static" && piece.text.includes("<mj-include"));
  if (included !== undefined) {
    const problem = "MJML's <mj-include> is not read: put the file into partials, and write {{> name}}";
    return { pieces: [], problems: [{ ...included.place, problem }] };
  }
  const { unclosed, lost } = lostContent(pieces, markup);
  if (unclosed.length > 0) return { pieces: [], problems: unclosed };
  const { html, errors } = converted(markup);
  // MJML writes `und` where the author has set no language.
  const found = html.replaceAll('lang="und"', `lang="${language}"`).split(stands);
  const seen = new Map<number, number>();
  const result = found.flatMap((text, index): Piece[] => {
    if (index % 2 === 0) return text === "" ? [] : [{ kind: "static", text, place: nowhere }];
    const at = Number(text);
    const piece = pieces[at];
    if (piece === undefined || piece.kind === "static") return [{ kind: "static", text: stand(at), place: nowhere }];
    const copy = seen.get(at) ?? 0;
    seen.set(at, copy + 1);
    // MJML may write a text twice, such as the title; each copy of a block is a block of its own.
    return [piece.kind === "block" ? { ...piece, block: `${piece.block}#${copy}` } : piece];
  });
  const dropped = pieces.flatMap((piece, at): Problem[] =>
    piece.kind === "static" || seen.has(at)
      ? []
      : [
          {
            ...piece.place,
            problem: `MJML leaves ${piece.shown} out here: put it into a component that holds text, or a block's tags into <mj-raw>..</mj-raw>`,
          },
        ],
  );
  const refused = errors.map(({ line, message }): Problem => ({
    ...placeAt(pieces, line),
    problem: `MJML: ${message}`,
  }));
  return { pieces: result, problems: [...refused, ...lost, ...dropped] };
}

/** The components of MJML that have a text in them. In any other one, MJML leaves a text out. */
const textComponents = new Set(
  "mj-accordion-text,mj-accordion-title,mj-button,mj-html-attribute,mj-navbar-link,mj-preview,mj-raw,mj-social-element,mj-style,mj-table,mj-text,mj-title".split(
    ",",
  ),
);

/** Finds what MJML would leave out without a word: its validation does not see components that are not closed. */
function lostContent(pieces: readonly Piece[], markup: string) {
  const unclosed: Problem[] = [];
  const lost: Problem[] = [];
  const open: { readonly name: string; readonly offset: number }[] = [];
  let [end, told] = [0, 0];
  const at = (offset: number, problem: string): Problem => ({ ...placeOfOffset(pieces, offset), problem });
  const notClosed = ({ name, offset }: (typeof open)[number]) =>
    at(offset, `<${name}> is not closed, and MJML would leave out what is in it: write </${name}>`);
  const tag = ({ tagName: name, selfClosing, location }: Token.TagToken, isEnd: boolean) => {
    const { startOffset: offset, endOffset } = location as Token.Location;
    end = endOffset;
    if (!/^mj(?:ml$|-)/.test(name)) return;
    const written = markup.slice(offset, endOffset).match(/[A-Za-z-]+/)?.[0] ?? name;
    if (written !== name) unclosed.push(at(offset, `MJML leaves <${written}> out: write ${name} in small letters`));
    if (!isEnd) {
      if (!selfClosing) open.push({ name, offset });
      return;
    }
    const begin = open.findLastIndex((each) => each.name === name);
    if (begin < 0) unclosed.push(at(offset, `</${name}> closes nothing: remove it`));
    else unclosed.push(...open.splice(begin).slice(1).map(notClosed));
  };
  const text = ({ location }: Token.CharacterToken) => {
    const { startOffset: offset, endOffset } = location as Token.Location;
    const within = open.at(-1)?.name;
    const words = markup.slice(offset, markup.indexOf("<", endOffset)).replace(stands, "").trim();
    // The tokens of one text are its words.
    if (offset >= told && within !== undefined && !textComponents.has(within) && words !== "") {
      const problem = `MJML leaves the text "${words.slice(0, mostTold)}" out in <${within}>: put it into <mj-text>..</mj-text>`;
      lost.push(at(offset, problem));
      told = markup.indexOf("<", endOffset);
    }
    end = endOffset;
  };
  const skip = ({ location }: { readonly location: Token.Location | null }) => {
    end = location?.endOffset ?? end;
  };
  const tokenizer = new Tokenizer(
    { sourceCodeLocationInfo: true },
    {
      onStartTag: (token) => {
        tag(token, false);
      },
      onEndTag: (token) => {
        tag(token, true);
      },
      onCharacter: text,
      onComment: skip,
      onDoctype: skip,
      onWhitespaceCharacter: skip,
      onNullCharacter: skip,
      onEof: () => undefined,
      onParseError: ({ code }) => {
        if ((code as string) === "eof-in-tag")
          unclosed.unshift(at(markup.indexOf("<", end), "this tag has no end: is a quotation mark missing?"));
      },
    },
  );
  tokenizer.write(markup, true);
  // The rest of the file stands in the tag that has no end.
  const isCut = unclosed[0]?.problem.startsWith("this tag") === true;
  return { unclosed: isCut ? unclosed.slice(0, 1) : [...unclosed, ...open.map(notClosed)], lost };
}

/** Most characters of the author's text that a message repeats. */
const mostTold = 40;

/** The place in the author's file of a character of the compiled source. */
function placeOfOffset(pieces: readonly Piece[], offset: number) {
  let from = 0;
  for (const [at, piece] of pieces.entries()) {
    const text = piece.kind === "static" ? piece.text : stand(at);
    if (offset < from + text.length) {
      if (piece.kind !== "static") return piece.place;
      const lines = text.slice(0, offset - from).split("\n");
      const column = (lines.length === 1 ? piece.place.column : 1) + (lines.at(-1)?.length ?? 0);
      return { ...piece.place, line: piece.place.line + lines.length - 1, column };
    }
    from += text.length;
  }
  return nowhere;
}

/** The place in the author's file that a line of the compiled source comes from. */
function placeAt(pieces: readonly Piece[], line: number) {
  let at = 1;
  let place = { file: "", line: 1, column: 1 };
  for (const piece of pieces) {
    if (at > line) break;
    place =
      piece.kind === "static"
        ? { ...piece.place, line: piece.place.line + Math.max(0, line - at), column: 1 }
        : piece.place;
    at += piece.kind === "static" ? piece.text.split("\n").length - 1 : 0;
  }
  return place;
}

function converted(markup: string): Result {
  const worker = join(__dirname, "mjml-worker.mjs");
  const manifest = require.resolve("mjml/package.json");
  const version = readFileSync(manifest, "utf8");
  const key = createHash("sha256")
    .update(JSON.stringify([version, readFileSync(worker, "utf8"), markup]))
    .digest("hex");
  // MJML takes a second for the first template, and every test that synthesizes asks. All checkouts that share their
  // packages share the results.
  const file = join(dirname(manifest), "..", ".cache", "mjml", `${key}.json`);
  return (
    cachedIn(file) ??
    keptIn(
      file,
      resultSchema.parse(
        JSON.parse(execFileSync(process.execPath, [worker], { input: markup, encoding: "utf8", cwd: projectRoot })),
      ),
    )
  );
}

function cachedIn(file: string): Result | undefined {
  try {
    return resultSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // It is not there, or another process has half written it.
    return undefined;
  }
}

function keptIn(file: string, result: Result): Result {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(result));
  renameSync(temporary, file);
  return result;
}
