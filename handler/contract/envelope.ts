import * as z from "zod/mini";
import "./english";

/**
 * The event that EventBridge hands to a target
 * (https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html). Only the fields that notifications
 * read are required, so that a hand-made test event in the Lambda console works too.
 *
 * The length limits are AWS's: that of `id` is `EventId` in EventBridge's service model, and those of `source` and
 * `detail-type` are in API_EventBridgeParameters of EventBridge Scheduler.
 */
export const envelopeSchema = z.object({
  id: z.string().check(z.minLength(1), z.maxLength(64)),
  source: z.string().check(z.minLength(1), z.maxLength(256)),
  "detail-type": z.string().check(z.minLength(1), z.maxLength(128)),
  /** ISO 8601, UTC. */
  time: z.pipe(z.string().check(z.maxLength(64)), z.iso.datetime({ offset: true })),
  /**
   * The detail, unchanged. `z.record` would silently drop a field named `__proto__`, and no schema could refuse it
   * then.
   */
  detail: z.custom<Readonly<Record<string, unknown>>>(
    (value) => isContainer(value) && !Array.isArray(value),
    "has to be an object",
  ),
});

export type EventEnvelope = z.infer<typeof envelopeSchema>;

/**
 * Largest event that is mailed, in bytes of its JSON. If it fails, Lambda's record of it (the event, the reason, the
 * counts) has to fit into an event bus and a queue. The queues are the tighter limit: they take 256 KiB, the most that
 * version 5.100 of the AWS provider can configure (`max_message_size`).
 */
export const mostEventBytes = 240 * 1024;

/**
 * Returns the size of the event's JSON in bytes, and `Infinity` if the event is nested too deeply to be written as
 * JSON: Node's stack overflows at a few thousand levels.
 */
export function bytesOfEvent(event: unknown): number {
  return isNestedDeeperThan(deepestJson, event) ? Infinity : Buffer.byteLength(JSON.stringify(event ?? null));
}

/** Deepest JSON, in levels: PutEvents takes this many (API_PutEvents), and Node can still write it. */
const deepestJson = 1100;

/**
 * Deepest nesting of an event that is mailed, in levels. The limit is ours: notifications need only a few levels, and
 * schemas are read by a recursion.
 */
export const mostEventLevels = 64;

/** Whether objects and arrays are nested more than `levels` deep in `value`. */
export function isNestedDeeperThan(levels: number, value: unknown): boolean {
  let containers = [value].filter(isContainer);
  for (let level = 1; containers.length > 0; level += 1) {
    if (level > levels) return true;
    // This is a loop over levels, because a recursion would overflow the stack on the very values it looks for.
    containers = containers.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
