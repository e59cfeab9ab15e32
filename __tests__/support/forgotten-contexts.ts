import { AsyncLocalStorage } from "node:async_hooks";

/**
 * jest-circus (30.5) makes an AsyncLocalStorage for each test file, and leaves it enabled. Node.js 20 goes through all
 * enabled ones for each promise, so that each file made those after it slower. Here, each file begins without those of
 * the files that the same process has run before it.
 */

const { prototype } = AsyncLocalStorage as unknown as {
  readonly prototype: AsyncLocalStorage<unknown> & { enabledByTests?: Set<AsyncLocalStorage<unknown>> };
};

const earlier = prototype.enabledByTests;
if (earlier === undefined) {
  const enabled = (prototype.enabledByTests = new Set());
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the `this` of its caller
  const { run } = prototype;
  prototype.run = function (this: AsyncLocalStorage<unknown>, ...words: Parameters<typeof run>) {
    enabled.add(this);
    return run.apply(this, words);
  } as typeof run;
} else {
  for (const storage of earlier) storage.disable();
  earlier.clear();
}
