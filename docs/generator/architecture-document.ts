import { drawDiagram, flows, type Theme, title } from "./architecture/diagram";
import { edgesInWords, graphOf } from "./architecture/graph";
import { code, generatedLine, table } from "./markdown";
import { type SynthesizedStack } from "./stack";

/** The files of the diagram, in the folder of the documents. */
export const diagramFiles: Readonly<Record<Theme, string>> = {
  light: "images/architecture-light.svg",
  dark: "images/architecture-dark.svg",
};

export async function diagram(stack: SynthesizedStack, theme: Theme): Promise<string> {
  return drawDiagram(graphOf(stack), theme);
}

/** @throws Error that lists the kinds of resources that the diagram does not know. */
export function architectureDocument(stack: SynthesizedStack): string {
  const graph = graphOf(stack);
  return `${generatedLine}

# ${title}

Drawn from the Terraform JSON of a stage of production, with all notifications of this checkout. Names are those behind project and stage.

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="${diagramFiles.dark}">
  <img alt="${title}: the table below has all of it" src="${diagramFiles.light}">
</picture>

- A bus shows its rules; rules with the same target stand together. EventBridge puts what it can't deliver into the queue that the
  bus names as \`undelivered\`.
- A queue of retries gives what failed back to its function. What failed too often goes on to the dead-letter queue, and a person
  sends it again from there.
- Each part says how many [alarms](alarms.md) watch it.

In words:

${table(
  ["From", "To", "By rule", "It is"],
  edgesInWords(graph).map(({ from, to, rules, flow }) => [from, to, rules.map(code).join(", "), flows[flow].meaning]),
)}

Resources that the diagram leaves out:

${table(
  ["Kind", "Because"],
  [...graph.hidden].map(([type, why]) => [code(type), why]),
)}
`;
}
