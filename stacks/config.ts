import { mailboxOf, parseEmailAddress } from "../handler/contract/email-address";
import { maximumRecipients } from "../handler/notifications/recipients";
import { type RecipientPolicy } from "../handler/contract/recipient-policy";
import { laneNames, lanes } from "./lanes";
import { regionPattern, whyNoMailFrom } from "./regions";
import { type Stage, stages, type StageSettings } from "./stages";

export type Backend =
  | { readonly kind: "s3"; readonly bucket: string; /** Of the bucket. */ readonly region: string }
  | { readonly kind: "cloud"; readonly organization: string; readonly workspace: string }
  | { readonly kind: "local" };

/** Everything that the stacks need to know, checked. */
export interface Config extends Omit<StageSettings, "allowedRecipients" | "accountId" | "replyTo"> {
  readonly stage: Stage;
  readonly projectName: string;
  /** The providers and the state's backend refuse every other one. */
  readonly accountId: string;
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
  /** Where replies go, for mails whose event names no other place; none: to the sender. */
  readonly replyTo: readonly string[];
  /** Subscriber of the alarm topic. */
  readonly alarmEmail: string | undefined;
  readonly backend: Backend;
}

/**
 * Characters that project and stage may have together. AWS takes 64 characters of a function's name and of a role's
 * name, and no other name of the stack leaves less room.
 */
const longestPrefix = (region: string) =>
  64 -
  Math.max(
    ...lanes
      .map(laneNames)
      .flatMap((names) => [`-${names.function}`, `-${names.executionRole}-${region}`])
      .map((ending) => ending.length),
  );

/** S3 takes 63 characters of a bucket's name. */
const stateBucketOf = (projectName: string, accountId: string) => `${projectName}-terraform-state-${accountId}`;
const longestProjectName = 63 - stateBucketOf("", "123456789012").length;

