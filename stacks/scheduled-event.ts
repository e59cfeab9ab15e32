import { type ScheduleTrigger } from "../handler/notifications/define";

/** What a schedule's business event takes from the occurrence, which EventBridge tells on the default bus. */
export const occurrenceFields = ["id", "time", "account", "region"] as const;

/**
 * The rest of a schedule's business event, the same at each occurrence. The rule's target puts both parts together
 * (stacks/constructs/event-routing.ts).
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
