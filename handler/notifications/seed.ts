import { dailyReport } from "./daily-report";
import { type Notification } from "./define";
import { emailRequest } from "./email-request";
import { priorityAlert } from "./priority-alert";

/**
 * The notifications that the project comes with. Tests and the generated documents are about these, so that a
 * notification of one's own changes neither.
 */
export const seedCatalogue: readonly Notification[] = [emailRequest, priorityAlert, dailyReport];
