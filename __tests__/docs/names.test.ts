import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { type MarkdownDocument, markdownDocuments, projectRoot, readMarkdown } from "../support/documents";

/** What a document names has to exist: commands, environment variables and files. */

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const documents = markdownDocuments();
/** A plain text, all of it code. */
const help: MarkdownDocument = { ...readMarkdown("help", ""), text: read("help"), code: [read("help")] };

const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

function unknownCommands({ path, text }: MarkdownDocument): string[] {
  const names = [...text.matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(test|start)\b)/g)].map(
    ([, run, short]) => run ?? short ?? "",
  );
  return names.filter((name) => !Object.hasOwn(scripts, name)).map((name) => `${path}: npm run ${name}`);
}

/** Names of AWS, its tools and its answers, which no file of ours has to read. */
const namesOfOthers = new Set([
  ...["AWS_PROFILE", "AWS_DEFAULT_REGION", "HTTPS_PROXY", "NO_PERMISSIONS"],
  // Read by Terraform, and by HCP Terraform in a workspace.
  ...["TF_CLOUD_HOSTNAME", "TF_TOKEN_", "TFC_AWS_PROVIDER_AUTH", "TFC_AWS_RUN_ROLE_ARN"],
  ...["TFC_AWS_PLAN_ROLE_ARN", "TFC_AWS_APPLY_ROLE_ARN"],
]);

function sourcesIn(path: string): string[] {
  if (!existsSync(join(projectRoot, path))) return [];
  if (/\.(?:m?[jt]s|py|sh)$/.test(path)) return [read(path)];
  if (path.includes(".") || /node_modules|__tests__/.test(path)) return [];
  return readdirSync(join(projectRoot, path)).flatMap((name) => sourcesIn(join(path, name)));
}

/** Everything that is executed: what reads a variable has its name. */
const sources = [
  "main.ts",
  "bench",
  "docs/generator",
  "handler",
  "operations",
  "packages",
  "sandbox",
  "scripts",
  "stacks",
];
const workflows = readdirSync(join(projectRoot, ".github/workflows")).map((name) => `.github/workflows/${name}`);
const wordsOfSources = new Set(
  [...sources.flatMap(sourcesIn), ...workflows.map(read)].join("\n").match(/\b[A-Z][A-Z0-9_]{2,}\b/g),
);

function unknownVariables({ path, code }: MarkdownDocument): string[] {
  const texts = code.join("\n");
  const names = [
    ...texts.matchAll(/\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b/g),
    ...texts.matchAll(/\$\{?([A-Z][A-Z0-9_]+)/g),
    ...texts.matchAll(/(?:^|\s)([A-Z][A-Z0-9_]+)=/gm),
  ].map(([, name = ""]) => name);
  return [...new Set(names)]
    .filter((name) => !wordsOfSources.has(name) && !namesOfOthers.has(name))
    .map((name) => `${path}: ${name}`);
}

/** Notifications that a reader of docs/notifications.md writes; the project comes without them. */
const ofExamples = /\/notifications\/(?:invoice-paid|order-shipped)(?![\w-])/;

/** A file or a folder of ours, named in code: `stacks/stages.ts`. One with a placeholder is none. */
function unknownFiles({ path, code }: MarkdownDocument): string[] {
  const roots = "\\.github|__tests__|bench|docs|handler|operations|packages|sandbox|scripts|stacks";
  const named = code.flatMap((text) =>
    [...text.matchAll(new RegExp(`(?<![\\w./<-])(?:${roots})/[\\w./-]*\\w(?![\\w/<*-]|\\.<)`, "g"))].map(
      ([file]) => file,
    ),
  );
  return [...new Set(named)]
    .filter((file) => !ofExamples.test(file) && !existsSync(join(projectRoot, file)))
    .map((file) => `${path}: ${file}`);
}

it.each([
  ["command", unknownCommands],
  ["environment variable", unknownVariables],
  ["file", unknownFiles],
])("every %s that a document names is there", (_, unknown) => {
  // The changes of earlier versions name what was there then.
  const current = documents.filter(({ path }) => path !== "CHANGELOG.md");
  expect([...current, help].flatMap(unknown)).toEqual([]);
});

function filesIn(path: string): string[] {
  if (/node_modules|\.test\.ts$/.test(path)) return [];
  if (/\.m?[jt]s$/.test(path)) return [path];
  if (/\.\w+$/.test(path)) return [];
  return readdirSync(join(projectRoot, path)).flatMap((name) => filesIn(join(path, name)));
}

/** The comments of a program's text. The scanner knows what is a comment and what stands in a string. */
function commentsOf(text: string): string[] {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, ts.LanguageVariant.Standard, text);
  const comments: string[] = [];
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const isComment = token === ts.SyntaxKind.SingleLineCommentTrivia || token === ts.SyntaxKind.MultiLineCommentTrivia;
    if (isComment) comments.push(scanner.getTokenText());
  }
  return comments;
}

const unknownFilesInComments = (path: string, text: string) =>
  unknownFiles({ ...readMarkdown(path, ""), code: commentsOf(text) });

it("every file that a comment names is there", () => {
  const files = ["main.ts", "__tests__", ...sources.slice(1)].flatMap(filesIn);
  expect(files.length).toBeGreaterThan(200);
  expect(files.flatMap((path) => unknownFilesInComments(path, read(path)))).toEqual([]);
});

it("finds a file that is not there in a comment, and leaves strings alone", () => {
  const text = '/** See sandbox/door/gone.ts. */\nconst a = "stacks/gone.ts"; // handler/notify.ts, stacks/stages.ts\n';
  expect(unknownFilesInComments("x.ts", text)).toEqual(["x.ts: sandbox/door/gone.ts", "x.ts: handler/notify.ts"]);
});

it("the first page and the runbook name the commands for a failure", () => {
  for (const path of ["README.md", "docs/operations.md", "docs/runbook.md"]) {
    const text = read(path);
    expect([path, text.includes("npm run dead-letters"), text.includes("npm run doctor")]).toEqual([path, true, true]);
  }
});

it("finds what is not there", () => {
  const document = readMarkdown(
    "x.md",
    [
      "`npm run gone`, `npm run -s gone:too -- --json` and `npm test`",
      "```bash\nexport GONE=1 STAGE=dev\necho $GONE_TOO ${LOST}\n```",
      "`stacks/stages.ts`, `stacks/gone.ts` and `docs/<id>.md`, `handler/notifications`",
    ].join("\n\n"),
  );
  expect(unknownCommands(document)).toEqual(["x.md: npm run gone", "x.md: npm run gone:too"]);
  expect(unknownVariables(document)).toEqual(["x.md: GONE_TOO", "x.md: LOST", "x.md: GONE"]);
  expect(unknownFiles(document)).toEqual(["x.md: stacks/gone.ts"]);
});
