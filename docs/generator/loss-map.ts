import { mostEventBytes } from "../../handler/contract/envelope";
import { seedCatalogue } from "../../handler/notifications/seed";
import { unmatchedRules, unroutedRules } from "../../stacks/constructs/complement-rules";
import { laneNames, lanes } from "../../stacks/lanes";
import { defaultQuotas } from "../../stacks/stages";

/**
 * A place where an event can end without becoming a mail. A test fails where a hop of the synthesized stack has no row,
 * and where a row names a hop or an alarm that is not in the stack.
 */
export interface LossRow {
  /**
   * The hops of the stack that the row is about, as `hopsOf` names them. Empty where the place is not a resource of the
   * stack.
   */
  readonly hops: readonly string[];
  /** The place, in words. */
  readonly where: string;
  readonly what: string;
  /** What remains of the event. */
  readonly remains: string;
  /** Names of the alarms that ring, without project and stage. */
  readonly alarms: readonly string[];
  readonly command: string;
}

const list = "`npm run dead-letters`";
const redrive = "`npm run dead-letters -- --redrive`";
const doctor = "`npm run doctor`";
/** The hops of a statement in the functions' policies, in both lanes. */
const calls = (statement: string): string[] => lanes.map((lane) => `call:${laneNames(lane).function} ${statement}`);

const replay = "[replay the archive](runbook.md#replay-the-archive)";

const { eventPatternCharacters } = defaultQuotas("us-east-1");

