import { join } from "node:path";
import { hasVisibleCharacter } from "../../handler/contract/text";
import { notificationsFolder } from "./files";
import { type LoadedTemplate, tell } from "./load";
import { type Part } from "./pieces";
import { renderPart } from "./render";

interface BlankRead {
  /** File, line and column of the value. */
  readonly place: string;
  readonly shown: string;
}

/**
 * Finds the values that the mail would show and that are blank in `data`. A value in a block that is left out does not
 * count, because the mail does not show it.
 */
export function blankReads(
  id: string,
  template: LoadedTemplate,
  data: Readonly<Record<Part, unknown>>,
  folder = join(notificationsFolder, id),
): BlankRead[] {
  return (["subject", "html", "text"] as const).flatMap((part) => {
    const read = new Set<string>();
    const watched = { [part]: watch(data[part], "", (name) => read.add(name)) };
    renderPart(template[part], watched);
    return [...read].map((name) => {
      const piece = template.pieces[part].find((each) => each.kind === "value" && endsWith(each.text, name));
      const place =
        piece === undefined
          ? { file: join(folder, "index.ts"), line: 1, column: 1, problem: "" }
          : { ...piece.place, problem: "" };
      return {
        place: tell(place, part, join(folder, "index.ts")).replace(/: $/, ""),
        shown: piece?.kind === "value" ? piece.shown : `{{${name}}}`,
      };
    });
  });
}

/** Whether the compiled expression shows the field of this name. */
function endsWith(expression: string, name: string): boolean {
  const path = expression.replace(/^\{\{~?|~?\}\}$/g, "");
  return path === name || path.endsWith(`.${name}`) || path.endsWith(`/${name}`);
}

/**
 * Copies the data with each blank text replaced by an object that tells when it is shown. An empty text becomes an empty
 * list, because Handlebars' blocks treat both as empty.
 */
function watch(value: unknown, name: string, onShown: (name: string) => void): unknown {
  if (typeof value === "string") {
    if (hasVisibleCharacter(value)) return value;
    const toString = () => {
      onShown(name);
      return value;
    };
    return Object.assign(value === "" ? [] : {}, { toString });
  }
  if (Array.isArray(value)) return value.map((row) => watch(row, "this", onShown));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, watch(each, key, onShown)]));
}
