/**
 * How deep JSON may be nested to be shown as JSON: deeper than any event that a person reads, and less than what
 * clients give up at (jq at 256 levels, Python at about 1,000, V8's own JSON.stringify at a few thousand).
 */
export const deepestShown = 100;

/** `JSON.stringify` for values of any depth: V8's own recurses, and fails at some thousand levels. */
export function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return stringifyDeep(value);
  }
}

class Text {
  constructor(readonly text: string) {}
}

/** Of what was parsed from JSON. A stack of its own takes the place of the call stack. */
function stringifyDeep(root: unknown): string {
  const parts: string[] = [];
  const rest: unknown[] = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (value instanceof Text) parts.push(value.text);
    else if (Array.isArray(value)) {
      parts.push("[");
      rest.push(new Text("]"));
      for (let index = value.length - 1; index >= 0; index -= 1) {
        rest.push((value as unknown[])[index]);
        if (index > 0) rest.push(new Text(","));
      }
    } else if (typeof value === "object" && value !== null) {
      const fields = Object.entries(value).filter(([, field]) => field !== undefined);
      parts.push("{");
      rest.push(new Text("}"));
      for (const [index, [name, field]] of [...fields.entries()].reverse()) {
        rest.push(field, new Text(`${index > 0 ? "," : ""}${JSON.stringify(name)}:`));
      }
    } else parts.push(JSON.stringify(value ?? null));
  }
  return parts.join("");
}

/** How deep objects and arrays lie in each other in a JSON text. */
export function nestingOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isInText = false;
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (isInText) {
      if (character === "\\") index += 1;
      else if (character === '"') isInText = false;
    } else if (character === '"') isInText = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth -= 1;
  }
  return deepest;
}

/** Whether a JSON text is nested deeper than is shown. */
export const isNestedTooDeeply = (json: string): boolean => nestingOf(json) > deepestShown;
