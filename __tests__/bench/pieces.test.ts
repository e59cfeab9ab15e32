import { claimId } from "../../handler/claims";
import {
  AsynchronousInvocations,
  type AsynchronousSettings,
  type FailedInvocation,
} from "../../bench/simulation/asynchronous-invocations";
import { Bus, type BusEvent } from "../../bench/simulation/bus";
import { createClaimTable } from "../../bench/simulation/claim-table";
import { EventSource } from "../../bench/simulation/event-source";
import { type RunResult, SimulatedFunction } from "../../bench/simulation/function";
import { Heap } from "../../bench/simulation/heap";
import { percentile } from "../../bench/simulation/ledger";
import { SimulatedQueue } from "../../bench/simulation/queue";
import { createRandom, sampleLatency } from "../../bench/simulation/random";
import { TokenBucket } from "../../bench/simulation/token-bucket";
import { VirtualClock } from "../../bench/simulation/virtual-clock";

/** The parts of the model, each against what AWS documents of it. */

const second = 1000;
const minute = 60 * second;
/** No chance: the longest wait, the median latency. */
const noChance = () => 0;

describe("the heap", () => {
  it("hands out what is due first, and of equals what came first", () => {
    const heap = new Heap<string>();
    const random = createRandom(7);
    const keys = Array.from({ length: 2000 }, () => Math.floor(random() * 50));
    keys.forEach((key, index) => {
      heap.push(key, `${String(key).padStart(2, "0")}-${String(index).padStart(4, "0")}`);
    });
    const out = Array.from({ length: heap.size }, () => heap.pop());
    expect(out).toEqual([...out].sort());
    expect(heap.size).toBe(0);
    expect(heap.pop()).toBeUndefined();
  });
});

describe("the clock", () => {
  it("lets everything that waited for a promise run before time goes on", async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    clock.after(10, () => log.push(`callback at ${clock.now()}`));
    void (async () => {
      await clock.wait(10);
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      log.push(`promise at ${clock.now()}`);
      await clock.wait(5);
      log.push(`second at ${clock.now()}`);
    })();
    clock.after(11, () => log.push(`callback at ${clock.now()}`));
    await clock.run();
    expect(log).toEqual(["callback at 10", "promise at 10", "callback at 11", "second at 15"]);
  });
});

