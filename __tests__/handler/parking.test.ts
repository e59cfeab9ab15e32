import { SQSClient } from "@aws-sdk/client-sqs";
import { createDeadLetters } from "../../handler/adapters/sqs-dead-letters";
import { bytesOfEvent, mostEventBytes } from "../../handler/contract/envelope";
import { type FailureRecord, failureRecordSchema, toMessageBody } from "../../handler/contract/failure-record";
import { hashRecipient } from "../../handler/contract/recipient-hash";
import { longestMessage, PermanentError } from "../../handler/errors";
import { mostRecordBytes, toParkedRecord } from "../../handler/parking";
import { businessEvent } from "../support/send-notification";

const functionArn =
  "arn:aws:lambda:eu-central-1:123456789012:function:email-automation-staging-priority-email-processor";
const recordOf = (requestPayload: unknown): FailureRecord => ({
  requestContext: { functionArn, condition: "RetriesExhausted", approximateInvokeCount: 3 },
  requestPayload,
});

/** The largest event that is still mailed. */
const largest = (() => {
  const free = mostEventBytes - bytesOfEvent(businessEvent({ ballast: "" }));
  return businessEvent({ ballast: "x".repeat(free) });
})();

const failed = (count: number, reason: string) =>
  new PermanentError("SenderNotVerified", "x".repeat(longestMessage), {
    failures: Array.from({ length: count }, (_, index) => ({
      recipient: hashRecipient(`${index}@example.com`),
      type: "SenderNotVerified",
      message: reason,
    })),
  });

describe("the record of a failure that no retry can mend", () => {
  it("has the failures of 50 mails with their reasons, beside an event of the usual size", () => {
    const error = failed(50, "y".repeat(400));
    const parked = toParkedRecord({ record: recordOf(businessEvent({})), tries: 4, error });
    expect(parked.failures).toEqual(error.failures);
    expect(parked.requestContext).toEqual({ functionArn, condition: "Parked", approximateInvokeCount: 4 });
  });

  it("fits the queue with 50 failures beside the largest event, which stays whole: their reasons go", () => {
    const error = failed(50, "y".repeat(400));
    const parked = toParkedRecord({ record: recordOf(largest), tries: 4, error });
    expect(bytesOfEvent(parked)).toBeLessThanOrEqual(mostRecordBytes);
    expect(parked.requestPayload).toEqual(largest);
    expect(parked.failures).toEqual(error.failures.map((failure) => ({ ...failure, message: "" })));
    expect(failureRecordSchema.parse(parked)).toEqual(parked);
  });

  it("fits the queue where the list itself does not: the event's own reason sums it up", () => {
    const parked = toParkedRecord({ record: recordOf(largest), tries: 4, error: failed(5_000, "y") });
    expect(bytesOfEvent(parked)).toBeLessThanOrEqual(mostRecordBytes);
    expect(parked.requestPayload).toEqual(largest);
    expect(parked).not.toHaveProperty("failures");
  });

  it("fits the queue where its text grows on the way: what XML does not know is escaped", () => {
    const event = businessEvent({ ballast: "\uffff".repeat(80_000) });
    expect(bytesOfEvent(event)).toBeLessThanOrEqual(mostEventBytes);
    const parked = toParkedRecord({ record: recordOf(event), tries: 1, error: failed(1, "y") });
    expect(Buffer.byteLength(toMessageBody(parked))).toBeLessThanOrEqual(mostRecordBytes);
    expect(parked.requestPayload).toMatchObject({ id: event.id });
  });

  it("keeps what tells the event where the event does not fit", () => {
    const event = businessEvent({ ballast: "x".repeat(mostRecordBytes) });
    const { id, source, "detail-type": detailType, time } = event;
    const parked = toParkedRecord({ record: recordOf(event), tries: 1, error: failed(1, "y") });
    expect(parked.requestPayload).toEqual({ id, source, "detail-type": detailType, time });
    expect(parked.failures).toHaveLength(1);
  });
});

it("may be as large as the queue takes, and has no count of redrives where nobody sent it again", () => {
  const error = new PermanentError("MessageRejected", "no");
  const park = (ballast: number) => {
    // U+FFFF takes three bytes in the event and six characters in the queue, so the record becomes larger than its
    // event.
    const event = businessEvent({ a: "\uffff".repeat(35_000), ballast: "x".repeat(ballast) });
    return toParkedRecord({ record: recordOf(event), tries: 1, error });
  };
  const free = mostRecordBytes - Buffer.byteLength(toMessageBody(park(0)));
  expect(park(free)).toHaveProperty("requestPayload.detail");
  expect(Buffer.byteLength(toMessageBody(park(free)))).toBe(mostRecordBytes);
  expect(park(free + 1)).not.toHaveProperty("requestPayload.detail");
  expect(Object.keys(park(0))).not.toContain("redrives");
});

it("goes into the queue as JSON of characters that SQS takes, and says the same", async () => {
  const client = new SQSClient({ region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
  const bodies: string[] = [];
  client.middlewareStack.add(
    () => (call) => {
      bodies.push((call.input as { MessageBody: string }).MessageBody);
      return Promise.resolve({ output: {} as never, response: {} });
    },
    { step: "initialize", priority: "high" },
  );
  const record = recordOf(businessEvent({ message: "\u0000 \ud800 \ufffe\uffff 🎉 ü" }));
  await createDeadLetters(client, "https://queue")(record);
  const [body = ""] = bodies;
  // These are the characters that SQS accepts:
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
  expect(body).toMatch(/^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u);
  expect(JSON.parse(body)).toEqual(record);
});
