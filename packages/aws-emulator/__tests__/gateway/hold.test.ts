import { Hold } from "../../src/gateway/hold";
import { type Answer, type Call } from "../../src/gateway/http";

const answer: Answer = { status: 200, headers: {}, body: Buffer.from("done") };
const callOf = (service: string): Call => ({
  method: "POST",
  url: new URL("http://gateway/"),
  headers: {},
  service,
  operation: "",
  accessKeyId: "test",
  body: Buffer.alloc(0),
});

/** Everything that is ready to run has run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("Hold", () => {
  let hold: Hold;
  let taken: string[];
  /** Ends the answers that have begun. */
  let finish: (() => void)[];
  beforeEach(() => {
    hold = new Hold();
    taken = [];
    finish = [];
  });

  const pass = (service: string, isGivenUp = () => false) =>
    hold.pass(
      callOf(service),
      ({ service: name }) => {
        taken.push(name);
        return new Promise((resolve) =>
          finish.push(() => {
            resolve(answer);
          }),
        );
      },
      isGivenUp,
    );

  it("waits for the calls that are under way, and keeps those that come after them", async () => {
    const first = pass("events");
    const idle = jest.fn();
    const begun = hold.begin().then(idle);
    const second = pass("events");
    await turn();
    expect(idle).not.toHaveBeenCalled();
    finish[0]?.();
    await begun;
    await expect(first).resolves.toBe(answer);
    expect(taken).toEqual(["events"]);

    hold.end();
    await turn();
    finish[1]?.();
    await expect(second).resolves.toBe(answer);
  });

  it("begins at once where nothing is under way", async () => {
    await expect(hold.begin()).resolves.toBeUndefined();
  });

  it("never takes a call whose client has gone meanwhile", async () => {
    await hold.begin();
    const call = pass("events", () => true);
    hold.end();
    await expect(call).resolves.toBeUndefined();
    expect(taken).toEqual([]);
  });

  it("lets Terraform save its state", async () => {
    await hold.begin();
    const call = pass("s3");
    await turn();
    finish[0]?.();
    await expect(call).resolves.toBe(answer);
  });
});
