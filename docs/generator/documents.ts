import { type Notification } from "../../handler/notifications/define";
import { type PlacedSuppression } from "../../stacks/policy/suppressions";
import { alarmsDocument } from "./alarms-document";
import { architectureDocument, diagram, diagramFiles } from "./architecture-document";
import { catalogueDocument } from "./catalogue-document";
import { costsDocument } from "./costs-document";
import { iamDocument } from "./iam-document";
import { lossMapDocument } from "./loss-map-document";
import { policyDocument } from "./policy";
import { type CiStacks, type SynthesizedStack } from "./stack";

/** What a document is made from: the notifications, and the stacks of production with them. */
export interface Subject {
  readonly notifications: readonly Notification[];
  readonly stack: SynthesizedStack;
  readonly ci: CiStacks;
  /** The folder of the documents. */
  readonly folder: string;
}

export interface GeneratedDocument {
  /** The file, in the folder of the documents. Markdown is put into the project's style. */
  readonly path: string;
  /**
   * Which notifications the document is about:
   * - `project`: those that the project comes with. What holds for one of them holds for each further one, so the
   *   document stays as it is when a team adds its own, and a test can compare it.
   * - `catalogue`: all of this checkout.
   */
  readonly about: "project" | "catalogue";
  readonly generate: (subject: Subject) => string | Promise<string>;
}

/** What sentences call each stack of a stage. */
const stackNames: Readonly<Record<keyof CiStacks, string>> = {
  notification: "The notification stack",
  ciAccess: "The stack `ci-access`",
  stateBackend: "The stack `state-backend`",
};

/** The suppressions of every stack, by what a sentence calls it. */
export function suppressionsOf(stacks: CiStacks): Readonly<Record<string, readonly PlacedSuppression[]>> {
  return Object.fromEntries(
    Object.entries(stackNames).map(([stack, name]) => [name, stacks[stack as keyof CiStacks].suppressions]),
  );
}

/** Every document that `npm run docs` writes. A further document is a further line. */
export const documents: readonly GeneratedDocument[] = [
  { path: "loss-map.md", about: "project", generate: ({ stack }) => lossMapDocument(stack) },
  { path: "alarms.md", about: "project", generate: ({ stack }) => alarmsDocument(stack) },
  {
    path: "costs.md",
    about: "project",
    generate: ({ stack, notifications, ci }) => costsDocument(stack, notifications, ci),
  },
  { path: "iam.md", about: "project", generate: ({ stack, ci }) => iamDocument(stack, ci) },
  {
    path: "policy.md",
    about: "project",
    generate: ({ ci }) => policyDocument(suppressionsOf(ci)),
  },
  {
    path: "catalogue.md",
    about: "catalogue",
    generate: ({ notifications, folder }) => catalogueDocument(notifications, folder),
  },
  { path: "architecture.md", about: "catalogue", generate: ({ stack }) => architectureDocument(stack) },
  { path: diagramFiles.light, about: "catalogue", generate: ({ stack }) => diagram(stack, "light") },
  { path: diagramFiles.dark, about: "catalogue", generate: ({ stack }) => diagram(stack, "dark") },
];
