import { seedCatalogue } from "../handler/notifications/seed";
import { laneAlarm, lanes, retryQueueRole, retryRuleRole, unmatchedRuleRoles, unroutedRuleRoles } from "./lanes";

/** What to do first when an alarm rings, by its name behind project and stage. */
export const alarmSteps: Readonly<Record<string, string>> = {
  "dead-letters": "`npm run dead-letters`: it says why, and how to go on (docs/runbook.md)",
  "email-processing-errors":
    "Look for `ERROR` in the function's log group; `failure` is the reason, `eventId` the event",
  "rendering-failures": "`npm run doctor`; look into the feedback log for the event's id",
  "ses-rejects": "Look into the feedback log for `Email Rejected`: the content looked harmful to SES",
  "ses-bounces": "Look into the feedback log for `Email Bounced`: which notification, which producer",
  "ses-bounce-rate": "Stop the producer of the bad addresses before SES stops the account",
  "ses-complaint-rate": "Stop the mail that is complained of before SES stops the account",
  "unrouted-events":
    "Look into the unrouted log for the detail-type: a typo of its producer, or a notification that is not there yet. Mend it, then replay the archive over that time",
  ...Object.fromEntries(
    lanes.flatMap((lane) => [
      [
        laneAlarm(lane, "lambda-errors"),
        "Nothing yet: what failed is tried again. Where it keeps ringing, look for `ERROR` in the function's log group. `The event could not be parked` there means that the dead-letter queue refuses: `npm run doctor`, and deploy again",
      ],
      [
        laneAlarm(lane, "lost-failures"),
        "Look for the event's id in the function's log; deploy again; replay the archive over that time",
      ],
      [
        laneAlarm(lane, "events-dropped"),
        "`npm run dead-letters`, with `-- --retries` as well: what is in neither queue, replay from the archive",
      ],
      [
        laneAlarm(lane, "events-waiting"),
        "Find the producer of the burst; `npm run doctor` compares the send rate with SES's. Afterwards replay the archive over that time",
      ],
      [
        laneAlarm(lane, "retries-waiting"),
        `\`npm run doctor\` (SES's limits, the account's status), then the AWS status page. The queue \`${retryQueueRole(lane)}\` holds on for 7 hours`,
      ],
    ]),
  ),
  ...Object.fromEntries(
    [
      ...seedCatalogue.map(({ ruleName }) => ruleName),
      ...unmatchedRuleRoles,
      ...unroutedRuleRoles,
      ...lanes.map(retryRuleRole),
      "dead-letter-rule",
      "feedback-rule",
    ].flatMap((rule) => [
      [`${rule}-failed-invocations`, "`npm run dead-letters`: `ERROR_CODE` says what the target refused; deploy again"],
      [`${rule}-lost-events`, "Deploy again (the queue's policy), then replay the archive over that time"],
    ]),
  ),
};
