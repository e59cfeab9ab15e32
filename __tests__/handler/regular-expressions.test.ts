import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

/**
 * Checks every regular expression in the source of what reads events, records and mails. If one takes more than linear
 * time, a single long text can hold up a whole batch or a command. recheck (https://makenowjust-labs.github.io/recheck)
 * analyses each, and attacks those that it can't analyse.
 */

const root = join(__dirname, "..", "..");

interface Found {
  readonly file: string;
  readonly line: number;
  readonly source: string;
  readonly flags: string;
}

function expressionsIn(file: string): Found[] {
  const tree = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      const end = node.text.lastIndexOf("/");
      const [source, flags] = [node.text.slice(1, end), node.text.slice(end + 1)];
      found.push({ file: relative(root, file), line: line + 1, source, flags });
    }
    // An expression that is built at run time could not be checked here.
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "RegExp") {
      throw new Error(`${file} makes a regular expression at run time: write it as a literal`);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

const found = [
  "handler",
  "operations",
  "packages/aws-emulator/src/services/ses",
  "packages/aws-emulator/inbox",
].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[jt]s$/.test(name))
    .flatMap((name) => expressionsIn(join(root, folder, name))),
);

async function verdictOn(source: string, flags: string): Promise<string> {
  // This is the analyser in JavaScript. It gives the same result on each machine, and needs no other program.
  process.env.RECHECK_BACKEND = "pure";
  const { checkSync } = await import("recheck");
  const verdict = checkSync(source, flags, { timeout: 240_000, randomSeed: 20261126 });
  return verdict.status === "vulnerable" ? `vulnerable (${verdict.complexity.summary})` : verdict.status;
}

it.each(found.map((each) => [each.file, each.line, each] as const))(
  "reads a text once: %s:%d",
  async (_file, _line, each) => {
    const verdict = await verdictOn(each.source, each.flags);
    expect({ source: each.source, verdict }).toEqual({ source: each.source, verdict: "safe" });
  },
);

it("finds those that are worse", async () => {
  expect(found.length).toBeGreaterThan(10);
  expect(await verdictOn("\\S*@\\S*", "g")).toBe("vulnerable (2nd degree polynomial)");
  expect(await verdictOn("^(a+)+$", "")).toBe("vulnerable (exponential)");
});
