import { type Answer, type Call } from "../../../src/gateway/http";
import { patchDynamoDb } from "../../../src/services/dynamodb/moto-patches";

/**
 * Not asked of moto itself: whether its threads meet at one item is a matter of the machine's load. Under load it was
 * seen to let two claims of one mail succeed, and to show an item half written.
 */

const call = (service: string, operation: string): Call => ({
  method: "POST",
  url: new URL("http://gateway/"),
  headers: {},
  service,
  operation,
  accessKeyId: "test",
  body: Buffer.alloc(0),
});

/** What is behind the gateway: it holds each call until the test answers it. */
function upstream() {
  const waiting: { readonly operation: string; readonly end: (error?: Error) => void }[] = [];
  const next = ({ operation }: Call) =>
    new Promise<Answer>((resolve, reject) => {
      const end = (error?: Error) => {
        if (error === undefined) resolve({ status: 200, headers: {}, body: Buffer.from(operation) });
        else reject(error);
      };
      waiting.push({ operation, end });
    });
  return { waiting, next, operations: () => waiting.map(({ operation }) => operation) };
}

/** All that follows from what has been settled so far. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it("gives moto one DynamoDB call at a time, in their order", async () => {
  const { waiting, next, operations } = upstream();
  const patch = patchDynamoDb();
  const answers = ["first", "second", "third"].map((operation) => patch(call("dynamodb", operation), next));
  for (const [index, expected] of [["first"], ["first", "second"], ["first", "second", "third"]].entries()) {
    await settled();
    expect(operations()).toEqual(expected);
    waiting[index]?.end();
  }
  expect((await Promise.all(answers)).map(({ body }) => body.toString())).toEqual(["first", "second", "third"]);
});

it("goes on after one that failed", async () => {
  const { waiting, next } = upstream();
  const patch = patchDynamoDb();
  const failing = patch(call("dynamodb", "first"), next);
  const later = patch(call("dynamodb", "second"), next);
  await settled();
  waiting[0]?.end(new Error("moto is gone"));
  await expect(failing).rejects.toThrow("moto is gone");
  await settled();
  waiting[1]?.end();
  expect((await later).status).toBe(200);
});

it("lets other services' calls pass", async () => {
  const { next, operations } = upstream();
  const patch = patchDynamoDb();
  void patch(call("dynamodb", "first"), next);
  void patch(call("sqs", "second"), next);
  await settled();
  expect(operations().sort()).toEqual(["first", "second"]);
});
