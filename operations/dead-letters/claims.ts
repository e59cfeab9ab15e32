import { setTimeout as wait } from "node:timers/promises";
import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { parseClaimRow } from "../../handler/contract/claim-row";

/** The claim of one mail, as this command reads it. handler/claims.ts explains what a claim is. */
export interface Claim {
  /**
   * - `sent`: the mail is out.
   * - `unknown`: nobody can tell whether the mail is out.
   * - `held`: a run is sending the mail at this moment.
   * - `free`: the mail is not out. It failed, or was never claimed, or its claim has expired.
   */
  readonly state: "sent" | "unknown" | "held" | "free";
  /** SES's id of a mail that is out. */
  readonly messageId?: string;
  /** The event that the mail was last tried for. It may be another event with the same idempotency key. */
  readonly eventId?: string;
  /** Hash of the content that was last tried. Claims that an early version wrote do not have it. */
  readonly contentHash?: string;
}

interface ClaimsTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly now: () => number;
}

type Item = Record<string, AttributeValue>;

/** Most items that DynamoDB reads in one call (BatchGetItem). */
const mostPerCall = 100;

/** Waits before the unprocessed part of a batch is read again. DynamoDB leaves a part out if the table is busy. */
const rereadDelaysMs = [100, 200, 400, 800, 1600];

/** Makes the functions that read claims, and release them when a person asks for it. */
export function createClaimsDesk({ client, table, now }: ClaimsTable) {
  return {
    /** @returns the claim of each id. A mail without a row in the table is `free`. */
    async read(ids: readonly string[]): Promise<ReadonlyMap<string, Claim>> {
      const items: Item[] = [];
      for (let from = 0; from < ids.length; from += mostPerCall) {
        items.push(...(await readBatch(ids.slice(from, from + mostPerCall))));
      }
      const found = new Map(items.map((item) => [item.id?.S, item]));
      return new Map(ids.map((id) => [id, toClaim(found.get(id), now())]));
    },

    /**
     * Releases a claim whose outcome is unknown, so that the mail can be sent again.
     * @returns the claim as it is now. A run of the function may have changed it since it was read.
     */
    async release(id: string): Promise<Claim> {
      try {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { id: { S: id } },
            UpdateExpression: "SET #state = :failed, releasedAt = :now",
            // A claim that is `sent`, or that a run still holds, can't be released.
            ConditionExpression: "#state = :unknown OR (#state = :claimed AND heldUntil < :now)",
            ExpressionAttributeNames: { "#state": "state" },
            ExpressionAttributeValues: {
              ":failed": { S: "failed" },
              ":unknown": { S: "unknown" },
              ":claimed": { S: "claimed" },
              ":now": { N: String(now()) },
            },
            ReturnValues: "ALL_NEW",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return toClaim(Attributes, now());
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return toClaim(error.Item, now());
        throw error;
      }
    },
  };

  async function readBatch(ids: readonly string[]): Promise<Item[]> {
    const items: Item[] = [];
    let keys: Item[] | undefined = [...new Set(ids)].map((id) => ({ id: { S: id } }));
    for (const delay of [...rereadDelaysMs, undefined]) {
      const answer: BatchGetItemCommandOutput = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } }),
      );
      items.push(...(answer.Responses?.[table] ?? []));
      keys = answer.UnprocessedKeys?.[table]?.Keys;
      if (keys === undefined || keys.length === 0) return items;
      if (delay !== undefined) await wait(delay);
    }
    throw new Error(
      `DynamoDB did not read all claims, although it was asked again several times: the table ${table} is throttled.`,
    );
  }
}

function toClaim(item: Item | undefined, now: number): Claim {
  const row = item === undefined ? undefined : parseClaimRow(item, now);
  // The function ignores an expired claim, because DynamoDB may remove its row only after some days.
  if (row === undefined || row.isExpired) return { state: "free" };
  const { state, isExpired: _, ...about } = row;
  return { state: state === "failed" ? "free" : state, ...about };
}
