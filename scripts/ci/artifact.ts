import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { configVariables } from "../../stacks/config-variables";
import { type Environment, run } from "./program";
import { planAgain, Refusal } from "./refusal";

/**
 * What a plan job hands to the deployment: a folder with three files. `stack.tar` is the stack's output folder with the
 * plan in it. It is a tar, because `actions/upload-artifact` keeps neither modes nor links of files, and leaves out
 * files whose name begins with a dot, such as Terraform's lock file.
 */
const names = { manifest: "manifest.json", summary: "summary.md", stack: "stack.tar" } as const;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** The files without which nothing can be applied. */
const needed = ["cdk.tf.json", "plan.tfplan", ".terraform.lock.hcl"] as const;

/**
 * The files that a plan's folder has. Terraform would run or obey several others: a program below `.terraform`, an
 * override, a file of variables, a CLI configuration.
 */
const fileName = z
  .string()
  .refine(
    (path) =>
      (needed as readonly string[]).includes(path) ||
      (/^assets(?:\/[\w@+-][\w.@+-]*)+$/.test(path) && !/\.(?:tf|tf\.json|tfvars|tfvars\.json)$/.test(path)),
    { error: ({ input }) => `${String(input)} is no file of a plan` },
  );

const setting = z.string().regex(/^[^\r\n]*$/, "has more than one line, which no setting of a stage has");

const fields = z.strictObject({
  version: z.literal(1),
  stage: z.string(),
  /** The synthesized stack, for example `notification-dev`. */
  stack: z.string(),
  commit: z.string(),
  tree: z.string(),
  /** The state that the plan was made for; `null` where there was none. */
  state: z.strictObject({ lineage: z.string(), serial: z.number() }).nullable(),
  /** The stage's configuration, for the steps after the apply. */
  settings: z.partialRecord(z.enum(configVariables), setting),
  /** SHA-256 of each file of the stack's folder, by its path there. */
  files: z.record(fileName, hash),
});
const manifestSchema = fields
  .refine(({ stage, settings: { STAGE = stage } }) => STAGE === stage, "the settings are those of another stage")
  .superRefine(({ stage, stack, files }, context) => {
    if (stack !== `notification-${stage}`) context.addIssue(`the stack ${stack} is not that of the stage ${stage}`);
    for (const file of needed) if (!Object.hasOwn(files, file)) context.addIssue(`files: ${file} is missing`);
  });
export type Manifest = z.infer<typeof manifestSchema>;

/** Files of a stack's folder that are not handed on: the providers, which `terraform init` installs. */
const leftOut = ".terraform";

/** What is below a folder and no folder itself, by its path there: SHA-256 of a file, and `undefined` for anything else. */
function hashFiles(folder: string): Record<string, string | undefined> {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry): [string, string | undefined] => {
      const path = join(entry.parentPath, entry.name);
      const inFolder = path.slice(folder.length + 1).replaceAll("\\", "/");
      return [inFolder, entry.isFile() ? sha256(path, "hex") : undefined];
    });
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const sha256 = (file: string, encoding: "hex" | "base64"): string =>
  createHash("sha256").update(readFileSync(file)).digest(encoding);

/**
 * Writes the folder that a plan job uploads.
 * @param stackFolder the output folder of the stack, with the plan.
 */
export async function writeArtifact(
  folder: string,
  stackFolder: string,
  content: { readonly manifest: Omit<Manifest, "version" | "files">; readonly summary: string },
  environment: Environment,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const files = Object.entries(hashFiles(stackFolder)).filter(([path]) => !path.startsWith(`${leftOut}/`));
  const links = files.filter(([, digest]) => digest === undefined).map(([path]) => path);
  if (links.length > 0)
    throw new Refusal(`The stack's folder has what is no file, and can't be handed on: ${links.join(", ")}.`);
  const parsed = manifestSchema.safeParse({ version: 1, ...content.manifest, files: Object.fromEntries(files) });
  if (!parsed.success) throw new Refusal(`This plan can't be handed on: ${problemsOf(parsed.error)}.`);
  const manifest = parsed.data;
  writeFileSync(join(folder, names.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, names.summary), `${content.summary.trim()}\n`);
  await run(["tar", "-c", "-f", join(folder, names.stack), `--exclude=./${leftOut}`, "."], {
    directory: stackFolder,
    environment,
  });
}

/**
 * Reads what describes a plan.
 * @param stage whose plan it has to be; without it, any stage's.
 * @throws Refusal if it is missing or damaged, or of another stage.
 */
export function readManifest(folder: string, stage?: string): Manifest {
  const file = join(folder, names.manifest);
  if (!existsSync(file)) throw new Refusal(`${file} is not there, so there is no plan: ${planAgain}.`);
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Refusal(`${file} can't be read: ${planAgain}.`, { cause });
  }
  const parsed = manifestSchema.safeParse(found);
  if (!parsed.success) throw new Refusal(`${file} can't be used (${problemsOf(parsed.error)}): ${planAgain}.`);
  if (stage !== undefined && parsed.data.stage !== stage) {
    throw new Refusal(
      `${file} is of a plan for the stage "${parsed.data.stage}", and not for "${stage}": ${planAgain}.`,
    );
  }
  return parsed.data;
}

const problemsOf = ({ issues }: z.ZodError): string =>
  issues
    .map((issue) => {
      if (issue.code === "invalid_key") return issue.issues.map(({ message }) => message).join("; ");
      return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
    })
    .join("; ");

/** The summary of a plan; `undefined` where the plan's job did not come that far. */
export function readSummary(folder: string): string | undefined {
  const file = join(folder, names.summary);
  return (existsSync(file) && readFileSync(file, "utf8").trim()) || undefined;
}

/**
 * Unpacks the stack's folder, and holds each file against its hash.
 * @param into a folder that is made anew.
 * @throws Refusal if a file is missing, is another one, or was added.
 */
export async function unpackStack(folder: string, into: string, environment: Environment): Promise<void> {
  const { files: planned } = readManifest(folder);
  const tar = join(folder, names.stack);
  if (!existsSync(tar)) throw new Refusal(`${tar} is not there, so there is no plan: ${planAgain}.`);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  await run(["tar", "-x", "-f", tar], { directory: into, environment });
  const found = hashFiles(into);
  const missing = Object.keys(planned).filter((path) => !Object.hasOwn(found, path));
  const problems = [
    ...missing.map((path) => `${path} is missing`),
    ...Object.entries(found).flatMap(([path, digest]) => describeFile(path, digest, planned[path])),
  ];
  if (problems.length > 0) {
    throw new Refusal(
      `The artifact is damaged (${problems.join("; ")}), so it is not the plan that was read: ${planAgain}.`,
    );
  }
}

function describeFile(path: string, found: string | undefined, planned: string | undefined): string[] {
  if (found === undefined) return [`${path} is no file`];
  if (planned === undefined) return [`${path} was added`];
  return found === planned ? [] : [`${path} is another file`];
}
