/**
 * Compiles a filter pattern of CloudWatch Logs. It knows the two forms that the stacks use: one quoted phrase, or
 * fields of JSON that equal texts, joined by `&&`
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html). moto does not evaluate filter
 * patterns.
 */
export function compileFilter(pattern: string): (line: string) => boolean {
  const phrase = /^"([^"]+)"$/.exec(pattern)?.[1];
  if (phrase !== undefined) return (line) => line.includes(phrase);
  const body = /^\{(.*)\}$/s.exec(pattern.trim())?.[1] ?? "";
  const terms = body.split("&&").map((term) => {
    const [, path, text] = /^\(?\s*\$\.([\w.-]+) = "([^"]*)"\s*\)?$/.exec(term.trim()) ?? [];
    if (path === undefined || text === undefined)
      throw new Error(`The pattern ${pattern} has a term of another kind: ${term}`);
    return { path: path.split("."), text };
  });
  return (line) => {
    const event = parse(line);
    return terms.every(({ path, text }) => path.reduce<unknown>(child, event) === text);
  };
}

function child(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Parses a line. A line that is not JSON matches no pattern on fields. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
