import { type EventEnvelope } from "../contract/envelope";
import { type Notification } from "./define";

/**
 * The event that brings a notification's sample, for those who try it without a bus.
 * @param changes what the event has else than the sample's.
 */
export function sampleEvent(
  { id, trigger, sample }: Pick<Notification, "id" | "trigger" | "sample">,
  changes: { readonly id?: string; readonly time?: string; readonly detail?: unknown } = {},
): EventEnvelope {
  const { detail = sample, ...others } = changes;
  return {
    id: `sample-${id}`,
    source: trigger.source,
    "detail-type": trigger.detailType,
    time: new Date().toISOString(),
    ...others,
    detail: detail as EventEnvelope["detail"],
  };
}
