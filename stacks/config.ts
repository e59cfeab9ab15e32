import { mailboxOf, parseEmailAddress } from "../handler/contract/email-address";
import { maximumRecipients } from "../handler/notifications/recipients";
import { type RecipientPolicy } from "../handler/contract/recipient-policy";
import { type CiSettings, readCi } from "./ci-config";
import { laneNames, lanes } from "./lanes";
import { regionPattern, whyNoMailFrom } from "./regions";
import { exampleAccountId, type Stage, stages, type StageSettings } from "./stages";

type Backend =
  | { readonly kind: "s3"; readonly bucket: string; /** The region of the bucket. */ readonly region: string }
  | { readonly kind: "cloud"; readonly organization: string; readonly workspace: string }
  | { readonly kind: "local" };

/** The whole configuration of a stage, after it was checked. */
export interface Config extends Omit<StageSettings, "allowedRecipients" | "accountId" | "replyTo"> {
  readonly stage: Stage;
  readonly projectName: string;
  /** The providers and the state's backend refuse every other account. */
  readonly accountId: string;
  readonly region: string;
  /** The `From` address. */
  readonly sender: string;
  /** The identity that SES verifies: the sender's address, or its domain. */
  readonly senderIdentity: { readonly kind: "address" | "domain"; readonly value: string };
  /**
   * Whether this stage creates the identities in SES. An account has each identity once, so another stage may own them.
   */
  readonly manageIdentities: boolean;
  /** Recipients of scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
  readonly recipientPolicy: RecipientPolicy;
  /** Where replies go if the event names no other address. Where this is empty, they go to the sender. */
  readonly replyTo: readonly string[];
  /** Subscriber of the alarm topic. */
  readonly alarmEmail: string | undefined;
  readonly backend: Backend;
  /** `undefined` where no CI deploys the stage. */
  readonly ci: CiSettings | undefined;
}

/**
 * The most characters that project and stage may have together. AWS takes 64 characters of a function's name and of a
 * role's name, and no other name of the stack leaves less room.
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
const longestProjectName = 63 - stateBucketOf("", exampleAccountId).length;

const howToExportAccount = "export AWS_ACCOUNT_ID=$(aws sts get-caller-identity --query Account --output text)";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A configuration that can't be used. Its message lists every problem with the value and the fix. */
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
  const read = new Reader(environment, settings, problems);

  const projectName = readProjectName(read);
  const region = readRegion(read);
  const accountId = readAccount(environment, settings, problems);
  refuseLongName(projectName, stage, region, problems);
  const senderText = read.value("EMAIL_SENDER", "notifications@your-domain.example");
  const sender = senderText === undefined ? undefined : read.address("EMAIL_SENDER", senderText);
  const identityKind = read.choice("SENDER_IDENTITY", ["address", "domain"], "use address or domain (of EMAIL_SENDER)");
  const identities = read.choice(
    "IDENTITIES",
    ["managed", "existing"],
    "use managed (this stage makes them), or existing (another stage or a person did)",
  );
  const recipients = readRecipients(read);
  const replyTo = readReplyTo(read);
  const alarmText = read.optional("ALARM_EMAIL");
  const alarmEmail = alarmText === undefined ? undefined : read.address("ALARM_EMAIL", alarmText);
  const stateRegion = read.regionNamed("STATE_REGION", read.optional("STATE_REGION"));
  const bucket = projectName && accountId && stateBucketOf(projectName, accountId);
  const backend = readBackend(environment, bucket, stateRegion ?? region, problems);
  const ci = readCi(environment, backendOf(environment), problems);
  refuseStateElsewhere(environment, problems);
  refuseExpressions(stage, settings, problems);

  if (problems.length > 0) throw new ConfigurationError(problems);
  if (
    stage === undefined ||
    settings === undefined ||
    projectName === undefined ||
    accountId === undefined ||
    region === undefined ||
    sender === undefined ||
    identityKind === undefined ||
    recipients === undefined ||
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
    senderIdentity: { kind: identityKind, value: identityKind === "domain" ? domainOf(sender) : sender },
    manageIdentities: identities === "managed",
    recipients,
    recipientPolicy:
      allowedRecipients === "recipients-only"
        ? { mode: "restricted", addresses: recipients, domains: ["simulator.amazonses.com"] }
        : allowedRecipients,
    replyTo,
    alarmEmail,
    backend,
    ci,
  };
}

type DefaultedVariable = keyof NonNullable<StageSettings["defaults"]>;

/** Reads single variables, and collects their problems. */
class Reader {
  constructor(
    readonly environment: Environment,
    readonly settings: StageSettings | undefined,
    readonly problems: string[],
  ) {}

  /** Reads a variable that has to be set, unless the stage has a default for it. */
  value(name: DefaultedVariable, example: string): string | undefined {
    const text = this.optional(name) ?? this.settings?.defaults?.[name];
    if (text === undefined) this.problems.push(`${name} is not set: export ${name}=${example}`);
    return text;
  }