describe("chance", () => {
  it("is the same for the same seed, and another for another", () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("meets the median and the 99th percentile of a latency", () => {
    const random = createRandom(3);
    const latencies = Array.from({ length: 20_000 }, () => sampleLatency({ medianMs: 80, p99Ms: 400 }, random));
    expect(percentile(latencies, 0.5)).toBeGreaterThan(77);
    expect(percentile(latencies, 0.5)).toBeLessThan(83);
    expect(percentile(latencies, 0.99)).toBeGreaterThan(360);
    expect(percentile(latencies, 0.99)).toBeLessThan(440);
  });
});

describe("the token bucket", () => {
  it("lets a burst of a second through, and then the rate", () => {
    const bucket = new TokenBucket(14, 14, 0);
    const taken = (now: number) => Array.from({ length: 20 }, () => bucket.take(now)).filter(Boolean).length;
    expect(taken(0)).toBe(14);
    expect(taken(500)).toBe(7);
    expect(taken(1500)).toBe(14);
    // However long the pause is, no more than the burst is saved up.
    expect(taken(60_000)).toBe(14);
  });
});

const fails: RunResult = { kind: "error", errorType: "ServiceUnavailable", errorMessage: "503" };
const succeeds: RunResult = { kind: "success", result: { batchItemFailures: [] } };

/** A function that answers at once, by script: `undefined` means throttled. The last answer stays. */
function scripted(clock: VirtualClock, answers: readonly (RunResult | undefined)[]) {
  const at: number[] = [];
  const inputs: unknown[] = [];
  return {
    at,
    inputs,
    invoke(input: unknown, done: (runResult: RunResult) => void): boolean {
      const answer = answers[Math.min(at.length, answers.length - 1)];
      at.push(clock.now());
      inputs.push(input);
      if (answer !== undefined) done(answer);
      return answer !== undefined;
    },
  };
}

describe("Lambda's asynchronous queue", () => {
  const settings: AsynchronousSettings = {
    retries: 2,
    maximumAgeMs: 6 * 60 * minute,
    errorRetryDelaysMs: [minute, 2 * minute],
    throttleJitter: 0,
    duplicateRate: 0,
  };

  async function accept(answers: readonly (RunResult | undefined)[], changes: Partial<AsynchronousSettings> = {}) {
    const clock = new VirtualClock();
    const fn = scripted(clock, answers);
    const failures: FailedInvocation[] = [];
    const queue = new AsynchronousInvocations(clock, fn, { ...settings, ...changes }, createRandom(1), (failure) =>
      failures.push(failure),
    );
    queue.accept("event");
    await clock.run();
    const [first = 0] = fn.at;
    return { tries: fn.at.map((at) => at - first), failures, depth: queue.depth };
  }

  it("tries a failing event again after one minute and two more, and then gives it up", async () => {
    const { tries, failures, depth } = await accept([fails]);
    expect(tries).toEqual([0, minute, 3 * minute]);
    expect(failures).toEqual([{ payload: "event", condition: "RetriesExhausted", runs: 3, error: fails }]);
    expect(depth).toBe(0);
  });

  it("tries a throttled event after 1, 2, 4 .. seconds, at most 5 minutes, without using up its retries", async () => {
    const { tries, failures } = await accept([...Array<undefined>(12).fill(undefined), fails, succeeds]);
    const waits = tries.slice(1).map((at, index) => (at - (tries[index] ?? 0)) / second);
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 60]);
    expect(failures).toEqual([]);
  });

  it("gives up what it could not run until it was too old, as an event without an error", async () => {
    const { tries, failures } = await accept([undefined]);
    expect(failures).toEqual([{ payload: "event", condition: "EventAgeExceeded", runs: 0, error: undefined }]);
    expect(tries.at(-1)).toBeLessThanOrEqual(settings.maximumAgeMs);
    expect(tries.at(-1)).toBeGreaterThan(settings.maximumAgeMs - 5 * minute - second);
  });

  it("hands an event out twice, by chance", async () => {
    const { tries } = await accept([succeeds], { duplicateRate: 1 });
    expect(tries).toHaveLength(2);
  });
});

describe("a queue", () => {
  const settings = { visibilityTimeoutMs: 200 * second, retentionMs: 14 * 24 * 60 * minute };

  function createQueues(maxReceiveCount: number) {
    const clock = new VirtualClock();
    const deadLetters = new SimulatedQueue(clock, settings);
    const queue = new SimulatedQueue(clock, { ...settings, redrive: { maxReceiveCount, deadLetters } });
    return { clock, deadLetters, queue };
  }

  it("shows a message again when its visibility timeout is over, unless it was deleted", async () => {
    const { clock, queue } = createQueues(9);
    const shownAt: number[] = [];
    queue.send("kept");
    queue.send("deleted");
    queue.onVisible = () => shownAt.push(clock.now());
    const [, second] = queue.receive(10);
    expect(queue.receive(10)).toEqual([]);
    if (second) queue.delete(second);
    await clock.run();
    expect(shownAt).toEqual([settings.visibilityTimeoutMs]);
    expect(queue.receive(10).map(({ body, receiveCount }) => [body, receiveCount])).toEqual([["kept", 2]]);
    expect(queue.depth).toBe(1);
  });

  it("moves a message to the dead letters at the receive after its last one", async () => {
    const { clock, queue, deadLetters } = createQueues(3);
    const fn = scripted(clock, [fails]);
    const source = { batchSize: 10, maximumConcurrency: 2, reportsItemFailures: true };
    new EventSource(clock, queue, fn, source, noChance);
    queue.send("event");
    await clock.run();
    expect(fn.at).toHaveLength(3);
    expect([queue.depth, deadLetters.depth]).toEqual([0, 1]);
    expect(deadLetters.receive(1).map(({ body, sentAt }) => [body, sentAt])).toEqual([["event", 0]]);
  });
});

