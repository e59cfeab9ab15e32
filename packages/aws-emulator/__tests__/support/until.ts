/** Asks until there is an answer. The patience is generous: it is never what is tested. */
export async function until<Value>(
  what: string,
  ask: () => Value | undefined | Promise<Value | undefined>,
  patienceMs = 120_000,
): Promise<Value> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`There was no ${what} within ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
