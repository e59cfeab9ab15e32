/** A shorter text does not tell a reader of a review why. */
const fewestCharacters = 30;

/** @returns what is wrong with the written reason for an exception, as the rest of a sentence; `undefined` if nothing is. */
export function reasonProblem(reason: string): string | undefined {
  return reason.trim().length < fewestCharacters ? `has fewer than ${fewestCharacters} characters.` : undefined;
}
