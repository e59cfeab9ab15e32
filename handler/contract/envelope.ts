import * as z from "zod";

/**
 * What EventBridge hands to a target: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html.
 * Fields that no notification reads are not demanded, so that a hand-made test event in the Lambda console works too.
 *
 * The lengths are EventBridge's own: `EventId` of its service model; source and detail-type as EventBridge Scheduler's
 * API_EventBridgeParameters has them.
 */
export const envelopeSchema = z.object({
  id: z.string().min(1).max(64),
  source: z.string().min(1).max(256),
  "detail-type": z.string().min(1).max(128),
  /** ISO 8601, UTC. */
  time: z
    .string()
    .max(64)
    .pipe(z.iso.datetime({ offset: true })),
  /** As it came: `z.record` drops a field `__proto__` without a word, and no schema could refuse it. */
  detail: z.custom<Readonly<Record<string, unknown>>>(
    (value) => isContainer(value) && !Array.isArray(value),
    "has to be an object",
  ),
});

export type EventEnvelope = z.infer<typeof envelopeSchema>;

/**
 * Largest event, in bytes of its JSON, that is mailed. A failed event has to fit, within Lambda's record of it (reason,
 * counts), an event bus and a queue: the queues take 256 KiB, the most that the AWS provider 5.100 can configure
 * (`max_message_size`). The bus itself takes larger ones.
 */
export const mostEventBytes = 240 * 1024;

/**
 * @returns `Infinity` where the event is nested too deeply to be written as JSON: with some thousand levels Node's stack
 * ends.
 */
export function bytesOfEvent(event: unknown): number {
  return isNestedDeeperThan(deepestJson, event) ? Infinity : Buffer.byteLength(JSON.stringify(event ?? null));
}

/** PutEvents processes JSON of as many levels (API_PutEvents), and Node writes it. */
const deepestJson = 1100;

/**
 * Deepest nesting of an event that is mailed: what a notification means to say needs a few levels, and schemas are read
 * level by level.
 */
export const mostEventLevels = 64;

/** Whether `value` has more than `levels` objects and arrays within one another. */
export function isNestedDeeperThan(levels: number, value: unknown): boolean {
  let containers = [value].filter(isContainer);
  for (let level = 1; containers.length > 0; level += 1) {
    if (level > levels) return true;
    // Level by level: what is looked for would end a recursion.
    containers = containers.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
