import { type Environment, run } from "./program";
import { Refusal } from "./refusal";

/** A checkout that is planned or deployed. */
export interface Source {
  readonly commit: string;
  /**
   * The hash of all its files. A squash or a rebase makes a commit of its own, so only the tree says whether what was
   * merged is what was planned.
   */
  readonly tree: string;
}

/**
 * Reads what is checked out.
 * @throws Refusal if a file differs from the commit, because the hash would not tell of it.
 */
export async function readSource(directory: string, environment: Environment): Promise<Source> {
  const git = async (...words: string[]) =>
    (await run(["git", ...words], { directory, environment, quiet: true })).text.trim();
  const changed = await git("status", "--porcelain");
  if (changed !== "") {
    throw new Refusal(`The checkout has changes, which no commit names: commit them, or take them back.\n${changed}`);
  }
  return { commit: await git("rev-parse", "HEAD"), tree: await git("rev-parse", "HEAD^{tree}") };
}
