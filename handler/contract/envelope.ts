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
