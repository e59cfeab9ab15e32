import * as z from "zod/mini";

/**
 * The batch that an SQS event source mapping hands to the function
 * (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html). Only the fields that identify a message are required,
 * so that one odd message does not make the others of its batch fail.
 */
export const sqsBatchSchema = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal("aws:sqs"),
        messageId: z.string(),
        body: z.unknown(),
        attributes: z.pipe(z.unknown(), z.transform(toAttributes)),
      }),
    )
    .check(z.minLength(1)),
});

const attributesSchema = z.object({ ApproximateReceiveCount: z.coerce.number().check(z.int(), z.positive()) });

/** It is no `z.catch`, which brings all of Zod's helpers into the package (3 KB of its zip). */
function toAttributes(attributes: unknown): z.infer<typeof attributesSchema> {
  const parsed = attributesSchema.safeParse(attributes);
  return parsed.success ? parsed.data : { ApproximateReceiveCount: 1 };
}

export type SqsBatch = z.infer<typeof sqsBatchSchema>;

/** Lists the messages that go back to the queue. SQS deletes the others. */
export interface SqsBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}
