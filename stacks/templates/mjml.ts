import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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
  return { pieces: result, problems: [...refused, ...dropped] };
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
