import { parseEmailAddress } from "../handler/contract/email-address";
import { maximumRecipients } from "../handler/notifications/message";
import { type RecipientPolicy } from "../handler/contract/recipient-policy";
import { type Stage, stages, type StageSettings } from "./stages";

export type Backend =
  | { readonly kind: "s3"; readonly bucket: string; /** Of the bucket. */ readonly region: string }
  | { readonly kind: "cloud"; readonly organization: string; readonly workspace: string }
  | { readonly kind: "local" };

/** Everything that the stacks need to know, checked. */
export interface Config extends Omit<StageSettings, "allowedRecipients"> {
  readonly stage: Stage;
  readonly projectName: string;
  readonly region: string;
  /** The `From` address. */
  readonly sender: string;
  /** The identity that SES verifies: the sender's address, or its domain. */
  readonly senderIdentity: { readonly kind: "address" | "domain"; readonly value: string };
  /** Whether this stage makes the identities. One account has each identity once: another stage may own it. */
  readonly manageIdentities: boolean;
  /** Recipients of scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
  readonly recipientPolicy: RecipientPolicy;
  /** Subscriber of the alarm topic. */
  readonly alarmEmail: string | undefined;
  readonly backend: Backend;
}

/** Project and stage at most, so that the longest name behind them, a function's of 64 characters, has its place. */
const longestPrefix = 64 - "-priority-email-processor".length;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A configuration that can't be used: every problem, with its value and the fix. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";

  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem${problems.length === 1 ? "" : "s"}; nothing was synthesized.\n` +
        problems.map((problem) => `  - ${problem}`).join("\n") +
        `\nTo try it without an AWS account: STAGE=sandbox (all values are set), or npm start.`,
    );
  }
}

/**
 * Reads and checks the stage's configuration.
 * @throws ConfigurationError with all problems at once.
 */
export function readConfig(environment: Environment = process.env): Config {
  const problems: string[] = [];
  const stage = readStage(environment.STAGE, problems);
  const settings: StageSettings | undefined = stage === undefined ? undefined : stages[stage];

  const value = (name: keyof NonNullable<StageSettings["defaults"]>, example: string): string | undefined => {
    const text = environment[name]?.trim() || settings?.defaults?.[name];
    if (text === undefined) problems.push(`${name} is not set: export ${name}=${example}`);
    return text;
  };
  const matching = (name: string, text: string | undefined, pattern: RegExp, rule: string): string | undefined => {
    if (text === undefined || pattern.test(text)) return text;
    problems.push(`${name}="${text}" ${rule}`);
    return undefined;
  };
  const address = (name: string, text: string): string | undefined => {
    const parsed = parseEmailAddress(text);
    if (parsed !== undefined && /[${}%*?]/.test(parsed)) {
      // Legal in an address; but IAM and Terraform would read them as their own.
      problems.push(`${name}="${text}" has one of $ { } % * ?, which can't stand in a policy: use another address`);
      return undefined;
    }
    if (parsed === undefined)
      problems.push(`${name}="${text}" is not an e-mail address: use the form name@example.com`);
    return parsed;
  };

  const projectName = matching(
    "PROJECT_NAME",
    value("PROJECT_NAME", "email-automation-a1b2c3"),
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "has to be lower-case letters, digits and single hyphens, from a letter on: for example email-automation-a1b2c3",
  );
  const longest = longestPrefix - `-${stage ?? ""}`.length;
  if (projectName !== undefined && (projectName.length < 3 || projectName.length > longest)) {
    problems.push(
      `PROJECT_NAME="${projectName}" has ${projectName.length} characters: use 3 to ${longest}, for names carry it with the stage`,
    );
  }
  const regionNamed = (name: string, text: string | undefined) =>
    matching(name, text, /^[a-z]{2}(-[a-z]+)+-\d$/, "is not a region's name: for example us-east-1");
  const region = regionNamed("AWS_REGION", value("AWS_REGION", "us-east-1"));
  const senderText = value("EMAIL_SENDER", "notifications@your-domain.example");
  const sender = senderText === undefined ? undefined : address("EMAIL_SENDER", senderText);
  const identityText = environment.SENDER_IDENTITY?.trim() || "address";
  if (identityText !== "address" && identityText !== "domain") {
    problems.push(`SENDER_IDENTITY="${identityText}" is unknown: use address or domain (of EMAIL_SENDER)`);
  }
  const identities = environment.IDENTITIES?.trim() || "managed";
  if (identities !== "managed" && identities !== "existing") {
    problems.push(
      `IDENTITIES="${identities}" is unknown: use managed (this stage makes them), or existing (another stage or a person did)`,
    );
  }
  const recipientText = value("EMAIL_RECIPIENT", "you@your-domain.example");
  const recipients = (recipientText ?? "")
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => address("EMAIL_RECIPIENT", text))
    .filter((text) => text !== undefined);
  const alarmText = environment.ALARM_EMAIL?.trim();
  const alarmEmail = alarmText ? address("ALARM_EMAIL", alarmText) : undefined;
  const stateRegion = regionNamed("STATE_REGION", environment.STATE_REGION?.trim() || undefined);
  const backend = readBackend(environment, projectName, stateRegion ?? region, problems);

  const [first, ...others] = [...new Set(recipients)];
  if (others.length >= maximumRecipients) {
    problems.push(
      `EMAIL_RECIPIENT names ${others.length + 1} recipients, and an event takes ${maximumRecipients}: name a distribution list`,
    );
  }
  if (
    recipientText !== undefined &&
    first === undefined &&
    !problems.some((text) => text.startsWith("EMAIL_RECIPIENT"))
  ) {
    problems.push(`EMAIL_RECIPIENT="${recipientText}" names nobody: export EMAIL_RECIPIENT=you@your-domain.example`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  if (
    stage === undefined ||
    settings === undefined ||
    projectName === undefined ||
    region === undefined ||
    sender === undefined ||
    first === undefined ||
    backend === undefined
  ) {
    throw new Error("A configuration problem was not reported; this is a bug in stacks/config.ts.");
  }
  const { allowedRecipients, ...rest } = settings;
  return {
    ...rest,
    stage,
    projectName,
    region,
    sender,
    senderIdentity:
      identityText === "domain"
        ? { kind: "domain", value: sender.slice(sender.lastIndexOf("@") + 1) }
        : { kind: "address", value: sender },
    manageIdentities: identities === "managed",
    recipients: [first, ...others],
    recipientPolicy:
      allowedRecipients === "recipients-only"
        ? { mode: "restricted", addresses: recipients, domains: ["simulator.amazonses.com"] }
        : allowedRecipients,
    alarmEmail,
    backend,
  };
}

function isStage(text: string): text is Stage {
  return Object.hasOwn(stages, text);
}

function readStage(text: string | undefined, problems: string[]): Stage | undefined {
  const known = Object.keys(stages).join(", ");
  if (!text) problems.push(`STAGE is not set: export STAGE to one of ${known}`);
  else if (isStage(text)) return text;
  else problems.push(`STAGE="${text}" is unknown: use one of ${known}, or add it to stacks/stages.ts`);
  return undefined;
}

function readBackend(
  environment: Environment,
  projectName: string | undefined,
  region: string | undefined,
  problems: string[],
): Backend | undefined {
  const kind = environment.BACKEND?.trim() || "s3";
  switch (kind) {
    case "local":
      return { kind };
    case "s3": {
      const bucket = environment.STATE_BUCKET?.trim() || (projectName && `${projectName}-terraform-state`);
      if (!bucket) return undefined;
      if (region === undefined) return undefined;
      if (/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) return { kind, bucket, region };
      problems.push(`STATE_BUCKET="${bucket}" is not a bucket's name: 3 to 63 lower-case letters, digits and hyphens`);
      return undefined;
    }
    case "cloud": {
      const organization = environment.TF_CLOUD_ORGANIZATION?.trim();
      const workspace = environment.TF_WORKSPACE?.trim();
      if (!organization) problems.push("BACKEND=cloud needs TF_CLOUD_ORGANIZATION: export the organization's name");
      if (!workspace) problems.push("BACKEND=cloud needs TF_WORKSPACE: export the workspace's name");
      return organization && workspace ? { kind, organization, workspace } : undefined;
    }
    default:
      problems.push(`BACKEND="${kind}" is unknown: use s3, cloud or local`);
      return undefined;
  }
}
