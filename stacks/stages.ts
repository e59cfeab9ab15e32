import { type RecipientPolicy } from "../handler/contract/recipient-policy";

/** The account of AWS's own examples, which moto plays in the sandbox. Nobody owns it. */
export const exampleAccountId = "123456789012";

/** What a stage decides for itself. What the environment may set stands in `config.ts`. */
export interface StageSettings {
  /** Values for the environment's variables; the environment wins. Only the sandbox brings its own. */
  readonly defaults?: Readonly<
    Record<"PROJECT_NAME" | "EMAIL_SENDER" | "EMAIL_RECIPIENT" | "AWS_ACCOUNT_ID" | "AWS_REGION", string>
  >;
  /** The only account that the stage may be deployed to; AWS_ACCOUNT_ID may then be left out, and can't differ. */
  readonly accountId?: string;
  /** Where replies go: for every mail whose event names no other place. EMAIL_REPLY_TO wins. @default to the sender */
  readonly replyTo?: readonly string[];
  /**
   * Keeps what can't be made again from being deleted: claims, parked events, the archive, the verified identities. AWS
   * refuses to delete the table of claims, and Terraform refuses a plan that would destroy one of them. To remove such a
   * stage, set it to false and deploy; then destroy.
   */
  readonly deletionProtection: boolean;
  /**
   * The account is in the SES sandbox: mail goes to verified recipients only, so the stack makes an identity of each
   * address in EMAIL_RECIPIENT, and the function may send to it.
   */
  readonly sesSandbox: boolean;
  /** Who may be mailed. `recipients-only` means the addresses in EMAIL_RECIPIENT and SES's mailbox simulator. */
  readonly allowedRecipients: RecipientPolicy | "recipients-only";
  /** Days that the function's logs are kept: a value that CloudWatch Logs knows. */
  readonly logRetentionDays: 7 | 14 | 30 | 90 | 180 | 365;
  /** Days that the bus's archive keeps events for a replay. */
  readonly archiveRetentionDays: number;
  /** Memory of the function in MB. */
  readonly memoryMb: number;
  /** Longest run of the function in seconds. */
  readonly timeoutSeconds: number;
  /**
   * Mails a second that this stage sends at most: its share of what SES lets the account send (SES console, "Account
   * dashboard"; `npm run doctor` compares). SES counts the account as a whole, so the shares of all stages in it must
   * add up to no more, or a burst of one throttles the alerts of another. 1 in the SES sandbox.
   */
  readonly sendRatePerSecond: number;
  /**
   * Whether each lane's concurrency is reserved. Without it the send rate is not kept, and SES's throttling is left to
   * the retries: for new accounts, whose quota is 10 (AWS keeps 100 unreserved, or all of a quota that is smaller).
   */
  readonly reserveConcurrency: boolean;
  /** EventBridge's tries of a target before the event goes to the dead letters. */
  readonly targetRetry: { readonly attempts: number; readonly maximumAgeSeconds: number };
  /** Quotas that AWS has raised for the account; the synth checks the stack against them. @default AWS's own */
  readonly quotas?: Partial<Quotas>;
}

/** Adjustable quotas of an account (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html). */
export interface Quotas {
  readonly rulesPerBus: number;
  /** Of an event pattern; PutRule takes 4,096 at most. */
  readonly eventPatternCharacters: number;
}

/** AWS's own quotas, of one region. */
export function defaultQuotas(region: string): Quotas {
  const rulesPerBus = ["af-south-1", "eu-south-1"].includes(region) ? 100 : 300;
  return { rulesPerBus, eventPatternCharacters: 2048 };
}

const common = {
  deletionProtection: false,
  logRetentionDays: 30,
  archiveRetentionDays: 14,
  memoryMb: 256,
  timeoutSeconds: 30,
  // EventBridge's own maximum is 185 attempts in 24 hours; they are set, so that the limit is a decision.
  targetRetry: { attempts: 185, maximumAgeSeconds: 86_400 },
} as const;

export const stages = {
  sandbox: {
    ...common,
    // A function that dies is noticed sooner.
    timeoutSeconds: 12,
    sendRatePerSecond: 50,
    reserveConcurrency: true,
    defaults: {
      PROJECT_NAME: "email-automation",
      EMAIL_SENDER: "notifications@example.com",
      EMAIL_RECIPIENT: "test-recipient@example.com",
      AWS_ACCOUNT_ID: exampleAccountId,
      AWS_REGION: "us-east-1",
    },
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
    // A low rate lets staging share an account with production, whose own rate then has to be lower by as much.
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
    // An example. What an account gets outside the SES sandbox "varies based on your specific use case" (SES guide,
    // "quotas"): set it to the account's rate, less what other stages of the account take.
    sendRatePerSecond: 14,
    reserveConcurrency: true,
    sesSandbox: false,
    allowedRecipients: { mode: "unrestricted", reason: "Production mails customers." },
  },
} satisfies Record<string, StageSettings>;

export type Stage = keyof typeof stages;
