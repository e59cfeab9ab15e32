import { type ClaimAnswer, type ClaimedMail, type ClaimStore } from "../../handler/claims";
import { type ClaimState } from "../../handler/contract/claim-row";
import { type VirtualClock } from "./virtual-clock";

interface Item {
  state: ClaimState;
  owner: string;
  heldUntil: number;
  expiresAt: number;
  attempts: number;
  messageId?: string;
  claimedFor: ClaimedMail;
}

/**
 * Simulates the table of handler/adapters/dynamodb-claims.ts with the same conditions. All environments of all lanes
 * share it. A call arrives after `latency()` milliseconds, and is decided at that time.
 */
export function createClaimTable(clock: VirtualClock, retentionSeconds: number, latency: () => number): ClaimStore {
  const items = new Map<string, Item>();
  let owners = 0;

  async function mark(id: string, owner: string, state: Item["state"], messageId?: string): Promise<void> {
    await clock.wait(latency());
    const item = items.get(id);
    if (item?.owner !== owner) throw new Error("ConditionalCheckFailedException");
    item.state = state;
    if (messageId !== undefined) item.messageId = messageId;
  }

  return {
    async claim({ id, eventId, contentHash, heldUntil, takeOver }): Promise<ClaimAnswer> {
      const owner = String(++owners);
      await clock.wait(latency());
      const now = clock.now();
      const item = items.get(id);
      const isFree =
        item === undefined ||
        item.state === "failed" ||
        item.expiresAt < Math.floor(now / 1000) ||
        (takeOver && (item.state === "unknown" || (item.state === "claimed" && item.heldUntil < now)));
      if (isFree) {
        const attempts = (item?.attempts ?? 0) + 1;
        items.set(id, {
          state: "claimed",
          owner,
          heldUntil,
          expiresAt: Math.ceil(now / 1000) + retentionSeconds,
          attempts,
          claimedFor: { eventId, contentHash },
        });
        return { state: "claimed", claim: { id, owner }, attempt: attempts };
      }
      const { claimedFor } = item;
      if (item.state === "sent") return { state: "sent", messageId: item.messageId ?? "unknown", claimedFor };
      return { state: item.state === "claimed" && item.heldUntil >= now ? "held" : "unknown", claimedFor };
    },
    markSent: (claim, messageId) => mark(claim.id, claim.owner, "sent", messageId),
    markFailed: (claim) => mark(claim.id, claim.owner, "failed"),
    markUnknown: (claim) => mark(claim.id, claim.owner, "unknown"),
  };
}
