import { type ScheduleTrigger } from "../handler/notifications/define";

/** The fields that the business event of a schedule takes over from EventBridge's own event of the occurrence. */
export const occurrenceFields = ["id", "time", "account", "region"] as const;

/**
 * The other fields of a schedule's business event, which are the same at each occurrence. The rule's target puts both
 * parts together (stacks/constructs/event-routing.ts).
 */
export function constantContent(
  trigger: ScheduleTrigger<unknown>,
  recipients: readonly [string, ...string[]],
): Readonly<Record<string, unknown>> {
  return {
    version: "0",
    source: trigger.source,
    "detail-type": trigger.detailType,
    resources: [],
    detail: trigger.detail(recipients),
  };
}
