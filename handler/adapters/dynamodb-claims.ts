import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { type Claim, type ClaimAnswer, type ClaimStore } from "../claims";
import { type ClaimItem, type ClaimState, parseClaimRow } from "../contract/claim-row";
import { type Clock } from "../pacer";

interface DynamoDbClaims {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** How long a claim is kept, in seconds. */
  readonly retentionSeconds: number;
  readonly clock: Pick<Clock, "now">;
}

/** Keeps claims in a DynamoDB table. handler/contract/claim-row.ts describes its attributes. */
export function createDynamoDbClaims({ client, table, retentionSeconds, clock }: DynamoDbClaims): ClaimStore {
  async function mark(claim: Claim, state: Exclude<ClaimState, "claimed">, messageId?: string): Promise<void> {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { id: { S: claim.id } },
        UpdateExpression: `SET #state = :state${messageId === undefined ? "" : ", messageId = :messageId"}`,
        // Another run may have taken the claim over.
        ConditionExpression: "#owner = :owner",
        ExpressionAttributeNames: { "#state": "state", "#owner": "owner" },
        ExpressionAttributeValues: {
          ":state": { S: state },
          ":owner": { S: claim.owner },
          ...(messageId === undefined ? {} : { ":messageId": { S: messageId } }),
        },
      }),
    );
  }

  return {
    async claim({ id, notification, edition: { locale, variant }, eventId, contentHash, heldUntil, takeOver }) {
      const owner = randomUUID();
      const now = clock.now();
      const free = [
        "attribute_not_exists(id)",
        "#state = :failed",
        // DynamoDB removes an expired row only after some days, so an expired one counts as free.
        "expiresAt < :nowSeconds",
        // If the answer to the first call was lost, the SDK repeats the call, and meets this run's own claim. It must
        // still be `claimed`: a repeated call that arrives after the mail was sent must not set it back.
        "(#owner = :owner AND #state = :claimed)",
        ...(takeOver ? ["#state = :unknown", "(#state = :claimed AND heldUntil < :now)"] : []),
      ];
      try {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { id: { S: id } },
            UpdateExpression:
              "SET #state = :claimed, #owner = :owner, heldUntil = :heldUntil, expiresAt = :expiresAt, notification = :notification, locale = :locale, eventId = :eventId, contentHash = :contentHash" +
              // The first try's variant stays, although its weights may change until the next try.
              `${variant === undefined ? "" : ", variant = if_not_exists(variant, :variant)"} ADD attempts :one`,
            ConditionExpression: free.join(" OR "),
            ExpressionAttributeNames: { "#state": "state", "#owner": "owner" },
            ExpressionAttributeValues: {
              ":claimed": { S: "claimed" },
              ":failed": { S: "failed" },
              ":owner": { S: owner },
              ":heldUntil": { N: String(heldUntil) },
              ":expiresAt": { N: String(Math.ceil(now / 1000) + retentionSeconds) },
              ":nowSeconds": { N: String(Math.floor(now / 1000)) },
              ":notification": { S: notification },
              ":locale": { S: locale },
              ...(variant === undefined ? {} : { ":variant": { S: variant } }),
              ":eventId": { S: eventId },
              ":contentHash": { S: contentHash },
              ":one": { N: "1" },
              ...(takeOver ? { ":unknown": { S: "unknown" }, ":now": { N: String(now) } } : {}),
            },
            ReturnValues: "ALL_NEW",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        const kept = Attributes?.variant?.S;
        return {
          state: "claimed",
          claim: { id, owner },
          attempt: Number(Attributes?.attempts?.N ?? "1"),
          ...(variant === undefined || kept === undefined ? {} : { variant: kept }),
        };
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return read(error.Item ?? {}, now);
        throw error;
      }
    },
    markSent: (claim, messageId) => mark(claim, "sent", messageId),
    markFailed: (claim) => mark(claim, "failed"),
    markUnknown: (claim) => mark(claim, "unknown"),
  };
}

function read(item: ClaimItem, now: number): ClaimAnswer {
  const { state, messageId = "unknown", eventId, contentHash } = parseClaimRow(item, now);
  const by = eventId === undefined || contentHash === undefined ? {} : { claimedFor: { eventId, contentHash } };
  switch (state) {
    case "sent":
      return { state, messageId, ...by };
    case "held":
      return { state, ...by };
    default:
      return { state: "unknown", ...by };
  }
}