const howToExportAccount = "export AWS_ACCOUNT_ID=$(aws sts get-caller-identity --query Account --output text)";

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
  /** One a mailbox, in the form that comes first: a mail goes to that one only. */
  const addresses = (name: string, texts: readonly string[]) => {
    const found = texts.map((text) => address(name, text)).filter((text) => text !== undefined);
    return found.filter((text, index) => found.findIndex((other) => mailboxOf(other) === mailboxOf(text)) === index);
  };

  const projectName = matching(
    "PROJECT_NAME",
    value("PROJECT_NAME", "email-automation-a1b2c3"),
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "has to be lower-case letters, digits and single hyphens, from a letter on: for example email-automation-a1b2c3",
  );
  const regionNamed = (name: string, text: string | undefined) =>
    matching(name, text, regionPattern, "is not a region's name: for example us-east-1");
  const region = regionNamed("AWS_REGION", value("AWS_REGION", "us-east-1"));
  const whyNot = region === undefined ? undefined : whyNoMailFrom(region);
  if (region !== undefined && whyNot !== undefined) problems.push(`AWS_REGION="${region}" ${whyNot}`);
  const accountId = readAccount(environment, settings, problems);
  const longest = Math.min(longestPrefix(region ?? "") - `-${stage ?? ""}`.length, longestProjectName);
  if (projectName !== undefined && (projectName.length < 3 || projectName.length > longest)) {
    problems.push(
      `PROJECT_NAME="${projectName}" has ${projectName.length} characters: use 3 to ${longest}, for names carry it with the stage`,
    );
  }
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
  const recipients = addresses("EMAIL_RECIPIENT", listed(recipientText));
  const replyToText = environment.EMAIL_REPLY_TO?.trim();
  const replyTo = replyToText
    ? addresses("EMAIL_REPLY_TO", listed(replyToText))
    : addresses("stacks/stages.ts: replyTo", settings?.replyTo ?? []);
  const alarmText = environment.ALARM_EMAIL?.trim();
  const alarmEmail = alarmText ? address("ALARM_EMAIL", alarmText) : undefined;
  const stateRegion = regionNamed("STATE_REGION", environment.STATE_REGION?.trim() || undefined);
  const bucket = projectName && accountId && stateBucketOf(projectName, accountId);
  const backend = readBackend(environment, bucket, stateRegion ?? region, problems);
  refuseStateElsewhere(environment, problems);
  if (stage !== undefined && /[$%]\{/.test(JSON.stringify(settings))) {
    problems.push(
      `The settings of "${stage}" in stacks/stages.ts hold a \${ or %{, which Terraform reads as its own: leave it out`,
    );
  }

  const [first, ...others] = recipients;
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
    accountId === undefined ||
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
    accountId,
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
    replyTo,
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

function listed(text = ""): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** Of the environment, as the recipe exports it, or of the stage's settings; the two can't differ. */
function readAccount(
  environment: Environment,
  settings: StageSettings | undefined,
  problems: string[],
): string | undefined {
  const ofEnvironment = environment.AWS_ACCOUNT_ID?.trim() || undefined;
  const ofStage = settings?.accountId;
  const accountId = ofEnvironment ?? ofStage ?? settings?.defaults?.AWS_ACCOUNT_ID;
  if (accountId === undefined) {
    problems.push(`AWS_ACCOUNT_ID is not set: ${howToExportAccount}`);
    return undefined;
  }
  if (!/^\d{12}$/.test(accountId)) {
    problems.push(`AWS_ACCOUNT_ID="${accountId}" is not an account's id, which has 12 digits: ${howToExportAccount}`);
    return undefined;
  }
  if (ofStage !== undefined && ofStage !== accountId) {
    problems.push(
      `AWS_ACCOUNT_ID="${accountId}" is not the account of this stage, which is ${ofStage} by stacks/stages.ts: use that account's credentials, and ${howToExportAccount}`,
    );
    return undefined;
  }
  return accountId;
}

/**
 * Terraform reads these by itself, and would keep the state in another place than the one that is configured, without a
 * word: the next deployment would make everything a second time.
 */
function refuseStateElsewhere(environment: Environment, problems: string[]): void {
  const backend = backendOf(environment);
  if (backend !== "cloud" && environment.TF_WORKSPACE) {
    problems.push(
      `TF_WORKSPACE="${environment.TF_WORKSPACE}" is for BACKEND=cloud; with BACKEND=${backend} it would move the state: unset TF_WORKSPACE`,
    );
  }
  for (const [name, text = ""] of Object.entries(environment)) {
    if (!/^TF_CLI_ARGS(_|$)/.test(name)) continue;
    const [, option] =
      /(?:^|[\s"'])--?(backend|backend-config|reconfigure|migrate-state|force-copy|state|state-out)(?=[=\s"']|$)/.exec(
        text,
      ) ?? [];
    // Its value may hold a secret.
    if (option !== undefined) problems.push(`${name} has -${option}, which would move the state: take it out`);
  }
}

const backendOf = (environment: Environment): string => environment.BACKEND?.trim() || "s3";

function readBackend(
  environment: Environment,
  ownBucket: string | undefined,
  region: string | undefined,
  problems: string[],
): Backend | undefined {
  const kind = backendOf(environment);
  switch (kind) {
    case "local":
      return { kind };
    case "s3": {
      const bucket = environment.STATE_BUCKET?.trim() || ownBucket;
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
      const named = { TF_CLOUD_ORGANIZATION: organization, TF_WORKSPACE: workspace };
      const bad = Object.entries(named).filter(([, text]) => text && !/^[\w-]{1,90}$/.test(text));
      for (const [name, text = ""] of bad) {
        problems.push(`${name}="${text}" is not a name: use up to 90 letters, digits, hyphens and underscores`);
      }
      return organization && workspace && bad.length === 0 ? { kind, organization, workspace } : undefined;
    }
    default:
      problems.push(`BACKEND="${kind}" is unknown: use s3, cloud or local`);
      return undefined;
  }
}
