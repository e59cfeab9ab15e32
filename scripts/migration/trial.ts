import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import microdiff from "microdiff";
import { synthesize } from "../../sandbox/synthesize";
import { exampleEnvironment } from "../../stacks/example-environment";
import { stages, type StageSettings } from "../../stacks/stages";
import { type Way } from "./ways";

const run = promisify(execFile);

const projectRoot = join(__dirname, "..", "..");

/** A folder inside this project finds every other package in the project's own node_modules. */
const trials = join(projectRoot, ".migration");

/** What a way needs of this project's sources: the stacks, and the handler that they bundle. */
const sources = ["main.ts", "stacks", "handler"];

/** A difference between the Terraform JSON of this project and that of a way. */
export interface Difference {
  /** The path in the JSON, for example `terraform.required_providers.aws.version`. */
  readonly path: string;
  /** JSON of the value here; `undefined` where only the way has one. */
  readonly here: string | undefined;
  /** JSON of the value of the way; `undefined` where only this project has one. */
  readonly there: string | undefined;
  /**
   * The stacks that have this difference: `"all"`, or the names. `notification-<stage>` stands for this stack of every
   * stage.
   */
  readonly stacks: readonly string[] | "all";
}

export interface TrialResult {
  /** Errors of the TypeScript compiler, one line each. */
  readonly typeErrors: readonly string[];
  readonly differences: readonly Difference[];
}

/** The parsed Terraform JSON of each stack, by `<stage>/<stack>`. */
export type SynthesizedStages = Readonly<Record<string, unknown>>;

/** Synthesizes every stage of this project as it is. */
export function synthesizeHere(terraform: string): Promise<SynthesizedStages> {
  return synthesizeStages(projectRoot, terraform);
}

/**
 * Installs a way's packages beside a copy of the sources, checks the types, and synthesizes every stage.
 * @param here what `synthesizeHere` returned
 * @throws Error where npm can't install the packages, or where a synth fails.
 */
export async function tryWay(way: Way, here: SynthesizedStages, terraform: string): Promise<TrialResult> {
  const folder = join(trials, way.id);
  // A run that was interrupted has left what it installed, of whichever way.
  rmSync(trials, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    for (const name of sources) cpSync(join(projectRoot, name), join(folder, name), { recursive: true });
    replaceTexts(folder, way);
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({
        name: `migration-${way.id}`,
        private: true,
        dependencies: way.packages,
        overrides: way.overrides,
      }),
    );
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", compilerOptions: { types: ["node"] }, include: sources }),
    );
    await install(folder, way.title);
    return {
      typeErrors: await findTypeErrors(folder),
      differences: findDifferences(here, await synthesizeStages(folder, terraform)),
    };
  } finally {
    rmSync(trials, { recursive: true, force: true });
  }
}

/** The packages' engines name newer versions of Node.js than they need for a synth, so that npm warns. */
async function install(folder: string, title: string): Promise<void> {
  const options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"];
  await run("npm", ["install", ...options], { cwd: folder }).catch((cause: unknown) => {
    const { stderr = "" } = cause as { readonly stderr?: string };
    throw new Error(
      `${stderr.trim()}\nnpm could not install the packages of "${title}". The check needs npm's registry, and this machine may be offline. docs/migrating.md was not changed.`,
      { cause },
    );
  });
}

function replaceTexts(folder: string, { replacements = [] }: Way): void {
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts")) continue;
    const file = join(folder, path);
    const text = readFileSync(file, "utf8");
    writeFileSync(
      file,
      replacements.reduce((changed, { from, to }) => changed.replace(from, to), text),
    );
  }
}

async function findTypeErrors(folder: string): Promise<string[]> {
  const tsc = require.resolve("typescript/bin/tsc");
  try {
    await run(process.execPath, [tsc, "--noEmit", "--pretty", "false", "-p", folder], { cwd: folder });
    return [];
  } catch (error) {
    const { stdout = "" } = error as { readonly stdout?: string };
    const errors = stdout.split("\n").filter((line) => /\berror TS\d+:/.test(line));
    if (errors.length === 0) throw error;
    return errors;
  }
}

async function synthesizeStages(folder: string, terraform: string): Promise<SynthesizedStages> {
  const found: Record<string, unknown> = {};
  for (const stage of Object.keys(stages)) {
    const out = mkdtempSync(join(tmpdir(), "migration-"));
    await synthesize(folder, { terraform, environment: { ...environmentOf(stage), CDKTF_OUTDIR: out } });
    for (const stack of readdirSync(join(out, "stacks"))) {
      const text = readFileSync(join(out, "stacks", stack, "cdk.tf.json"), "utf8");
      // The path of a local state is in the JSON, and it begins with the folder of the sources.
      found[`${stage}/${stack}`] = JSON.parse(text.replaceAll(folder, "."));
    }
    rmSync(out, { recursive: true, force: true });
  }
  return found;
}

const entries: Readonly<Record<string, StageSettings>> = stages;

const environmentOf = (stage: string): Record<string, string | undefined> => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  ...exampleEnvironment(stage, entries[stage] ?? {}),
});

/** Lists every difference once, with the stacks that have it. */
export function findDifferences(here: SynthesizedStages, there: SynthesizedStages): Difference[] {
  const found = new Map<string, { readonly difference: Omit<Difference, "stacks">; readonly stacks: Set<string> }>();
  const compared = new Set([...Object.keys(here), ...Object.keys(there)]);
  for (const stack of compared) {
    for (const change of microdiff({ json: here[stack] }, { json: there[stack] })) {
      const difference = {
        path: change.path.slice(1).join(".") || "(the whole stack)",
        here: textOf("oldValue" in change ? change.oldValue : undefined),
        there: textOf("value" in change ? change.value : undefined),
      };
      const key = JSON.stringify(difference);
      const entry = found.get(key) ?? { difference, stacks: new Set() };
      entry.stacks.add(stack);
      found.set(key, entry);
    }
  }
  return [...found.values()]
    .map(({ difference, stacks }) => ({
      ...difference,
      stacks: stacks.size === compared.size ? ("all" as const) : namesOf(stacks, compared),
    }))
    .sort((a, b) => a.path.localeCompare(b.path) || String(a.there).localeCompare(String(b.there)));
}

/** The stacks' names, with one name for a stack that every stage has. */
function namesOf(found: ReadonlySet<string>, compared: ReadonlySet<string>): string[] {
  const kinds = new Set([...found].map(kindOf));
  return [...kinds].sort().flatMap((kind) => {
    const all = [...compared].filter((stack) => kindOf(stack) === kind);
    const those = all.filter((stack) => found.has(stack));
    return those.length === all.length ? [kind] : those.sort();
  });
}

/** The stack's name without its stage: `notification-<stage>` for `prod/notification-prod`. */
function kindOf(stack: string): string {
  const [stage = "", name = ""] = stack.split("/");
  return name.endsWith(`-${stage}`) ? `${name.slice(0, -stage.length)}<stage>` : name;
}

/** The value, without the hash of a bundle. The hash changes with every line of the handler. */
function textOf(value: unknown): string | undefined {
  return (JSON.stringify(value) as string | undefined)?.replace(/\b[0-9A-F]{32}\b/g, "<hash>");
}
