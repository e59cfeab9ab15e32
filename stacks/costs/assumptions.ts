/**
 * What the costs of a mail are computed from, where the stack itself does not say it. Each has its reason; `measured`
 * says that it was counted in the sandbox, and `estimated` that it was not.
 */
export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly kind: "measured" | "estimated" | "documented";
  readonly reason: string;
}

export const assumptions = {
  hoursAMonth: {
    value: 730,
    unit: "hours",
    kind: "documented",
    reason: "AWS's own pricing pages count a month so.",
  },
  pollsAMinute: {
    value: 15,
    unit: "requests a minute, for each event source mapping",
    kind: "estimated",
    reason:
      "Lambda asks an idle queue with five pollers, each of which waits 20 seconds. AWS documents neither figure; users count 15 empty receives a minute (getlift/lift issue 132).",
  },
  eventBytes: {
    value: 1024,
    unit: "bytes an event",
    kind: "estimated",
    reason: "The samples of the seed notifications have 430 bytes with their envelope, and real messages are longer.",
  },
  runMs: {
    value: 150,
    unit: "milliseconds a run",
    kind: "estimated",
    reason:
      "Two writes to DynamoDB of 6 ms, an answer of SES after 80 ms (the medians that the simulation assumes), the handler's own work, and a share of cold starts, which AWS charges as well.",
  },
  functionLogBytes: {
    value: 1460,
    unit: "bytes a mail",
    kind: "measured",
    reason:
      "A warm run writes four lines: Lambda's start (141) and report (254), the metric EmailsSent (288), and that the mail was sent (668). CloudWatch Logs counts 26 bytes more for each line.",
  },
  feedbackEvents: {
    value: 2,
    unit: "events a mail",
    kind: "documented",
    reason:
      "SES tells of a mail that arrives by two events: Send and Delivery. They are counted at the price of a custom event, because AWS's page names none for them: S3's, which are switched on in the same way, cost that.",
  },
  feedbackBytes: {
    value: 1780,
    unit: "bytes an event",
    kind: "measured",
    reason:
      "The sandbox's events, which have the fields that SES documents, have 1,620 to 1,860 bytes, and CloudWatch Logs counts 26 more.",
  },
  claimWrites: {
    value: 2,
    unit: "writes a mail",
    kind: "measured",
    reason: "A mail's claim is taken before it is sent, and marked afterwards (handler/adapters/dynamodb-claims.ts).",
  },
  claimBytes: {
    value: 480,
    unit: "bytes a claim",
    kind: "measured",
    reason: "Names and values of a claim have 380 bytes, and DynamoDB counts 100 more for each item.",
  },
  alarmMails: {
    value: 20,
    unit: "mails a month, for each address that alarms go to",
    kind: "estimated",
    reason: "An alarm that rings mails twice: when it rings, and when it is over.",
  },
  stateGb: {
    value: 0.05,
    unit: "GB",
    kind: "estimated",
    reason: "A state has about 0.3 MB, and the bucket keeps older versions of it.",
  },
  stateRuns: {
    value: 300,
    unit: "runs of Terraform a month, for each state bucket",
    kind: "estimated",
    reason: "Three stages, each planned every night, and 100 plans of pull requests, 50 deployments and 60 by hand.",
  },
  stateWrites: {
    value: 5,
    unit: "PUT and LIST a run",
    kind: "measured",
    reason:
      "Terraform's init has two LIST. An apply has one, and a PUT of the lock and of the state; a plan has one PUT less.",
  },
  stateReads: {
    value: 5,
    unit: "GET and HEAD a run",
    kind: "measured",
    reason:
      "Terraform's init and its plan or apply read the state with a HEAD and a GET each, and the lock with one more GET.",
  },
  stateKeyRequests: {
    value: 5,
    unit: "requests to KMS a run",
    kind: "measured",
    reason:
      "At the most: an apply has two PUT and three GET of encrypted objects. A bucket key, which this bucket has, saves most of them.",
  },
} as const satisfies Readonly<Record<string, Assumption>>;
