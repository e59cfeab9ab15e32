import * as z from "zod";

/**
 * What EventBridge hands to a target: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html.
 * Fields that no notification reads are not demanded, so that a hand-made test event in the Lambda console works too.
 */
export const envelopeSchema = z.object({
  id: z.string().min(1),
  source: z.string().min(1),
  "detail-type": z.string().min(1),
  /** ISO 8601, UTC. */
  time: z.iso.datetime({ offset: true }),
  detail: z.record(z.string(), z.unknown()),
});

export type EventEnvelope = z.infer<typeof envelopeSchema>;

/**
 * Largest event, in bytes of its JSON, that is mailed. A failed event has to fit, within Lambda's record of it (reason,
 * counts), an event bus and a queue: the queues take 256 KiB, the most that the AWS provider 5.100 can configure
 * (`max_message_size`). The bus itself takes larger ones.
 */
export const mostEventBytes = 240 * 1024;

export function bytesOfEvent(event: unknown): number {
  return Buffer.byteLength(JSON.stringify(event ?? null));
}