  /** Reads a variable that may be left out or empty. */
  optional(name: string): string | undefined {
    return this.environment[name]?.trim() || undefined;
  }

  /** Reads a variable that takes one of the known values. Where it is not set, the first of them counts. */
  choice<const Known extends string>(
    name: string,
    known: readonly [Known, ...Known[]],
    fix: string,
  ): Known | undefined {
    const text = this.optional(name) ?? known[0];
    const found = known.find((each) => each === text);
    if (found === undefined) this.problems.push(`${name}="${text}" is unknown: ${fix}`);
    return found;
  }

  matching(name: string, text: string | undefined, pattern: RegExp, rule: string): string | undefined {
    if (text === undefined || pattern.test(text)) return text;
    this.problems.push(`${name}="${text}" ${rule}`);
    return undefined;
  }

  regionNamed(name: string, text: string | undefined): string | undefined {
    return this.matching(name, text, regionPattern, "is not a region's name: for example us-east-1");
  }

  address(name: string, text: string): string | undefined {
    const parsed = parseEmailAddress(text);
    if (parsed === undefined) {
      this.problems.push(`${name}="${text}" is not an e-mail address: use the form name@example.com`);
      return undefined;
    }
    if (/[${}%*?]/.test(parsed)) {
      // These characters are legal in an address, but IAM and Terraform would read them as wildcards or expressions.
      this.problems.push(
        `${name}="${text}" has one of $ { } % * ?, which can't stand in a policy: use another address`,
      );
      return undefined;
    }
    return parsed;
  }

  /** Removes duplicates: a mailbox that is named twice stays in its first spelling. */
  addresses(name: string, texts: readonly string[]): string[] {
    const found = texts.map((text) => this.address(name, text)).filter((text) => text !== undefined);
    return found.filter((text, index) => found.findIndex((other) => mailboxOf(other) === mailboxOf(text)) === index);
  }
}

function readProjectName(read: Reader): string | undefined {
  return read.matching(
    "PROJECT_NAME",
    read.value("PROJECT_NAME", "email-automation-a1b2c3"),
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "has to be lower-case letters, digits and single hyphens, from a letter on: for example email-automation-a1b2c3",
  );
}

function readRegion(read: Reader): string | undefined {
  const region = read.regionNamed("AWS_REGION", read.value("AWS_REGION", "us-east-1"));
  const whyNot = region === undefined ? undefined : whyNoMailFrom(region);
  if (region !== undefined && whyNot !== undefined) read.problems.push(`AWS_REGION="${region}" ${whyNot}`);
  return region;
}

function refuseLongName(
  projectName: string | undefined,
  stage: Stage | undefined,
  region: string | undefined,
  problems: string[],
): void {
  const longest = Math.min(longestPrefix(region ?? "") - `-${stage ?? ""}`.length, longestProjectName);
  if (projectName === undefined || (projectName.length >= 3 && projectName.length <= longest)) return;
  problems.push(
    `PROJECT_NAME="${projectName}" has ${projectName.length} characters: use 3 to ${longest}, because names begin with it and the stage`,
  );
}

/** @returns the recipients of scheduled notifications; `undefined` where none is valid. */
function readRecipients(read: Reader): readonly [string, ...string[]] | undefined {
  const { problems } = read;
  const text = read.value("EMAIL_RECIPIENT", "you@your-domain.example");
  const before = problems.length;
  const [first, ...others] = read.addresses("EMAIL_RECIPIENT", listed(text));
  if (others.length >= maximumRecipients) {
    problems.push(
      `EMAIL_RECIPIENT names ${others.length + 1} recipients, and an event takes ${maximumRecipients}: name a distribution list`,
    );
  }
  if (first !== undefined) return [first, ...others];
  if (text !== undefined && problems.length === before) {
    problems.push(`EMAIL_RECIPIENT="${text}" names nobody: export EMAIL_RECIPIENT=you@your-domain.example`);
  }
  return undefined;
}

/** Reads the addresses for replies from the environment, or else from the stage's settings. */
function readReplyTo(read: Reader): string[] {
  const text = read.optional("EMAIL_REPLY_TO");
  return text === undefined
    ? read.addresses("stacks/stages.ts: replyTo", read.settings?.replyTo ?? [])
    : read.addresses("EMAIL_REPLY_TO", listed(text));
}

function refuseExpressions(stage: Stage | undefined, settings: StageSettings | undefined, problems: string[]): void {
  if (stage === undefined || !/[$%]\{/.test(JSON.stringify(settings))) return;
  problems.push(
    `The settings of "${stage}" in stacks/stages.ts hold a \${ or %{, which Terraform would read as an expression: leave it out`,
  );
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
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

/**
 * The account comes from the environment (docs/deploy.md exports it) or from the stage's settings. Where both name one,
 * it has to be the same.
 */
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
 * Refuses variables by which Terraform itself would keep the state in another place than the configured one. It would
 * not say so, and the next deployment would create every resource a second time.
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
    // The message leaves out the option's value, because it may hold a secret.
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
