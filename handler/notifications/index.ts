import { type Notification } from "./define";
import { seedCatalogue } from "./seed";

/**
 * Every notification of the system, one on each line. `npm run new-notification` keeps the lines in alphabetical order,
 * so that two branches that each add one rarely touch the same line.
 */
export const catalogue: readonly Notification[] = [
  // What the project comes with.
  ...seedCatalogue,
];

/** Finds the notification by the source and detail-type of its trigger. No two notifications share both. */
export function findNotification(
  event: { readonly source: string; readonly "detail-type": string },
  notifications: readonly Notification[] = catalogue,
): Notification | undefined {
  return notifications.find(
    ({ trigger }) => trigger.source === event.source && trigger.detailType === event["detail-type"],
  );
}
