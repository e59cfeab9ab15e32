import { Redrives } from "../../src/gateway/failure-actions";
import { Journal } from "../../src/gateway/journal";
import { type RedriveResult } from "../../src/wire";
import { envelope } from "../support/journal";
import { motoAccountId } from "../../src/processes";

const queueArn = `arn:aws:sqs:us-east-1:${motoAccountId}:dead-letters`;

function parked(...ids: string[]): Journal {
  const journal = new Journal();
  for (const id of ids) {
    journal.addEvent("bus", envelope(id));
    journal.addRecord(id, { queueArn, reason: "refused" });
  }
  return journal;
}

/** Redrives that end when the test says so. */
function redrivesOf(journal: Journal) {
  const running: { readonly id: string; readonly end: (result: RedriveResult | Error) => void }[] = [];
  const redrives = new Redrives(journal, {
    commandFor: (id) => id,
    redrive: (id) =>
      new Promise((resolve, reject) => {
        running.push({
          id,
          end: (result) => {
            if (result instanceof Error) reject(result);
            else resolve(result);
          },
        });
      }),
  });
  return { redrives, running, settled: () => new Promise(setImmediate) };
}

const done = { ok: true, output: "" };

it("an event is redriven once, however often it is asked for meanwhile", async () => {
  const { redrives, running, settled } = redrivesOf(parked("a"));
  const first = redrives.redrive("a");
  expect(await redrives.redrive("a")).toMatchObject({ status: 409 });
  await settled();
  expect(running.map(({ id }) => id)).toEqual(["a"]);
  running[0]?.end(done);
  expect(await first).toMatchObject({ status: 200 });
  const again = redrives.redrive("a");
  await settled();
  expect(running).toHaveLength(2);
  running[1]?.end(done);
  expect(await again).toMatchObject({ status: 200 });
});

it("another event waits until the first one's redrive gives its messages back, also where that failed", async () => {
  const journal = parked("a", "b", "c");
  const { redrives, running, settled } = redrivesOf(journal);
  const [a, b, c] = ["a", "b", "c"].map((id) => redrives.redrive(id));
  const failed = expect(a).rejects.toThrow("broken");
  await settled();
  expect(running.map(({ id }) => id)).toEqual(["a"]);
  // Somebody's command takes it before its turn.
  journal.deleteRecord("c", queueArn);
  running[0]?.end(new Error("broken"));
  await failed;
  await settled();
  expect(running.map(({ id }) => id)).toEqual(["a", "b"]);
  running[1]?.end(done);
  expect(await b).toMatchObject({ status: 200 });
  expect(await c).toMatchObject({ status: 409 });
});
