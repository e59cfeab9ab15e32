import { dailyReport } from "./daily-report";
import { type Notification } from "./define";
import { emailRequest } from "./email-request";
import { priorityAlert } from "./priority-alert";

/** Every notification of the system. Adding one: its folder, and its line here. */
export const catalogue: readonly Notification[] = [emailRequest, priorityAlert, dailyReport];

export function findNotification(
  event: { readonly source: string; readonly "detail-type": string },
  notifications: readonly Notification[] = catalogue,
): Notification | undefined {
  return notifications.find(
    ({ trigger }) => trigger.source === event.source && trigger.detailType === event["detail-type"],
  );
}
