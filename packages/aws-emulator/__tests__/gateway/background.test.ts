import { Background } from "../../src/gateway/background";

/** A task that ends when the test says so. */
function task() {
  let end: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const done = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { run: () => done, end, fail };
}

/** Everything that is ready to run has run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("Background", () => {
  const errors: unknown[] = [];
  let background: Background;
  beforeEach(() => {
    errors.length = 0;
    background = new Background((error) => errors.push(error));
  });

  it("counts tasks as pending until each has come to its end, good or bad", async () => {
    const [first, second] = [task(), task()];
    background.run(first.run);
    background.run(second.run);
    expect(background.pending).toBe(2);
    first.end();
    await turn();
    expect(background.pending).toBe(1);
    second.fail(new Error("as told"));
    await turn();
    expect(background.pending).toBe(0);
    expect(errors).toEqual([new Error("as told")]);
  });

  it("counts a task that another one started, so that nothing in between looks like the end", async () => {
    const [first, second] = [task(), task()];
    background.run(async () => {
      await first.run();
      background.run(second.run);
    });
    first.end();
    await turn();
    expect(background.pending).toBe(1);
    second.end();
    await turn();
    expect(background.pending).toBe(0);
  });

  it("does not count what goes on until the gateway closes, and tells of its failure", async () => {
    const poller = task();
    background.runForever(poller.run);
    expect(background.pending).toBe(0);
    poller.fail(new Error("as told"));
    await turn();
    expect(background.pending).toBe(0);
    expect(errors).toEqual([new Error("as told")]);
  });

  it("counts work that is waited for elsewhere, and hands out its value or its failure", async () => {
    const work = task();
    const counted = background.count(work.run().then(() => "value"));
    expect(background.pending).toBe(1);
    work.end();
    expect(await counted).toBe("value");
    expect(background.pending).toBe(0);
    await expect(background.count(Promise.reject(new Error("as told")))).rejects.toThrow("as told");
    expect(background.pending).toBe(0);
    // Whoever waits for it has to tell.
    expect(errors).toEqual([]);
  });

  it.each(["run", "runForever"] as const)("waits, when it closes, for what it %ss", async (method) => {
    const work = task();
    let isClosed = false as boolean;
    background[method](work.run);
    const closed = background.close().then(() => {
      isClosed = true;
    });
    await turn();
    expect(isClosed).toBe(false);
    work.end();
    await closed;
    expect(isClosed).toBe(true);
  });

  it("wakes what sleeps when it closes, and does not tell of it as of a failure", async () => {
    let woken: unknown;
    background.run(async () => {
      await background.sleep(3_600_000).catch((error: unknown) => {
        woken = error;
        throw error;
      });
    });
    expect([background.closing, background.signal.aborted]).toEqual([false, false]);
    await background.close();
    expect([background.closing, background.signal.aborted]).toEqual([true, true]);
    expect(woken).toMatchObject({ name: "AbortError" });
    expect(errors).toEqual([]);
  });

  it("lets what sleeps go on after the time", async () => {
    await expect(background.sleep(1)).resolves.toBeUndefined();
  });
});
