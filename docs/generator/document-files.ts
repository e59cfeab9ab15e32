import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as babel from "prettier/plugins/babel";
import * as estree from "prettier/plugins/estree";
import * as markdown from "prettier/plugins/markdown";
import { type Plugin } from "prettier";
import { format } from "prettier/standalone";
import { catalogue } from "../../handler/notifications";
import { seedCatalogue } from "../../handler/notifications/seed";
import { prettier as style } from "../../package.json";
import { findStalePictures, refreshPictures } from "./catalogue-pictures";
import { documents, type GeneratedDocument, type Subject } from "./documents";
import { synthesizeForCi, synthesizeForDocs } from "./stack";

type About = GeneratedDocument["about"];

const notificationsOf = { project: seedCatalogue, catalogue } as const;

/**
 * @param wanted the documents that are generated.
 * @returns path and text, in the project's style, of each.
 */
async function generateDocuments(folder: string, wanted: readonly About[]): Promise<(readonly [string, string])[]> {
  const subjects = new Map<About, Subject>();
  const ci = synthesizeForCi();
  const subjectOf = (about: About): Subject => {
    const notifications = notificationsOf[about];
    const subject = subjects.get(about) ?? { notifications, stack: synthesizeForDocs(notifications), ci, folder };
    subjects.set(about, subject);
    return subject;
  };
  return Promise.all(
    documents
      .filter(({ about }) => wanted.includes(about))
      .map(async ({ path, about, generate }) => {
        const text = await generate(subjectOf(about));
        return [join(folder, path), path.endsWith(".md") ? await inStyle(text) : text] as const;
      }),
  );
}

/** The blocks of JSON in a document are formatted as well. */
const inStyle = (text: string) =>
  format(text, { ...style, parser: "markdown", plugins: [markdown, babel, estree as Plugin] });

const all: readonly About[] = ["project", "catalogue"];

/**
 * @param wanted the documents that are written. @default all
 * @returns why pictures are still missing, as a sentence; `undefined` where none is.
 */
export async function writeDocuments(folder: string, wanted = all): Promise<string | undefined> {
  let missing: string | undefined;
  if (wanted.includes("catalogue")) {
    // A faulty catalogue is told as the synth tells it, before its mails are rendered.
    synthesizeForDocs(catalogue);
    // Before the documents, because the catalogue's shows the pictures that are there.
    missing = await refreshPictures(folder, catalogue);
  }
  for (const [path, text] of await generateDocuments(folder, wanted)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return missing;
}

/**
 * @param wanted the documents that are looked at. @default all
 * @returns paths of the documents and pictures that are missing, left over, or not as they are generated.
 */
export async function findStaleDocuments(folder: string, wanted = all): Promise<string[]> {
  const generated = await generateDocuments(folder, wanted);
  return [
    ...generated
      .filter(([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text)
      .map(([path]) => path),
    ...(wanted.includes("catalogue") ? findStalePictures(folder, catalogue) : []),
  ];
}
