import { type Notification } from "./define";
import { seedCatalogue } from "./seed";

/**
 * Every notification of the system, one a line. `npm run new-notification` keeps the lines in alphabetical order, so that
 * two branches which add one each seldom touch the same line.
 */
export const catalogue: readonly Notification[] = [
  // What the project comes with.
  ...seedCatalogue,
];

export function findNotification(
  event: { readonly source: string; readonly "detail-type": string },
  notifications: readonly Notification[] = catalogue,
): Notification | undefined {
  return notifications.find(
    ({ trigger }) => trigger.source === event.source && trigger.detailType === event["detail-type"],
  );
}
