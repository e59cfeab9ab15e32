import { type BusEvent, type Delivery } from "./journal";

/** A record of a failed event that a queue took. */
export interface QueuedRecord {
  readonly queueArn: string;
  readonly time: string;
  /** Why the event failed, as the record says it. */
  readonly reason: string;
  /** The function that the queue feeds is done with it, and it is deleted. */
  leftAt?: string;
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
  /** No rule matched it. */
  | "unmatched";

/**
 * From what is known, and in the order of what happened: the last record that a queue took says where the event is,
 * until the function that the queue feeds is done with it.
 */
export function fateOf(
  event: Pick<BusEvent, "deliveries" | "records">,
  known: { readonly isPolled: (queueArn: string) => boolean; readonly isMailed: boolean },
): Fate {
  const record = event.records.at(-1);
  if (record !== undefined) {
    if (record.leftAt !== undefined) return known.isMailed ? "late" : "delivered";
    return known.isPolled(record.queueArn) ? "waiting" : "parked";
  }
  const status = worstOf(event.deliveries);
  // The function says that it has parked the event; a queue that the gateway does not see may have it.
  if (status === "delivered" && event.deliveries.some(({ attempts }) => attempts.at(-1)?.parked !== undefined)) {
    return "parked";
  }
  return status;
}

function worstOf(deliveries: readonly Delivery[]): Delivery["status"] | "unmatched" {
  const worstFirst = ["failed", "retrying", "running", "delivered"] as const;
  return worstFirst.find((status) => deliveries.some((delivery) => delivery.status === status)) ?? "unmatched";
}