describe("an event source", () => {
  const settings = { batchSize: 2, maximumConcurrency: 1, reportsItemFailures: true };
  const queueSettings = { visibilityTimeoutMs: 100 * second, retentionMs: 60 * 60 * minute };

  it("deletes what succeeded, and leaves what the function names", async () => {
    const clock = new VirtualClock();
    const queue = new SimulatedQueue(clock, queueSettings);
    const partly: RunResult = { kind: "success", result: { batchItemFailures: [{ itemIdentifier: "m2" }] } };
    const fn = scripted(clock, [partly, succeeds]);
    queue.send("one");
    queue.send("two");
    new EventSource(clock, queue, fn, settings, noChance);
    queue.onVisible();
    await clock.run();
    expect(
      fn.inputs.map((input) => (input as { Records: { body: string }[] }).Records.map(({ body }) => body)),
    ).toEqual([["one", "two"], ["two"]]);
    expect(queue.depth).toBe(0);
  });

  it("tries a throttled batch until its messages are visible again: a receive is used up, and no more", async () => {
    const clock = new VirtualClock();
    const queue = new SimulatedQueue(clock, queueSettings);
    const fn = scripted(clock, [...Array<undefined>(8).fill(undefined), succeeds]);
    const source = new EventSource(clock, queue, fn, settings, noChance);
    queue.send("event");
    await clock.run();
    const last = fn.inputs.at(-1) as { Records: { attributes: { ApproximateReceiveCount: string } }[] };
    expect(last.Records[0]?.attributes.ApproximateReceiveCount).toBe("2");
    expect(source.dropped).toBe(1);
    expect(queue.depth).toBe(0);
  });

  it("runs no more batches at once than it may", async () => {
    const clock = new VirtualClock();
    const queue = new SimulatedQueue(clock, queueSettings);
    let running = 0;
    let most = 0;
    const fn = {
      invoke: (_: unknown, done: (runResult: RunResult) => void) => {
        most = Math.max(most, ++running);
        clock.after(second, () => {
          running -= 1;
          done(succeeds);
        });
        return true;
      },
    };
    new EventSource(clock, queue, fn, { ...settings, maximumConcurrency: 3 }, noChance);
    for (let message = 0; message < 20; message += 1) queue.send("event");
    await clock.run();
    expect(most).toBe(3);
    expect(queue.depth).toBe(0);
  });
});

describe("a function", () => {
  it("starts no more runs at once than are reserved, and one more when one ends", async () => {
    const clock = new VirtualClock();
    const fn = new SimulatedFunction(clock, { reservedConcurrency: 2, timeoutMs: minute }, () => async () => {
      await clock.wait(second);
      return { batchItemFailures: [] };
    });
    const start = () => fn.invoke({}, () => undefined);
    expect([start(), start(), start()]).toEqual([true, true, false]);
    await clock.run();
    expect(start()).toBe(true);
    expect(fn.throttles).toBe(1);
  });

  it("reports an error by its name, as Lambda does", async () => {
    const clock = new VirtualClock();
    const fn = new SimulatedFunction(clock, { reservedConcurrency: 1, timeoutMs: minute }, () => () => {
      return Promise.reject(Object.assign(new Error("no"), { name: "Throttled" }));
    });
    const runResults: RunResult[] = [];
    fn.invoke({}, (runResult) => runResults.push(runResult));
    await clock.run();
    expect(runResults).toEqual([{ kind: "error", errorType: "Throttled", errorMessage: "no" }]);
  });
});

