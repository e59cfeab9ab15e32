import { setTimeout } from "node:timers/promises";
import { Places } from "../../../src/services/lambda/places";

describe("Places", () => {
  const never = new AbortController().signal;
  const patience = (order: string[], name: string) => ({
    until: Infinity,
    signal: never,
    onWait: () => order.push(`${name} waits`),
  });

  it("are handed on in the order in which they were asked for", async () => {
    const places = new Places();
    places.limit("fn", 1);
    const order: string[] = [];
    expect(await places.take("fn")).toBe(true);
    expect(await places.take("fn")).toBe(false);
    const taken = ["first", "second"].map((name) =>
      places.take("fn", patience(order, name)).then(() => order.push(`${name} goes`)),
    );
    places.giveBack("fn");
    // Nobody who comes now is before those who wait.
    expect(await places.take("fn")).toBe(false);
    places.giveBack("fn");
    await Promise.all(taken);
    expect(order).toEqual(["first waits", "second waits", "first goes", "second goes"]);
  });

  it("let in as many as there are new, and none more where there are fewer", async () => {
    const places = new Places();
    places.limit("fn", 0);
    const order: string[] = [];
    const taken = ["a", "b", "c"].map((name) => places.take("fn", patience([], name)).then(() => order.push(name)));
    places.limit("fn", 2);
    await Promise.all(taken.slice(0, 2));
    expect(order).toEqual(["a", "b"]);
    places.limit("fn", 1);
    places.giveBack("fn");
    await setTimeout(0);
    expect(order).toEqual(["a", "b"]);
    places.limit("fn", undefined);
    await Promise.all(taken);
    expect(order).toEqual(["a", "b", "c"]);
  });

  it("are not waited for any longer when the patience is over, or all of it ends", async () => {
    const places = new Places();
    places.limit("fn", 0);
    const ending = new AbortController();
    const late = places.take("fn", { until: Date.now() + 1, signal: never });
    const ended = places.take("fn", { until: Infinity, signal: ending.signal });
    expect(await late).toBe(false);
    ending.abort(new Error("the end"));
    await expect(ended).rejects.toThrow("the end");
    await expect(places.take("fn", { until: Infinity, signal: ending.signal })).rejects.toThrow("the end");
    // Who is gone takes no place.
    places.limit("fn", 1);
    expect(await places.take("fn")).toBe(true);
  });
});
