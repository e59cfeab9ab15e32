/** Every character of a wildcard pattern; `*` alone stands for any text. */
type Token = { readonly literal: string } | "*";

/**
 * AWS refuses a pattern with which too many of its beginnings can match one value at the same time (MachineComplexityEvaluator
 * of https://github.com/aws/event-ruler), and does not publish the limit. This one keeps the answers that are known: AWS
 * refuses the pattern `*:*:*:*:*:event-bus/*`, which has 11, and takes one with 6, a wildcard before five times `/dir`.
 */
const mostBeginnings = 10;
/** Where the search for the worst value would take long, the pattern is too complex as well. */
const mostStates = 2000;

/** `*` stands for any characters; `\*` and `\\` for the characters themselves. */
export function wildcard(pattern: string, refuse: (reason: string) => never): (value: string) => boolean {
  const tokens = tokensOf(pattern, refuse);
  if (isTooComplex(tokens)) {
    return refuse(
      "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character",
    );
  }
  const parts = tokens.reduce<string[]>(
    (all, token) => (token === "*" ? [...all, ""] : [...all.slice(0, -1), `${all.at(-1) ?? ""}${token.literal}`]),
    [""],
  );
  return (value) => matches(parts, value);
}

/** Positions are AWS's: bytes, behind the quotation mark that every text begins with. */
function tokensOf(pattern: string, refuse: (reason: string) => never): Token[] {
  const tokens: Token[] = [];
  const characters = Array.from(pattern);
  let position = 1;
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? "";
    const next = characters[index + 1];
    if (character === "*") {
      if (next === "*") refuse(`Consecutive wildcard characters at pos ${position}`);
      tokens.push("*");
    } else if (character === "\\") {
      if (next !== "*" && next !== "\\") return refuse(`Invalid escape character at pos ${position}`);
      tokens.push({ literal: next });
      index += 1;
      position += 1;
    } else {
      tokens.push({ literal: character });
    }
    position += Buffer.byteLength(character);
  }
  return tokens;
}

/** The texts between the wildcards, each at its first place: time that grows with the value, whatever it is. */
function matches(parts: readonly string[], value: string): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first)) return false;
  let position = first.length;
  for (const part of others) {
    const found = value.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return value.length - last.length >= position && value.endsWith(last);
}

/** Walks through all values, each as the set of the places in the pattern that it can have come to. */
function isTooComplex(tokens: readonly Token[]): boolean {
  const alphabet = new Set(tokens.map((token) => (token === "*" ? "*" : token.literal)));
  const start = followed(tokens, [0]);
  const seen = new Set([start.join()]);
  const left = [start];
  for (let places = left.pop(); places !== undefined; places = left.pop()) {
    for (const character of alphabet) {
      const stays = places.filter((place) => tokens[place] === "*");
      const moves = places
        .filter((place) => {
          const token = tokens[place];
          return token !== undefined && token !== "*" && token.literal === character;
        })
        .map((place) => place + 1);
      const next = followed(tokens, [...stays, ...moves]);
      const beginnings = new Set([...stays, ...next.filter((place) => tokens[place] === "*")]).size + moves.length;
      if (beginnings > mostBeginnings) return true;
      const key = next.join();
      if (seen.has(key)) continue;
      if (seen.size === mostStates) return true;
      seen.add(key);
      left.push(next);
    }
  }
  return false;
}

/** A wildcard can stand for nothing: the place behind it is reached too. */
function followed(tokens: readonly Token[], places: readonly number[]): number[] {
  const all = new Set(places.flatMap((place) => (tokens[place] === "*" ? [place, place + 1] : [place])));
  return [...all].sort((one, other) => one - other);
}
