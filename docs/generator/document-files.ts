import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import * as babel from "prettier/plugins/babel";
import * as estree from "prettier/plugins/estree";
import * as markdown from "prettier/plugins/markdown";
import * as typescript from "prettier/plugins/typescript";
import { type Plugin } from "prettier";
import { format } from "prettier/standalone";
import { catalogue } from "../../handler/notifications";
import { seedCatalogue } from "../../handler/notifications/seed";
import { prettier as style } from "../../package.json";
import { findStalePictures, refreshPictures } from "./catalogue-pictures";
import { documents, type GeneratedDocument, type Subject } from "./documents";
import { isProducerFile, producerFiles } from "./producer-package";
import { synthesizeForCi, synthesizeForDocs } from "./stack";

type About = GeneratedDocument["about"];

/** Where the generated files are. */
export interface Folders {
  /** The documents, without those that are written by hand. */
  readonly docs: string;
  /** The producers' package. */
  readonly producer: string;
}

const notificationsOf = { project: seedCatalogue, catalogue } as const;

/**
 * @param wanted the documents that are generated.
 * @returns path and text, in the project's style, of each.
 */
async function generateDocuments(
  { docs, producer }: Folders,
  wanted: readonly About[],
): Promise<(readonly [string, string])[]> {
  const subjects = new Map<About, Subject>();
  const ci = synthesizeForCi();
  const subjectOf = (about: About): Subject => {
    const notifications = notificationsOf[about];
    const subject = subjects.get(about) ?? { notifications, stack: synthesizeForDocs(notifications), ci, folder: docs };
    subjects.set(about, subject);
    return subject;
  };
  const texts = documents
    .filter(({ about }) => wanted.includes(about))
    .map(async ({ path, about, generate }) => [join(docs, path), await generate(subjectOf(about))] as const);
  const files = wanted.includes("catalogue") ? [...(await producerFiles(catalogue))] : [];
  const ofPackage = files.map(([path, text]) => [join(producer, path), text] as const);
  return Promise.all(
    [...(await Promise.all(texts)), ...ofPackage].map(
      async ([path, text]) => [path, await inStyle(path, text)] as const,
    ),
  );
}

const parsers: Readonly<Record<string, string>> = { ".md": "markdown", ".ts": "typescript", ".json": "json" };

/** @returns the text in the project's style, and that of a picture as it is. */
export async function inStyle(path: string, text: string): Promise<string> {
  const parser = parsers[extname(path)];
  if (parser === undefined) return text;
  // The blocks of JSON in a document are formatted as well.
  return format(text, { ...style, parser, plugins: [markdown, babel, estree as Plugin, typescript] });
}

/** Files of the producers' package that the generator wrote for a notification that is gone. */
function findLeftOver({ producer }: Folders, generated: readonly (readonly [string, string])[]): string[] {
  if (!existsSync(producer)) return [];
  const paths = new Set(generated.map(([path]) => path));
  return ["src/generated", "schemas", "examples"]
    .filter((folder) => existsSync(join(producer, folder)))
    .flatMap((folder) => readdirSync(join(producer, folder)).map((name) => `${folder}/${name}`))
    .filter(isProducerFile)
    .map((path) => join(producer, path))
    .filter((path) => !paths.has(path));
}

const all: readonly About[] = ["project", "catalogue"];

/**
 * @param wanted the documents that are written. @default all, and the producers' package
 * @returns why pictures are still missing, as a sentence; `undefined` where none is.
 */
export async function writeDocuments(folders: Folders, wanted = all): Promise<string | undefined> {
  let missing: string | undefined;
  if (wanted.includes("catalogue")) {
    // A faulty catalogue is told as the synth tells it, before its mails are rendered.
    synthesizeForDocs(catalogue);
    // Before the documents, because the catalogue's shows the pictures that are there.
    missing = await refreshPictures(folders.docs, catalogue);
  }
  const generated = await generateDocuments(folders, wanted);
  for (const [path, text] of generated) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  if (wanted.includes("catalogue")) for (const path of findLeftOver(folders, generated)) rmSync(path);
  return missing;
}

/**
 * @param wanted the documents that are looked at. @default all, and the producers' package
 * @returns paths of the files that are missing, left over, or not as they are generated.
 */
export async function findStaleDocuments(folders: Folders, wanted = all): Promise<string[]> {
  const generated = await generateDocuments(folders, wanted);
  const ofCatalogue = () => [...findStalePictures(folders.docs, catalogue), ...findLeftOver(folders, generated)];
  return [
    ...generated
      .filter(([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text)
      .map(([path]) => path),
    ...(wanted.includes("catalogue") ? ofCatalogue() : []),
  ];
}
