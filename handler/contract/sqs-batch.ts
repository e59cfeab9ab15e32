import * as z from "zod";

/**
 * What an SQS event source mapping hands to the function (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
 * What a message needs to be told apart is demanded, and nothing else: one odd message must not make the others fail.
 */
export const sqsBatchSchema = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal("aws:sqs"),
        messageId: z.string(),
        body: z.unknown(),
        attributes: z
          .object({ ApproximateReceiveCount: z.coerce.number().int().positive() })
          .catch({ ApproximateReceiveCount: 1 }),
      }),
    )
    .min(1),
});

export type SqsBatch = z.infer<typeof sqsBatchSchema>;

/** The messages that go back to the queue; the others are done. */
export interface SqsBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}