/** Rules for the events that no notification's rule takes. A large catalogue needs more than one of each kind. */
const ofUnmatched = unmatchedRules(seedCatalogue, eventPatternCharacters);
const ofUnrouted = unroutedRules(seedCatalogue, eventPatternCharacters).rules;

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
    what: "A source that no notification has, or a value that its definition calls `ignored`, as a low priority: nobody asked for a mail",
    remains: "The archive, for its retention",
    alarms: [],
    command: `Add or widen a notification, deploy, ${replay}`,
  },
  ...ofUnmatched.map(({ name: rule }): LossRow => ({
    hops: [`target:${rule}`],
    where: `Rule \`${rule}\` to the function of the standard lane`,
    what: "An event that a notification's rule should have taken: a value is misspelt (`HIGH`), missing, or of another type. The function parks it as `NoRuleMatches`. Where the permission or the function is gone, EventBridge parks it",
    remains: "Dead-letter queue: the event, with its reason. Where that refuses it: the archive",
    alarms: ["dead-letters", `${rule}-failed-invocations`, `${rule}-lost-events`],
    command: `${list} names the field. A producer's mistake: let it put a corrected event, and \`-- --discard --filter event=..\` the old one. The notification's: widen it, deploy, ${redrive}`,
  })),
  ...ofUnrouted.map(({ name: rule }): LossRow => ({
    hops: [`target:${rule}`],
    where: `Rule \`${rule}\` to the unrouted log`,
    what: "An event of a known source has a detail-type that no notification knows: nobody is mailed. (CloudWatch Logs takes no line for an event whose `Time` is more than 14 days old, or 2 hours ahead.)",
    remains:
      "The archive: the event. The unrouted log: its id, source and detail-type; where the log group or its policy refuses them, the dead-letter queue",
    alarms: ["unrouted-events", `${rule}-failed-invocations`, `${rule}-lost-events`],
    command: `Correct the producer, or add a notification and deploy; then ${replay}`,
  })),
  ...seedCatalogue.map((notification): LossRow => ({
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
    hops: [`asynchronous:${laneNames(lane).function}`],
    where: `Lambda's own queue of the function \`${laneNames(lane).function}\``,
    what: "More events come than the send rate lets out, for hours. Lambda keeps an event for 6 hours, and says that it may delete some of a queue that its function can't keep up with (Lambda guide, error handling of asynchronous invocation)",
    remains:
      "What is too old: its record, in the retry queue. What Lambda deletes: the archive has it, unless it is a schedule's",
    alarms: [laneNames(lane).alarm("events-waiting"), laneNames(lane).alarm("events-dropped")],
    command: `\`npm run doctor\` compares the send rate with SES's; ${replay} over that time: what is mailed stays mailed`,
  })),
  ...lanes.map((lane): LossRow => ({
    hops: [`destination:${laneNames(lane).function}`, `call:${laneNames(lane).function} ReportFailures`],
    where: `Function \`${laneNames(lane).function}\`, asynchronous run`,
    what: "A failure that a later try may mend: three tries failed, or the function was throttled for 6 hours. Lambda hands the record to the failures bus, which takes it from the functions' roles alone. Where the permission to put it there is gone, the record is lost. What no retry can mend comes here only where the function could not park it",
    remains:
      "Its record, in the retry queue; the log has reason and event id. Where it is lost: the archive has the event, unless it is a schedule's",
    alarms: [
      laneNames(lane).alarm("lambda-errors"),
      "email-processing-errors",
      laneNames(lane).alarm("events-dropped"),
      laneNames(lane).alarm("lost-failures"),
    ],
    command: `${list} \`-- --retries\` counts what waits; of lost ones, ${replay}`,
  })),
  ...lanes.map((lane): LossRow => ({
    hops: [`target:${laneNames(lane).retryRule}`],
    where: `Rule \`${laneNames(lane).retryRule}\` to the queue \`${laneNames(lane).retryQueue}\``,
    what: "The queue or its policy is gone",
    remains:
      "Dead-letter queue: Lambda's record, with `ERROR_CODE`. Where that refuses it: the archive has the event, unless it is a schedule's",
    alarms: [
      `${laneNames(lane).retryRule}-failed-invocations`,
      `${laneNames(lane).retryRule}-lost-events`,
      "dead-letters",
    ],
    command: `Deploy again, ${redrive}; of lost ones, ${replay}`,
  })),
  ...lanes.map((lane): LossRow => ({
    hops: [
      `queue:${laneNames(lane).retryQueue}`,
      `mapping:${laneNames(lane).retryQueue}`,
      `call:${laneNames(lane).function} ConsumeRetries`,
    ],
    where: `Queue \`${laneNames(lane).retryQueue}\` and its poller`,
    what: "Every try fails for 7 hours, or the mapping is switched off. What can't be mended by a retry is parked by the function at once",
    remains:
      "The queue, and after the last try the dead-letter queue: both delete a message 14 days after it came into the first of the two",
    alarms: [laneNames(lane).alarm("retries-waiting"), "dead-letters"],
    command: `${list} \`-- --retries\`; when the cause is mended, ${redrive}`,
  })),
  {
    hops: ["target:dead-letter-rule"],
    where: "Rule `dead-letter-rule` to the dead-letter queue",
    what: "The rule takes the records of what no retry can mend and the function could not park itself. The queue, or its policy, refuses the record",
    remains: "The archive has the event, unless it is a schedule's; the function's log has the reason",
    alarms: ["dead-letter-rule-failed-invocations", "dead-letter-rule-lost-events"],
    command: `Deploy again, ${replay}`,
  },
  {
    hops: ["queue:dead-letters"],
    where: "Dead-letter queue",
    what: "Nobody comes for 14 days: SQS deletes the message",
    remains: "The archive, where it keeps longer than 14 days: on production, 90",
    alarms: ["dead-letters"],
    command: `${list}; then ${redrive}, or \`-- --discard --filter event=..\``,
  },
  {
    hops: calls("ParkFailures"),
    where: "Function to the dead-letter queue",
    what: `What no retry can mend, the function parks at once, in both lanes; of an event above ${mostEventBytes / 1024} KiB, all but its detail. The queue does not answer, or it or the permission is gone`,
    remains: `In an asynchronous run, the run fails: Lambda tries it twice more, and then its record goes over the failures bus and the dead-letter rule. From the retry queue, the event stays there until its last try, and then SQS itself moves it. An event above ${mostEventBytes / 1024} KiB may be too large for Lambda's record (\`lost-failures\`); the archive has the whole`,
    alarms: [
      "email-processing-errors",
      ...lanes.flatMap((lane) => [laneNames(lane).alarm("lambda-errors"), laneNames(lane).alarm("lost-failures")]),
    ],
    command: `Deploy again; ${list}`,
  },
  {
    hops: calls("ClaimSends"),
    where: "Function to the claims",
    what: "The table can't be reached: no mail is sent unclaimed (`ClaimStoreUnavailable`). Gone between claim and record: the mail is out, and its next delivery is parked as `OutcomeUnknown`",
    remains: "The retry queue, then the dead-letter queue: the event",
    alarms: [
      ...lanes.map((lane) => laneNames(lane).alarm("lambda-errors")),
      ...lanes.map((lane) => laneNames(lane).alarm("retries-waiting")),
      "dead-letters",
    ],
    command: `Deploy again; a table that was lost comes back from its point-in-time recovery. ${list}`,
  },
  {
    hops: [],
    where: "The claim says sent",
    what: "The same event was mailed to this recipient before, or another event with the same `idempotencyKey` was: this one is not mailed, as its producer asked for. Where the other event says something else, that may be its producer's mistake, and it is told as such",
    remains:
      "The function's log. Same event or same content: `Email was sent before`, with the ids of event and mail, and the metric `DuplicatesPrevented`. Other content: a warning that begins `Not sent: an event with other content`, and the metric `KeyReused`",
    alarms: [],
    command:
      "Look at `KeyReused` now and then. A producer that means another mail gives another key, and puts a new event",
  },
  {
    hops: calls("WriteOwnLogs"),
    where: "Function to its log",
    what: "The log group or the permission is gone: runs go on unseen, and `EmailProcessingErrors` is not counted. No mail is lost by it",
    remains: "Lambda's own metrics; the claims; what is parked",
    alarms: [],
    command: "Deploy again",
  },
  {
    hops: calls("SendNotifications"),
    where: "Function to SES",
    what: "No answer, or the run dies behind the send: the mail may be out (`OutcomeUnknown`)",
    remains: "Dead-letter queue: the event; the claim says unknown",
    alarms: ["dead-letters"],
    command: `${list} shows how to look for the mail; \`-- --resend-unknown --filter event=.. --filter recipient=..\` sends it`,
  },
  {
    hops: [],
    where: "SES renders",
    what: "The template reads a variable that the data lacks: SES took the mail and drops it. A deployment can't bring that about, for the package names the very version of the template that it was built with",
    remains: "The feedback log: `Email Rendering Failed`, with the event's id",
    alarms: ["rendering-failures"],
    command: `${doctor} renders each stored template; mend it, deploy, and let the producer put a new event: the claim says sent`,
  },
  {
    hops: [],
    where: "SES to the mailbox",
    what: "Bounce, complaint, reject; or the address is on the suppression list, and SES does not even try ([what to do](runbook.md#the-address-is-suppressed))",
    remains: "The feedback log, with the event's id",
    alarms: ["ses-bounces", "ses-rejects", "ses-bounce-rate", "ses-complaint-rate"],
    command: "Correct the address at its producer; `aws sesv2 get-suppressed-destination` tells of the list",
  },
  {
    hops: ["ses-events:feedback"],
    where: "SES's events to the default bus",
    what: "The event destination is off or gone: bounces and rendering failures stay unseen. No mail is lost by it. SES tells at its best effort, even when all is well: that it told nothing of a mail proves nothing",
    remains: "SES's own metrics of the account, and the alarms on them",
    alarms: [],
    command: doctor,
  },
  {
    hops: ["target:feedback-rule"],
    where: "Rule `feedback-rule` to the feedback log",
    what: "The log group or its policy refuses the event. No mail is lost by it",
    remains: "Dead-letter queue: what SES told. Where that refuses it: nothing; the default bus has no archive",
    alarms: ["feedback-rule-failed-invocations", "feedback-rule-lost-events", "dead-letters"],
    command: `Deploy again; ${list} has what SES told; then \`-- --discard --filter message=..\``,
  },
];
