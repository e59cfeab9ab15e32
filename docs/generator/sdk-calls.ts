import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** Which actions of AWS a program's code needs, by the SDK's commands that it imports. */

/** A call that the code makes. */
export interface Call {
  /** The action that IAM checks: `ses:SendTemplatedEmail`. */
  readonly action: string;
  /** The file that makes the call, from the project's root. */
  readonly file: string;
}

interface CallsOfCode {
  /** Sorted by action and file. */
  readonly calls: readonly Call[];
  /** Imports that hide which calls are made, each as a sentence. */
  readonly problems: readonly string[];
}

const projectRoot = join(__dirname, "..", "..");

/** @param entry the program's first file, from the project's root. */
export function callsOf(entry: string, root = projectRoot): CallsOfCode {
  const files = reachableFrom(join(root, entry));
  const found = files.map((file) => readFile(file, relative(root, file).replaceAll("\\", "/")));
  const calls = new Map(
    found.flatMap(({ calls: some }) => some).map((call) => [`${call.action} ${call.file}`, call] as const),
  );
  return {
    calls: [...calls].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, call]) => call),
    problems: found.flatMap(({ problems }) => problems),
  };
}

/** The files that a program loads of its own project: by what they import, without types. */
function reachableFrom(entry: string, met = new Set<string>()): string[] {
  if (met.has(entry)) return [];
  met.add(entry);
  const next = importsOf(entry)
    .filter(({ module, names }) => module.startsWith(".") && names?.length !== 0)
    .map(({ module }) => join(dirname(entry), module))
    .map((path) => [`${path}.ts`, join(path, "index.ts"), path].find((file) => existsSync(file)) ?? path)
    .filter((path) => path.endsWith(".ts"));
  return [entry, ...next.flatMap((file) => reachableFrom(file, met))];
}

interface Import {
  readonly module: string;
  /** The values that are imported by name; `undefined` where the whole module is imported. */
  readonly names: readonly string[] | undefined;
}

/** What files import, by their text. The programs share most of their files, and to parse them takes long. */
const imports = new Map<string, readonly Import[]>();

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(file, "utf8");
  const found = imports.get(text) ?? parseImports(file, text);
  imports.set(text, found);
  return found;
}

function parseImports(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const declared = source.statements
    .filter((statement) => ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))
    .flatMap((statement): Import[] => {
      const { moduleSpecifier } = statement;
      if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return [];
      return [{ module: moduleSpecifier.text, names: namesOf(statement) }];
    });
  const others = ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((module) => !declared.some((each) => each.module === module));
  return [...declared, ...others.map((module) => ({ module, names: undefined }))];
}

function namesOf(statement: ts.ImportDeclaration | ts.ExportDeclaration): readonly string[] | undefined {
  const [clause, named] = ts.isImportDeclaration(statement)
    ? [statement.importClause, statement.importClause?.namedBindings]
    : [statement, statement.exportClause];
  if (isTypeOnly(clause)) return [];
  if (named === undefined || !(ts.isNamedImports(named) || ts.isNamedExports(named))) return undefined;
  const elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] = [...named.elements];
  return elements.filter((element) => !element.isTypeOnly).map(({ propertyName, name }) => (propertyName ?? name).text);
}

/** Whether an import or an export is of types only, so that nothing is loaded for it. */
function isTypeOnly(node: ts.ImportClause | ts.ExportDeclaration | undefined): boolean {
  if (node === undefined) return false;
  return ts.isImportClause(node) ? node.phaseModifier === ts.SyntaxKind.TypeKeyword : node.isTypeOnly;
}

function readFile(path: string, file: string): CallsOfCode {
  const calls: Call[] = [];
  const problems: string[] = [];
  for (const { module, names } of importsOf(path)) {
    if (!/^@aws-sdk\/(?:client|lib)-/.test(module) || names?.length === 0) continue;
    const hides = (what: string) =>
      problems.push(`${file} imports ${what} of ${module}, which hides its calls: import each command by its name.`);
    if (names === undefined) hides("all");
    else if (module.startsWith("@aws-sdk/lib-")) hides(names.join(", "));
    else {
      const client = clientOf(module);
      for (const name of names) {
        const [, command] = /^(.+)Command$/.exec(name) ?? /^paginate(.+)$/.exec(name) ?? [];
        if (command !== undefined) calls.push({ action: actionOf(client.service, command), file });
        else if (client.hidden.includes(name)) hides(name);
      }
    }
  }
  return { calls, problems };
}

interface Client {
  /** The service as signatures name it. */
  readonly service: string;
  /** Exports that make calls under other names than a command's. */
  readonly hidden: readonly string[];
}

const clients = new Map<string, Client>();

function clientOf(module: string): Client {
  const known = clients.get(module);
  if (known !== undefined) return known;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the module's name comes from the code that is read
  const exports = require(module) as Readonly<Record<string, unknown>>;
  const name = Object.keys(exports).find((each) => each.endsWith("Client") && each !== "__Client") ?? "";
  const Made = exports[name] as new (settings: object) => { config: { defaultSigningName: string }; destroy(): void };
  const client = new Made({ region: "us-east-1" });
  const { defaultSigningName: service } = client.config;
  client.destroy();
  // Beside each client there is a class that has a method for each command, and functions that wait for a state.
  const hidden = Object.keys(exports).filter((each) => `${each}Client` === name || /^wait(?:For|Until)/.test(each));
  const made = { service, hidden };
  clients.set(module, made);
  return made;
}

/**
 * Services and actions that IAM has under another name than the SDK
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
 * A command in a batch is the action of one message (SQS developer guide, "Amazon SQS API permissions").
 */
const otherNames: Readonly<Record<string, string>> = {
  monitoring: "cloudwatch",
  "lambda:Invoke": "lambda:InvokeFunction",
  "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
};

function actionOf(service: string, command: string): string {
  const action = `${otherNames[service] ?? service}:${command}`;
  return otherNames[action] ?? action;
}
