import { HeldMessages, HoldIsOver } from "../../../operations/dead-letters/queue";
import { FakeQueue } from "../../support/fake-queue";

function hold(queue: FakeQueue, holdSeconds = 5): HeldMessages {
  return new HeldMessages({ client: queue.client, queueUrl: "https://queue", holdSeconds, now: queue.now });
}

describe("reading a queue", () => {
  it("sees all of it, though it takes longer than a hold", async () => {
    const queue = new FakeQueue(400);
    queue.callMs = 200;
    const held = hold(queue);
    await held.read(1000);
    expect(held.sight).toEqual({ seen: 400, total: 400, heldByOthers: 0, delayed: 0, isComplete: true });
    expect(held.lapsed).toBe(0);
  });

  it("says what it did not see where the holds can't be kept", async () => {
    const queue = new FakeQueue(400);
    queue.callMs = 3000;
    const held = hold(queue);
    await held.read(1000);
    const { seen, total, isComplete } = held.sight;
    expect(seen).toBeLessThan(400);
    expect({ total, isComplete }).toEqual({ total: 400, isComplete: false });
    expect(held.lapsed).toBeGreaterThan(0);
  });

  it("goes on past an empty answer while the queue counts more", async () => {
    const queue = new FakeQueue(30);
    let receives = 0;
    const receive = queue.receive.bind(queue);
    queue.receive = (...args) => {
      receives += 1;
      return receives % 3 === 0 ? [] : receive(...args);
    };
    const held = hold(queue);
    await held.read(1000);
    expect(held.sight).toMatchObject({ seen: 30, isComplete: true });
  });

  it("ends, and says so, where the queue counts what nobody is given", async () => {
    const queue = new FakeQueue(3);
    const { counts } = queue;
    queue.counts = () => ({ ...counts(), visible: counts().visible + 4 });
    const held = hold(queue);
    await held.read(1000);
    expect(held.sight).toEqual({ seen: 3, total: 7, heldByOthers: 0, delayed: 0, isComplete: false });
  });

  it("ends where the same messages come again and again", async () => {
    const queue = new FakeQueue(20);
    queue.receive = (count) =>
      Array.from({ length: count }, (_, index) => ({
        id: `m-${index}`,
        body: "",
        visibleAt: 0,
        isDelayed: false,
        receipt: "r",
      }));
    const held = hold(queue);
    await held.read(1000);
    expect(held.sight).toMatchObject({ seen: 10, total: 20, isComplete: false });
  });

  it("tells what others hold, and what is delayed", async () => {
    const queue = new FakeQueue(10);
    queue.delay(3, 600_000);
    queue.receive(2, 600);
    const held = hold(queue);
    await held.read(1000);
    expect(held.sight).toEqual({ seen: 5, total: 10, heldByOthers: 2, delayed: 3, isComplete: false });
    const other = hold(queue);
    await other.read(1000);
    expect(other.sight).toEqual({ seen: 0, total: 10, heldByOthers: 7, delayed: 3, isComplete: false });
  });

  it("is not complete at its limit, nor where it is interrupted", async () => {
    const limited = hold(new FakeQueue(13));
    await limited.read(11);
    expect(limited.sight).toMatchObject({ seen: 11, total: 13, isComplete: false });
    const stopped = hold(new FakeQueue(13));
    await stopped.read(1000, () => false);
    expect(stopped.sight).toMatchObject({ seen: 0, total: 13, isComplete: false });
    const whole = hold(new FakeQueue(11));
    await whole.read(11);
    expect(whole.sight).toMatchObject({ seen: 11, isComplete: true });
  });
});

describe("a message whose hold is over", () => {
  async function lapsed() {
    const queue = new FakeQueue(1);
    const held = hold(queue);
    await held.read(1000);
    queue.time += 5001;
    return { queue, held };
  }

  it("is not deleted: SQS would answer that it is, and keep it", async () => {
    const { queue, held } = await lapsed();
    const [theirs] = queue.receive(1, 600);
    await expect(held.remove("m-0")).rejects.toThrow(HoldIsOver);
    expect(queue.size).toBe(1);
    expect(queue.calls).not.toContain("DeleteMessageCommand");
    expect(theirs?.id).toBe("m-0");
  });

  it("is not taken from whoever has it by now", async () => {
    const { queue, held } = await lapsed();
    queue.receive(1, 600);
    await held.renew();
    expect(held.isHeld("m-0")).toBe(false);
    expect(await held.giveBack()).toBe(0);
    expect(queue.counts()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
  });

  it("is no success where the hold ends during the deletion", async () => {
    const queue = new FakeQueue(1);
    const held = hold(queue);
    await held.read(1000);
    queue.callMs = 6000;
    await expect(held.remove("m-0")).rejects.toThrow("was over before SQS answered");
  });
});

it("keeps its holds while the work goes on, and gives them back", async () => {
  const queue = new FakeQueue(25);
  const held = hold(queue);
  await held.read(1000);
  for (let step = 0; step < 20; step += 1) {
    queue.time += 1000;
    await held.renew();
  }
  expect(held.lapsed).toBe(0);
  await held.remove("m-3");
  expect(await held.giveBack()).toBe(0);
  expect(queue.counts()).toEqual({ visible: 24, inFlight: 0, delayed: 0 });
});
