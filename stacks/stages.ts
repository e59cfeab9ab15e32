import { type RecipientPolicy } from "../handler/contract/recipient-policy";
import { type Lane } from "./lanes";
import { type SendingDomainSettings, type TrackingSettings } from "./sending-domains";

/** The account id that AWS uses in its own examples. Nobody owns it. The sandbox's moto uses it, too. */
export const exampleAccountId = "123456789012";

/**
 * The days that CloudWatch Logs can keep logs
 * (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html).
 */
export const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** An address that mail comes from. */
interface SenderSettings {
  readonly address: string;
  /** What SES verifies: the address, or its whole domain. @default "address" */
  readonly identity?: "address" | "domain";
}

/**
 * The settings of one stage. Some of them can also come from an environment variable, and then there is one rule: a
 * variable that is set wins over the stage's entry here. Only the account is guarded: where both name one, they have to
 * be the same.
 */
export interface StageSettings {
  /** Part of every name. PROJECT_NAME wins. */
  readonly projectName?: string;
  /**
   * Why the project's name may have the word of a stage in it all the same. This is for a project that was deployed
   * before that was refused: its account must have no project and stage that its name begins with. @default it may not
   */
  readonly projectNameException?: string;
  /** The only account that the stage may be deployed to: AWS_ACCOUNT_ID can't name another one. */
  readonly accountId?: string;
  /**
   * Where everything is: a region with Amazon SES. AWS_REGION wins, so that one stage can live in several regions. The
   * synth warns where it names another one.
   */
  readonly region?: string;
  /**
   * The addresses that the stage's mail comes from, by short names. Mail comes from the sender `default`, unless its
   * notification names another one (`sender` in handler/notifications/define.ts). EMAIL_SENDER and SENDER_IDENTITY win
   * over the default sender's address and identity.
   */
  readonly senders?: Readonly<Record<string, SenderSettings>>;
  /**
   * `managed`: this stage makes the SES identities. `existing`: all of them are there, because another stage or a person
   * has made them. `{ existing: ["example.com"] }`: these are there, and this stage makes the others. An account has each
   * identity once in a region, so the synth refuses two stages that make the same one. It sees those whose entries name
   * account and region, and not those that have them from variables. IDENTITIES wins.
   * @default "managed"
   */
  readonly identities?: "managed" | "existing" | { readonly existing: readonly string[] };
  /**
   * The repository of GitHub whose workflows plan and deploy the stage (docs/ci-access.md): `owner/name`, or
   * `owner@123456/name@456789` with the ids of both. DEPLOY_REPOSITORY wins. @default no workflow deploys the stage
   */
  readonly deployRepository?: string;
  /**
   * `managed`: this stage makes the account's identity provider for GitHub. `existing`: it is there. An account has it
   * once, so the synth refuses two stages whose entries name one account and a repository, and that both make it.
   * OIDC_PROVIDER wins. @default "managed"
   */
  readonly oidcProvider?: "managed" | "existing";
  /** Recipients of scheduled notifications. EMAIL_RECIPIENT wins. */
  readonly recipients?: readonly string[];
  /** Where replies go if the event names no other address. EMAIL_REPLY_TO wins. @default to the sender */
  readonly replyTo?: readonly string[];
  /** E-mail addresses that are told of alarms. ALARM_EMAIL wins. @default nobody is told */
  readonly alarmSubscribers?: readonly string[];
  /**
   * Settings of the domains that SES verifies for the stage's senders, by domain. @default those of
   * `SendingDomainSettings`
   */
  readonly sendingDomains?: Readonly<Record<string, SendingDomainSettings>>;
  /** Counts opens and clicks, under a domain of the stage's own. @default nothing is tracked */
  readonly tracking?: TrackingSettings;
  /**
   * Protects what can't be created again from being deleted: claims, parked events, the archive, the verified
   * identities. AWS refuses to delete the table of claims, and Terraform refuses a plan that would destroy one of these
   * resources. To remove such a stage, set this to false and deploy, and then destroy the stage.
   */
  readonly deletionProtection: boolean;
  /**
   * Whether the account is in the SES sandbox. SES then sends only to verified recipients, so the stack creates an
   * identity for each of the stage's recipients, and the function may send to it.
   */
  readonly sesSandbox: boolean;
  /**
   * Who may be mailed: the handler refuses everybody else, and so does IAM. `recipients-only` means the stage's recipients. A list may
   * always mail SES's mailbox simulator. A listed domain does not include its sub-domains.
   */
  readonly allowedRecipients: RecipientPolicy | "recipients-only";
  /** Days that CloudWatch Logs keeps the function's logs. CloudWatch Logs takes only certain values. */
  readonly logRetentionDays: (typeof logRetentionDays)[number];
  /** Days that the bus's archive keeps events for a replay, from 1 on. */
  readonly archiveRetentionDays: number;
  /** Memory of the function in MB, from 128 to 10,240. */
  readonly memoryMb: number;
  /**
   * Longest run of the function in seconds, from 9 to 900. A send may take 8. A lane whose send rate is so small that an
   * event with 50 recipients takes longer has a longer time-out than this one.
   */
  readonly timeoutSeconds: number;
  /**
   * Mails a second of this stage: its share of what SES lets the account send (SES console, "Account dashboard";
   * `npm run doctor` compares). SES counts the account as a whole, so the shares of all stages in it must not add up to
   * more than the account's rate. A stage whose mail piles up may use what the others leave, and slows down where SES
   * throttles it (docs/decisions/0028-pacing.md). In the SES sandbox the rate is 1. A stage has at least 0.1, and at most
   * what the account's concurrency (`quotas`) can send.
   */
  readonly sendRatePerSecond: number;
  /**
   * Whether the concurrency of each lane is reserved. Set it to false for a new account, whose concurrency quota is 10:
   * AWS keeps 100 unreserved, or all of a smaller quota. As many runs as the account allows then share the send rate, by
   * SES's throttling alone.
   */
  readonly reserveConcurrency: boolean;
  /**
   * Runs of a lane's function at once, from 3 on, which are reserved. With more runs than the send rate needs, more
   * events can be read at once, and none is mailed faster.
   * With fewer than the send rate needs, the lane is slower than its share, and the synth says how slow.
   * @default as many as the lane's share of the send rate needs, at a quarter of a second for a mail
   */
  readonly concurrency?: Partial<Readonly<Record<Lane, number>>>;
  /** How often and how long EventBridge tries a target before it puts the event into the dead-letter queue. */
  readonly targetRetry: { readonly attempts: number; readonly maximumAgeSeconds: number };
  /** Quotas of the account that differ from AWS's own. The synth checks the stack and the send rate against them. @default AWS's own */
  readonly quotas?: Partial<Quotas>;
}

