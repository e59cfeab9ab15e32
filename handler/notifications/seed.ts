import { dailyReport } from "./daily-report";
import { type Notification } from "./define";
import { emailRequest } from "./email-request";
import { priorityAlert } from "./priority-alert";

/**
 * The notifications that the project comes with. The project's tests and generated documents use only these, so that a
 * notification that you add changes neither.
 */
export const seedCatalogue: readonly Notification[] = [emailRequest, priorityAlert, dailyReport];
