import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { claimId } from "../../handler/claims";
import { envelopeSchema } from "../../handler/contract/envelope";
import { type ParkedMessage } from "./parked-message";

/** The claim of one mail, as a redrive meets it; see handler/claims.ts. */
export interface ClaimState {
  /**
   * - `unknown`: the mail may be out or not.
   * - `released`: it was unknown, and may be taken now.
   * - `sent`: the mail is out.
   * - `held`: a run is at it.
   * - `free`: failed, or never claimed.
   */
  readonly state: "unknown" | "released" | "sent" | "held" | "free";
  readonly messageId?: string;
}

interface Claims {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly now: () => number;
}

/** Looks at the claims of a parked event's mails, and releases them on a person's word. */
export function createClaimDesk({ client, table, now }: Claims) {
  async function read(id: string): Promise<ClaimState> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true }),
    );
    return toState(Item, now());
  }

  async function release(id: string): Promise<ClaimState> {
    try {
      await client.send(
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
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { state: "released" };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return toState(error.Item, now());
      throw error;
    }
  }

  return {
    readClaims: (parked: ParkedMessage) => Promise.all(claimIds(parked).map(read)),
    async releaseClaims(parked: ParkedMessage): Promise<ClaimState[]> {
      const ids = claimIds(parked);
      // Look first: one that a run holds keeps all of them as they are.
      const states = await Promise.all(ids.map(read));
      return states.some(({ state }) => state === "held") ? states : Promise.all(ids.map(release));
    },
  };
}

/** @throws Error where the event is none that the function would have claimed a mail for. */
export function claimIds({ event, notification }: ParkedMessage): string[] {
  if (notification === undefined) throw new Error("No notification takes this event, so nothing was claimed for it.");
  const { recipients, idempotencyKey } = notification.prepare(envelopeSchema.parse(event));
  return recipients.map((recipient) => claimId(notification.trigger, idempotencyKey, recipient));
}

function toState(item: Record<string, AttributeValue> | undefined, now: number): ClaimState {
  switch (item?.state?.S) {
    case "sent":
      return { state: "sent", ...(item.messageId?.S === undefined ? {} : { messageId: item.messageId.S }) };
    case "claimed":
      return { state: Number(item.heldUntil?.N ?? "0") >= now ? "held" : "unknown" };
    case "unknown":
      return { state: "unknown" };
    default:
      return { state: "free" };
  }
}
