import { type BusEvent, type Delivery } from "./journal";
import { type Notice } from "./notice";

/** A record of a failed event that a queue took. */
export interface QueuedRecord {
  readonly queueArn: string;
  readonly time: string;
  /** Why the event failed, as the record says it. */
  readonly reason: string;
  /** When it was deleted. */
  leftAt?: string;
  /** Who deleted it: the function that the queue feeds, which is done with it, or somebody else. */
  leftBy?: "function" | "reader";
}

/** What became of an event in the end. */
export type Fate =
  /** A queue that no function polls holds its record: a person has to look. */
  | "parked"
  /** A delivery was given up, and no queue is known to hold a record of it. */
  | "failed"
  /** A queue that a function polls holds its record: it is tried again. */
  | "waiting"
  | "retrying"
  | "running"
  /** A retry or a redrive mailed it. */
  | "late"
  | "delivered"
  /** Its record was deleted from the queue, and nothing was sent again. */
  | "discarded"
  /** No rule matched it. */
  | "unmatched"
  /** It was delivered, and tells of something bad, for example a bounce. */
  | Notice["kind"];

/** Fates that count as failed. The event of a failed invocation is none: the event that failed counts. */
export const failedFates: ReadonlySet<Fate> = new Set([
  "failed",
  "parked",
  "bounced",
  "complained",
  "rejected",
  "unrendered",
]);

/**
 * From what is known, and in the order of what happened: the last record that a queue took says where the event is,
 * until the function that the queue feeds is done with it.
 */
export function fateOf(
  event: Pick<BusEvent, "deliveries" | "records"> & Partial<Pick<BusEvent, "notice">>,
  known: { readonly isPolled: (queueArn: string) => boolean; readonly isMailed: boolean },
): Fate {
  const fate = deliveryFateOf(event, known);
  return event.notice !== undefined && (fate === "delivered" || fate === "unmatched") ? event.notice.kind : fate;
}

function deliveryFateOf(event: Parameters<typeof fateOf>[0], known: Parameters<typeof fateOf>[1]): Fate {
  const record = event.records.at(-1);
  if (record !== undefined) {
    if (record.leftBy === "reader") return "discarded";
    if (record.leftAt !== undefined) return known.isMailed ? "late" : "delivered";
    return known.isPolled(record.queueArn) ? "waiting" : "parked";
  }
  const status = worstOf(event.deliveries);
  // The function says that it has parked the event, perhaps in a queue that the gateway does not see.
  if (status === "delivered" && event.deliveries.some(({ attempts }) => attempts.at(-1)?.parked !== undefined)) {
    return "parked";
  }
  return status;
}

function worstOf(deliveries: readonly Delivery[]): Delivery["status"] | "unmatched" {
  const worstFirst = ["failed", "retrying", "running", "delivered"] as const;
  return worstFirst.find((status) => deliveries.some((delivery) => delivery.status === status)) ?? "unmatched";
}