describe("the bus", () => {
  const event: BusEvent = { id: "1", source: "app", "detail-type": "Thing", time: "2026-01-01T00:00:00Z", detail: {} };
  const target = {
    kind: "function",
    address: "fn",
    inputPath: undefined,
    retries: 185,
    maximumAgeMs: 24 * 60 * minute,
    deadLetterQueue: "dlq",
  } as const;
  const rules = [{ address: "rule", bus: "bus", pattern: JSON.stringify({ source: ["app"] }), targets: [target] }];

  async function put(given: BusEvent, targetFailureRate: number, duplicateRate = 0, busAddress = "bus") {
    const clock = new VirtualClock();
    const delivered: string[] = [];
    const parkedAt: number[] = [];
    const bus = new Bus(
      clock,
      rules,
      { duplicateRate, targetFailureRate },
      createRandom(1),
      ({ address }) => delivered.push(address),
      () => parkedAt.push(clock.now()),
    );
    bus.put(busAddress, given);
    await clock.run();
    return { delivered, parkedAt, bus };
  }

  it("delivers by the deployed patterns, and counts what no rule takes", async () => {
    expect((await put(event, 0)).delivered).toEqual(["fn"]);
    const stray = await put({ ...event, source: "other" }, 0);
    expect([stray.delivered, stray.bus.unmatched]).toEqual([[], 1]);
    const elsewhere = await put(event, 0, 0, "other-bus");
    expect([elsewhere.delivered, elsewhere.bus.unmatched]).toEqual([[], 1]);
  });

  it("parks what the target did not take within its attempts and its age", async () => {
    const { delivered, parkedAt, bus } = await put(event, 1);
    expect(delivered).toEqual([]);
    expect(parkedAt).toHaveLength(1);
    expect(parkedAt[0]).toBeLessThanOrEqual(target.maximumAgeMs + minute);
    expect(bus.targetRetries).toBeLessThanOrEqual(target.retries);
    expect(bus.targetRetries).toBeGreaterThan(100);
  });

  it("delivers an event twice, by chance", async () => {
    expect((await put(event, 0, 1)).delivered).toEqual(["fn", "fn"]);
  });
});

describe("the claim table", () => {
  const id = claimId({ source: "source", detailType: "type" }, "key", "somebody@example.com");
  const claimedFor = { eventId: "1", contentHash: "hash" };
  const request = {
    id,
    notification: "notification",
    edition: { locale: "en" },
    ...claimedFor,
    heldUntil: 30 * second,
    takeOver: false,
  };

  function createTable() {
    const clock = new VirtualClock();
    return { clock, table: createClaimTable(clock, 3600, () => 5) };
  }

  it("gives one mail to one of two runs that claim it at once", async () => {
    const { clock, table } = createTable();
    const answers = Promise.all([table.claim(request), table.claim(request)]);
    await clock.run();
    expect(await answers).toMatchObject([{ state: "claimed" }, { state: "held", claimedFor }]);
  });

  it.each([
    ["sent", "sent"],
    ["failed", "claimed"],
    ["unknown", "unknown"],
    ["nothing, and its run is over", "unknown"],
  ])("after %s, the next claim is answered: %s", async (outcome, expected) => {
    const { clock, table } = createTable();
    const states: string[] = [];
    void (async () => {
      const answer = await table.claim(request);
      if (answer.state !== "claimed") throw new Error("The first claim has to succeed.");
      if (outcome === "sent") await table.markSent(answer.claim, "message");
      else if (outcome === "failed") await table.markFailed(answer.claim);
      else if (outcome === "unknown") await table.markUnknown(answer.claim);
      else await clock.wait(minute);
      states.push((await table.claim(request)).state);
    })();
    await clock.run();
    expect(states).toEqual([expected]);
  });

  it("refuses a mark of a claim that another run took over", async () => {
    const { clock, table } = createTable();
    const refused: boolean[] = [];
    void (async () => {
      const first = await table.claim(request);
      await clock.wait(minute);
      await table.claim({ ...request, heldUntil: 2 * minute, takeOver: true });
      if (first.state === "claimed") {
        await table.markSent(first.claim, "message").catch(() => refused.push(true));
      }
    })();
    await clock.run();
    expect(refused).toEqual([true]);
  });
});
