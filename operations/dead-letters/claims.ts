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

/** The claim of one mail, as a person's command meets it; see handler/claims.ts. */
export interface Claim {
  /**
   * - `sent`: the mail is out.
   * - `unknown`: the mail may be out or not.
   * - `held`: a run is at it.
   * - `free`: failed, never claimed, or so long ago that the claim does not count any more: the mail is not out.
   */
  readonly state: "sent" | "unknown" | "held" | "free";
  /** SES's, of a mail that is out. */
  readonly messageId?: string;
  /** The event that the mail was last tried for: another one's with the same idempotency key, maybe. */
  readonly eventId?: string;
  /** Of what was last tried, where the function recorded it. */
  readonly contentHash?: string;
}

interface ClaimsTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly now: () => number;
}

type Item = Record<string, AttributeValue>;

/** DynamoDB reads at most as many items in one call. */
const mostPerCall = 100;

/** DynamoDB leaves a part of a batch undone where it has too much to do; it is asked again, ever later. */
const rereadDelaysMs = [100, 200, 400, 800, 1600];

/** Looks at claims, and releases them on a person's word. */
export function createClaimsDesk({ client, table, now }: ClaimsTable) {
  return {
    /** @returns the claim of each id. */
    async read(ids: readonly string[]): Promise<ReadonlyMap<string, Claim>> {
      const items: Item[] = [];
      for (let from = 0; from < ids.length; from += mostPerCall) {
        items.push(...(await readBatch(ids.slice(from, from + mostPerCall))));
      }
      const found = new Map(items.map((item) => [item.id?.S, item]));
      return new Map(ids.map((id) => [id, toClaim(found.get(id), now())]));
    },

    /**
     * Makes a claim of unknown outcome free to be taken: the mail can be sent again.
     * @returns what the claim is now: another run may have changed it since it was read.
     */
    async release(id: string): Promise<Claim> {
      try {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { id: { S: id } },
            UpdateExpression: "SET #state = :failed, releasedAt = :now",
            // A claim that is sent, or that a run holds, is not a person's to release.
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
    throw new Error(`DynamoDB leaves claims unread, whenever it is asked: ${table} is throttled.`);
  }
}

function toClaim(item: Item | undefined, now: number): Claim {
  const row = item === undefined ? undefined : parseClaimRow(item, now);
  // The function takes an expired claim for none: DynamoDB removes it within days, not at once.
  if (row === undefined || row.isExpired) return { state: "free" };
  const { state, isExpired: _, ...about } = row;
  return { state: state === "failed" ? "free" : state, ...about };
}
