import { catalogue } from "../handler/notifications";
import { functionRole, laneAlarm, lanes, retryQueueRole, retryRuleRole } from "./lanes";

/**
 * Every place where an event can end, instead of as a mail. A test fails where a hop of the synthesized stack has no row
 * here, or where a row names a hop or an alarm that the stack has not.
 */
export interface LossRow {
  /** Which hops of the stack it is about, as `hopsOf` names them; none where no resource of ours is the hop. */
  readonly hops: readonly string[];
  /** Where, in words. */
  readonly where: string;
  readonly what: string;
  /** What remains of the event. */
  readonly remains: string;
  /** Names of the alarms that tell, behind project and stage. */
  readonly alarms: readonly string[];
  readonly command: string;
}

const list = "`npm run dead-letters`";
const redrive = "`npm run dead-letters -- --redrive`";
const doctor = "`npm run doctor`";
const replay = "[replay the archive](runbook.md#replay-the-archive)";

export const lossMap: readonly LossRow[] = [
  {
    hops: [],
    where: "Producer to bus",
    what: "PutEvents fails, refuses the entry (`FailedEntryCount`), or names a bus that does not exist: AWS answers that with success",
    remains: "Nothing here. The producer has it",
    alarms: [],
    command: "`npm run send` checks bus and event before it puts one; producers look at `FailedEntryCount`",
  },
  {
    hops: [],
    where: "Bus, no rule matches",
    what: "Another source or detail-type, or an alert of another priority: nobody asked for a mail",
    remains: "The archive, for its retention",
    alarms: [],
    command: `Add or widen a notification, deploy, ${replay}`,
  },
  ...catalogue.map((notification): LossRow => ({
    hops: [`target:${notification.ruleName}`],
    where: `Rule \`${notification.ruleName}\` to the function of the ${notification.lane} lane`,
    what: "The permission or the function is gone, or Lambda can't take the event until the retry policy ends",
    remains:
      "Dead-letter queue: the event, with `ERROR_CODE`. Where that refuses it: " +
      (notification.trigger.kind === "schedule" ? "nothing; the default bus has no archive" : "the archive"),
    alarms: [`${notification.ruleName}-failed-invocations`, `${notification.ruleName}-lost-events`, "dead-letters"],
    command: `Deploy again, ${redrive}${notification.trigger.kind === "schedule" ? "" : `; of lost ones, ${replay}`}`,
  })),
  ...lanes.map((lane): LossRow => ({
    hops: [`destination:${functionRole(lane)}`],
    where: `Function \`${functionRole(lane)}\`, asynchronous run`,
    what: "Three tries failed, or it was throttled for 6 hours: Lambda hands its record to the bus. Where that refuses it, the permission being gone, it is lost. An event above 240 KB is parked by the function itself, without its detail",
    remains:
      "Its record, in the retry queue or the dead-letter queue; the log has reason and event id. Where it is lost: the archive has the event, unless it is a schedule's",
    alarms: [laneAlarm(lane, "lambda-errors"), "email-processing-errors", laneAlarm(lane, "lost-failures")],
    command: `${list}; of lost ones, ${replay}`,
  })),
  ...lanes.map((lane): LossRow => ({
    hops: [`target:${retryRuleRole(lane)}`],
    where: `Rule \`${retryRuleRole(lane)}\` to the queue \`${retryQueueRole(lane)}\``,
    what: "The queue or its policy is gone",
    remains:
      "Dead-letter queue: Lambda's record, with `ERROR_CODE`. Where that refuses it: the archive has the event, unless it is a schedule's",
    alarms: [`${retryRuleRole(lane)}-failed-invocations`, `${retryRuleRole(lane)}-lost-events`, "dead-letters"],
    command: `Deploy again, ${redrive}; of lost ones, ${replay}`,
  })),
  ...lanes.map((lane): LossRow => ({
    hops: [`queue:${retryQueueRole(lane)}`, `mapping:${retryQueueRole(lane)}`],
    where: `Queue \`${retryQueueRole(lane)}\` and its poller`,
    what: "Every try fails for 7 hours, or the mapping is switched off. What can't be mended by a retry is parked by the function at once",
    remains:
      "The queue, and after the last try the dead-letter queue: both delete a message 14 days after it came into the first of the two",
    alarms: [laneAlarm(lane, "retries-waiting"), "dead-letters"],
    command: `${list} \`-- --retries\`; when the cause is mended, ${redrive}`,
  })),
  {
    hops: ["target:dead-letter-rule"],
    where: "Rule `dead-letter-rule` to the dead-letter queue",
    what: "The queue, or its policy, refuses the record",
    remains: "The archive has the event, unless it is a schedule's; the log has its reason",
    alarms: ["dead-letter-rule-failed-invocations", "dead-letter-rule-lost-events"],
    command: `Deploy again, ${replay}`,
  },
  {
    hops: ["queue:dead-letters"],
    where: "Dead-letter queue",
    what: "Nobody comes for 14 days: SQS deletes the message",
    remains: "The archive, where it keeps longer than 14 days: on production, 90",
    alarms: ["dead-letters"],
    command: `${list}; then ${redrive}, or \`-- --discard\``,
  },
  {
    hops: [],
    where: "Function to SES",
    what: "No answer, or the run dies behind the send: the mail may be out (`OutcomeUnknown`)",
    remains: "Dead-letter queue: the event; the claim says unknown",
    alarms: ["dead-letters"],
    command: `${list} shows how to look for the mail; \`-- --resend-unknown --filter event=..\` sends it`,
  },
  {
    hops: [],
    where: "SES renders",
    what: "The template reads a variable that the data lacks: SES took the mail and drops it",
    remains: "The feedback log: `Email Rendering Failed`, with the event's id",
    alarms: ["rendering-failures"],
    command: `${doctor} renders each stored template; mend it, deploy, and let the producer put a new event: the claim says sent`,
  },
  {
    hops: [],
    where: "SES to the mailbox",
    what: "Bounce, complaint, reject, or the address is on the suppression list. A reject has a metric, and no alarm",
    remains: "The feedback log, with the event's id",
    alarms: ["ses-bounces", "ses-bounce-rate", "ses-complaint-rate"],
    command: "Correct the address at its producer; `aws sesv2 get-suppressed-destination` tells of the list",
  },
  {
    hops: ["ses-events:feedback"],
    where: "SES's events to the default bus",
    what: "The event destination is off or gone: bounces and rendering failures stay unseen. No mail is lost by it",
    remains: "SES's own metrics of the account",
    alarms: ["ses-bounce-rate", "ses-complaint-rate"],
    command: doctor,
  },
  {
    hops: ["target:feedback-rule"],
    where: "Rule `feedback-rule` to the feedback log",
    what: "The log group or its policy refuses the event. No mail is lost by it",
    remains: "Dead-letter queue: what SES told. Where that refuses it: nothing; the default bus has no archive",
    alarms: ["feedback-rule-failed-invocations", "feedback-rule-lost-events", "dead-letters"],
    command: `Deploy again; ${list} has what SES told; then \`-- --discard\``,
  },
];
