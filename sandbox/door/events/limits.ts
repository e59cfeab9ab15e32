/** Of an entry of PutEvents, and of a record that Lambda puts on a bus (EventBridge quotas). */
export const mostEventBytes = 262_144;

/** "PutEvents will only process nested JSON up to 1000 levels deep" (API_PutEvents). */
export const mostNesting = 1000;

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