/**
 * Adjustable quotas of an account (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
export interface Quotas {
  readonly rulesPerBus: number;
  /** Runs of Lambda functions at once, in all of the account. @default 1000, and 10 in a new account */
  readonly concurrentExecutions: number;
  /** Most characters of an event pattern. AWS can raise it to the 4,096 that PutRule takes. */
  readonly eventPatternCharacters: number;
}

/** The quotas that AWS documents as its defaults in this region. */
export function defaultQuotas(region: string): Quotas {
  const rulesPerBus = ["af-south-1", "eu-south-1"].includes(region) ? 100 : 300;
  return { rulesPerBus, eventPatternCharacters: 2048, concurrentExecutions: 1000 };
}

const common = {
  deletionProtection: false,
  logRetentionDays: 30,
  archiveRetentionDays: 14,
  memoryMb: 256,
  timeoutSeconds: 30,
  // These are EventBridge's own maxima. They are set here, so that the limit is a visible decision.
  targetRetry: { attempts: 185, maximumAgeSeconds: 86_400 },
} as const;

/**
 * The words that a stage can be called by, each with a number behind it where it is one of several (`dev2`). A project's
 * name can't have such a word behind a hyphen. So no two stages of an account have a name in common, and no name of one
 * begins like those of another (docs/decisions/0021-stages.md). A word that is added here has to be added in every
 * project of the account.
 */
export const stageWords = [
  "sandbox",
  "dev",
  "test",
  "qa",
  "uat",
  "demo",
  "perf",
  "pr",
  "staging",
  "preprod",
  "prod",
] as const;

export const stages = {
  sandbox: {
    ...common,
    // The time-out is shorter than elsewhere, so that the sandbox notices sooner that a function has died.
    timeoutSeconds: 12,
    sendRatePerSecond: 50,
    reserveConcurrency: true,
    projectName: "email-automation",
    accountId: exampleAccountId,
    region: "us-east-1",
    senders: { default: { address: "notifications@example.com" } },
    recipients: ["test-recipient@example.com"],
    sesSandbox: true,
    allowedRecipients: { mode: "unrestricted", reason: "No mail leaves the machine that the sandbox runs on." },
  },
  dev: {
    ...common,
    sendRatePerSecond: 1,
    reserveConcurrency: false,
    sesSandbox: true,
    allowedRecipients: "recipients-only",
  },
  staging: {
    ...common,
    // A low rate lets staging share an account with production. Production's own rate then has to be lower by as much.
    sendRatePerSecond: 1,
    reserveConcurrency: true,
    sesSandbox: false,
    allowedRecipients: "recipients-only",
  },
  prod: {
    ...common,
    deletionProtection: true,
    logRetentionDays: 365,
    archiveRetentionDays: 90,
    // This value is an example. What an account gets outside the SES sandbox "varies based on your specific use case"
    // (SES guide, "quotas"). Set it to the account's rate minus what the other stages of the account take.
    sendRatePerSecond: 14,
    reserveConcurrency: true,
    sesSandbox: false,
    allowedRecipients: { mode: "unrestricted", reason: "Production mails customers, at the address that each gave." },
  },
} satisfies Record<string, StageSettings>;

export type Stage = keyof typeof stages;
