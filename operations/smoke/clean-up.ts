import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { timeToLiveAttribute } from "../../handler/contract/claim-row";
import { findQueue, HeldMessages } from "../dead-letters/queue";
import { isObject } from "../dead-letters/parked-message";
import { parseJson } from "./feedback";
import { keyPrefix } from "./plan";
import { type SmokeWorld } from "./world";

/** What a run makes, and has to remove. */
export interface Traces {
  readonly runId: string;
  readonly claimIds: readonly string[];
}

export interface Removed {
  readonly parked: number;
  readonly claims: number;
}

/** Another run works on the stage at this moment. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

/** Key of the row, in the claim table, that says which run is going. No claim has it: those are hashes. */
const markerKey = { id: { S: "smoke-run" } };

/** How long a run is believed to be going after its last sign of life, in milliseconds. */
const heldForMs = 120_000;

/**
 * Writes down what the run is going to make, so that a later run can remove it if this one dies.
 * @returns what an earlier run has left behind; `undefined` if there is nothing.
 * @throws AlreadyRunning
 */
export async function openRun(
  { runId, claimIds }: Traces,
  { dynamoDb, stage }: SmokeWorld,
): Promise<Traces | undefined> {
  try {
    const { Attributes } = await dynamoDb.send(
      new PutItemCommand({
        TableName: stage.names.of("claims"),
        Item: marker({ runId, claimIds }, Date.now() + heldForMs),
        ConditionExpression: "attribute_not_exists(id) OR heldUntil < :now OR runId = :runId",
        ExpressionAttributeValues: { ":now": { N: String(Date.now()) }, ":runId": { S: runId } },
        ReturnValues: "ALL_OLD",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    const left = Attributes === undefined ? undefined : tracesIn(Attributes);
    return left?.runId === runId ? undefined : left;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    throw new AlreadyRunning(
      `The smoke test ${error.Item?.runId?.S ?? "of somebody else"} is going on this stage. Wait until it is over: one that died counts as over after ${heldForMs / 60_000} minutes.`,
      { cause: error },
    );
  }
}

/** Says again and again that the run is going. @returns the function that ends this. */
export function keepOpen(traces: Traces, world: SmokeWorld): () => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    last = openRun(traces, world).catch(() => undefined);
  }, heldForMs / 4);
  return async () => {
    clearInterval(timer);
    await last;
  };
}

/** Removes the run's parked messages and claims. */
export async function cleanUp({ runId, claimIds }: Traces, world: SmokeWorld): Promise<Removed> {
  const parked = await removeParked(runId, world);
  let claims = 0;
  for (const id of claimIds) if (await removeRow({ id: { S: id } }, world)) claims += 1;
  return { parked, claims };
}

/**
 * Says that the run is over.
 * @param isExpectingMore whether something of it may still come. Then the next run removes that.
 */
export async function closeRun(traces: Traces, isExpectingMore: boolean, world: SmokeWorld): Promise<void> {
  if (!isExpectingMore) {
    await removeRow(markerKey, world);
    return;
  }
  const { dynamoDb, stage } = world;
  await dynamoDb.send(new PutItemCommand({ TableName: stage.names.of("claims"), Item: marker(traces, 0) }));
}

async function removeParked(runId: string, { sqs, stage }: SmokeWorld): Promise<number> {
  const { names, config } = stage;
  const queueUrl = await findQueue(sqs, names.of("dead-letters"), config.region);
  const held = new HeldMessages({ client: sqs, queueUrl, holdSeconds: 60, now: Date.now });
  let removed = 0;
  try {
    await held.read(1000);
    for (const { messageId, body } of held.messages) {
      if (!isOfRun(body, runId)) continue;
      await held.renew();
      await held.remove(messageId);
      removed += 1;
    }
  } finally {
    await held.giveBack();
  }
  return removed;
}

/** Whether the message holds an event of the run: the event itself, or a record about it. */
export function isOfRun(body: string, runId: string): boolean {
  const content = parseJson(body);
  const records = [content, inside(content, "requestPayload"), inside(inside(content, "detail"), "requestPayload")];
  return records.some((event) => {
    const key = inside(inside(event, "detail"), "idempotencyKey");
    return typeof key === "string" && key.startsWith(keyPrefix(runId));
  });
}

const inside = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

async function removeRow(Key: Record<string, AttributeValue>, { dynamoDb, stage }: SmokeWorld): Promise<boolean> {
  const { Attributes } = await dynamoDb.send(
    new DeleteItemCommand({ TableName: stage.names.of("claims"), Key, ReturnValues: "ALL_OLD" }),
  );
  return Attributes !== undefined;
}

const dayInSeconds = 86_400;

function marker({ runId, claimIds }: Traces, heldUntil: number): Record<string, AttributeValue> {
  return {
    ...markerKey,
    runId: { S: runId },
    claimIds: { L: claimIds.map((S) => ({ S })) },
    heldUntil: { N: String(heldUntil) },
    // Parked messages are gone after 14 days, and nothing is left to clean up then.
    [timeToLiveAttribute]: { N: String(Math.floor(Date.now() / 1000) + 14 * dayInSeconds) },
  };
}

function tracesIn({ runId, claimIds }: Record<string, AttributeValue>): Traces {
  return { runId: runId?.S ?? "", claimIds: (claimIds?.L ?? []).flatMap(({ S }) => S ?? []) };
}
