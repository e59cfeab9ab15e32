import { defaultSender } from "../handler/contract/environment";
import { domainOf, mailboxOf, parseEmailAddress } from "../handler/contract/email-address";
import { similarName } from "../handler/notifications/problems";
import { maximumRecipients } from "../handler/notifications/recipients";
import { type RecipientPolicy } from "../handler/contract/recipient-policy";
import { type CiSettings, readCi } from "./ci-config";
import {
  isStageName,
  readAddress,
  readAllowedRecipients,
  reservedDomain,
  type SettingProblem,
  settingProblems,
  sharedDomainProblem,
  showSetting,
  tellSettingProblem,
} from "./stage-check";
import { laneNames, lanes } from "./lanes";
import { madeTwice } from "./once-per-account";
import { partitionOf, regionPattern, whyNoMailFrom } from "./regions";
import { limitingSettings, sendRateProblems } from "./send-rate-check";
import { readSendingDomains, type SendingDomains } from "./sending-domains";
import { identityNamed, madeIdentities, neededIdentities, senderOf } from "./ses-identities";
import { exampleAccountId, type Stage, stages, type StageSettings, stageWords } from "./stages";

type Backend =
  | { readonly kind: "s3"; readonly bucket: string; /** The region of the bucket. */ readonly region: string }
  | { readonly kind: "cloud"; readonly organization: string; readonly workspace: string }
  | { readonly kind: "local" };

/** An address of the stage that mail comes from. */
export interface Sender {
  /** The short name that a notification names it by. */
  readonly name: string;
  readonly address: string;
  /** The identity that SES verifies: the address, or its domain. Several senders may share one. */
  readonly identity: { readonly kind: "address" | "domain"; readonly value: string };
}

/** A variable that wins over another value of the stage's entry. */
interface Override {
  readonly variable: string;
  readonly value: string;
  /** Where the entry's value stands, for example `senders.default.address`. */
  readonly setting: string;
  readonly ofEntry: string;
}

/** The whole configuration of a stage, after it was checked. */
export interface Config extends Omit<
  StageSettings,
  | "accountId"
  | "alarmSubscribers"
  | "allowedRecipients"
  | "deployRepository"
  | "identities"
  | "oidcProvider"
  | "projectName"
  | "projectNameException"
  | "recipients"
  | "region"
  | "replyTo"
  | "senders"
  | "sendingDomains"
  | "tracking"
> {
  readonly stage: Stage;
  readonly projectName: string;
  /** The providers and the state's backend refuse every other account. */
  readonly accountId: string;
  readonly region: string;
  /** The variables that win over another value of the stage's entry. */
  readonly overrides: readonly Override[];
  /** The first is the sender of every notification that names none. */
  readonly senders: readonly [Sender, ...Sender[]];
  /**
   * The identities that this stage creates in SES. An account has each identity once, so another stage may own the others.
   */
  readonly madeIdentities: readonly string[];
  /** The domains that SES verifies for the senders; none where it verifies addresses. */
  readonly sendingDomains: SendingDomains["domains"];
  readonly tracking: SendingDomains["tracking"];
  /** Recipients of scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
  readonly recipientPolicy: RecipientPolicy;
  /** Where replies go if the event names no other address. Where this is empty, they go to the sender. */
  readonly replyTo: readonly string[];
  /** The e-mail addresses that subscribe the alarm topic. */
  readonly alarmSubscribers: readonly string[];
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

const howToFindAccount = "aws sts get-caller-identity --query Account --output text";

/** The stages' entries by their names. */
type Entries = Readonly<Record<Stage, StageSettings>>;

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
 * Reads and checks the stage's configuration. A variable that is set wins over the stage's entry in stacks/stages.ts.
 * @param entries the stages; others than the project's for documents and tests, which do not depend on a team's own.
 * @throws ConfigurationError with all problems at once.
 */
export function readConfig(environment: Environment = process.env, entries: Entries = stages): Config {
  const problems: string[] = [];
  const stage = readStage(environment.STAGE?.trim(), entries, problems);
  // Without its entry, what else is missing can't be told from what the entry has.
  if (stage === undefined) throw new ConfigurationError(problems);
  const { settings, wrong } = readSettings(stage, entries[stage], problems);
  const read = new Reader(environment, stage, settings, wrong, problems);

  const named = read.value("PROJECT_NAME", "projectName", settings.projectName, "email-automation-a1b2c3");
  const projectName = readProjectName(read, named);
  const region = readRegion(read);
  const accountId = readAccount(read);
  if (named !== undefined && projectName !== undefined) refuseLongName(named, stage, region, problems);
  const senders = readSenders(read);
  const identities = readIdentities(read);
  const domains = readDomains(read, region, senders, entries);
  const recipients = readRecipients(read);
  const replyTo = read.addresses(read.list("EMAIL_REPLY_TO", "replyTo"));
  const alarmSubscribers = read.addresses(read.list("ALARM_EMAIL", "alarmSubscribers"));
  const stateRegion = readStateRegion(read, region);
  const backend = readBackend(read, named, accountId, stateRegion ?? region);
  const ci = readCi(
    read.optional("DEPLOY_REPOSITORY", "deployRepository"),
    read.optional("OIDC_PROVIDER", "oidcProvider"),
    backendOf(environment),
    problems,
  );
  refuseStateElsewhere(environment, problems);
  const recipientPolicy = readPolicy(stage, settings, recipients, problems);

  const made = readMadeIdentities(read, identities, senders, recipients);
  refuseMadeTwice(read, entries, { accountId, region, madeIdentities: made, ci });

  if (problems.length > 0) throw new ConfigurationError(problems);
  if (
    projectName === undefined ||
    accountId === undefined ||
    region === undefined ||
    senders === undefined ||
    made === undefined ||
    recipients === undefined ||
    recipientPolicy === undefined ||
    backend === undefined
  ) {
    throw new Error("A configuration problem was not reported; this is a bug in stacks/config.ts.");
  }
  const {
    allowedRecipients: _allowedRecipients,
    deployRepository: _deployRepository,
    identities: _identities,
    oidcProvider: _oidcProvider,
    projectNameException: _projectNameException,
    ...rest
  }: StageSettings = entries[stage];
  return {
    ...rest,
    sendingDomains: domains.domains,
    tracking: domains.tracking,
    stage,
    projectName,
    accountId,
    region,
    overrides: read.overrides,
    senders,
    madeIdentities: made,
    recipients,
    recipientPolicy,
    replyTo,
    alarmSubscribers,
    backend,
    ci,
  };
}

/**
 * A sentence on each variable that wins over another value of the stage's entry. Many shells have some of them set for
 * another stage or another project.
 */
export function overrideWarnings({ stage, overrides }: Pick<Config, "stage" | "overrides">): string[] {
  return overrides.map(
    ({ variable, value, setting, ofEntry }) =>
      `${variable}="${value}" wins over ${stage}.${setting} in stacks/stages.ts, which is "${ofEntry}": unset ${variable}, unless ${placingVariables.has(variable) ? "the stage is to be made a second time" : "that is meant"}.`,
  );
}

/** Every name, and so every resource, depends on these. */
const placingVariables: ReadonlySet<string> = new Set(["AWS_REGION", "PROJECT_NAME"]);

/** A sentence on each value that was left as an example of the documents has it. The sandbox may have them. */
export function placeholderWarnings({ stage, accountId, senders }: Config): string[] {
  if (stage === "sandbox") return [];
  const placeholders = senders.filter(({ address }) => reservedDomain.test(domainOf(address)));
  return [
    ...(accountId === exampleAccountId
      ? [
          `The account ${accountId} is that of AWS's documents: set AWS_ACCOUNT_ID to your own, which ${howToFindAccount} prints.`,
        ]
      : []),
    ...placeholders.map(
      ({ name, address }) =>
        `The sender ${address} (${name}) has a domain for documents, which SES can't verify (RFC 2606): name an address of a domain of your own.`,
    ),
  ];
}

/** A text of the configuration. */
export interface Named {
  /** How messages call its place: a variable's name, or a setting of a stage. */
  readonly name: string;
  readonly text: string;
}

/** Reads single values, and collects their problems. */
class Reader {
  /** The variables that win over another value of the stage's entry, of those that were read. */
  readonly overrides: Override[] = [];

  constructor(
    readonly environment: Environment,
    readonly stage: Stage,
    /** The stage's own settings, without those that are wrong. */
    readonly settings: Partial<StageSettings>,
    /** The settings that were reported already. */
    readonly wrong: ReadonlySet<PropertyKey | undefined>,
    readonly problems: string[],
  ) {}

  /** How messages call a setting of the stage. */
  nameOf(setting: string): string {
    return `stacks/stages.ts: ${this.stage}.${setting}`;
  }

  /** Reads a variable that may be left out or empty, without the setting that may stand for it. */
  variable(name: string): Named | undefined {
    const text = this.environment[name]?.trim();
    return text ? { name, text } : undefined;
  }

  /**
   * Reads a variable that wins over a setting of the stage, and notes where it does.
   * @param ofStage the setting's value; a list has its texts with commas.
   */
  private winning(name: string, setting: string, ofStage: string | undefined): Named | undefined {
    const found = this.variable(name);
    if (found !== undefined && ofStage !== undefined && comparable(found.text) !== comparable(ofStage)) {
      this.overrides.push({ variable: name, value: found.text, setting, ofEntry: ofStage });
    }
    return found;
  }

  /**
   * Reads a value that has to be there.
   * @param ofStage the stage's own setting, for a variable that is not set.
   */
  value(variable: string, setting: string, ofStage: string | undefined, example: string): Named | undefined {
    const found = this.either(variable, setting, ofStage);
    if (found === undefined) this.reportMissing(variable, setting, example, `${setting}: "${example}"`);
    return found;
  }

  /** @param written how a stage's entry writes the setting. */
  reportMissing(variable: string, setting: string, example: string, written: string): void {
    if (this.wrong.has(undefined) || this.wrong.has(setting)) return;
    this.problems.push(
      `${variable} is not set: export ${variable}=${example}, or write ${written} into ${this.stage} in stacks/stages.ts`,
    );
  }

  /** Reads a value that may be left out. */
  optional(variable: string, setting: "deployRepository" | "oidcProvider"): Named | undefined {
    return this.either(variable, setting, this.settings[setting]);
  }

  /** Reads a variable, or else the stage's own setting. */
  either(variable: string, setting: string, ofStage: string | undefined): Named | undefined {
    const ofEntry = ofStage === undefined ? undefined : { name: this.nameOf(setting), text: ofStage };
    return this.winning(variable, setting, ofStage) ?? ofEntry;
  }

  /** Reads a list: the variable has it with commas. */
  list(variable: string, setting: "recipients" | "replyTo" | "alarmSubscribers"): readonly Named[] {
    const found = this.winning(variable, setting, this.settings[setting]?.join(", "));
    if (found !== undefined) return listed(found.text).map((text) => ({ name: variable, text }));
    return (this.settings[setting] ?? []).map((text, at) => ({ name: this.nameOf(`${setting}.${at}`), text }));
  }

  /** Reads a variable that takes one of the known values. Without variable and setting, the first of them counts. */
  choice<const Known extends string>(
    variable: string,
    setting: string,
    ofStage: string | undefined,
    known: readonly [Known, ...Known[]],
    fix: string,
  ): Known | undefined {
    const text = this.winning(variable, setting, ofStage)?.text ?? ofStage ?? known[0];
    const found = known.find((each) => each === text);
    if (found === undefined) this.problems.push(`${variable}="${text}" is unknown: ${didYouMean(text, known)}${fix}`);
    return found;
  }

  matching(named: Named | undefined, pattern: RegExp, rule: string): string | undefined {
    if (named === undefined || pattern.test(named.text)) return named?.text;
    this.problems.push(`${named.name}="${named.text}" ${rule}`);
    return undefined;
  }

  regionNamed(named: Named | undefined): string | undefined {
    return this.matching(named, regionPattern, "is not a region's name: for example us-east-1");
  }

  address({ name, text }: Named): string | undefined {
    const parsed = readAddress(text);
    if ("problem" in parsed) {
      this.problems.push(`${name}="${text}" ${parsed.problem}`);
      return undefined;
    }
    return parsed.address;
  }

  /** Removes duplicates: a mailbox that is named twice stays in its first spelling. */
  addresses(named: readonly Named[]): string[] {
    const found = named.map((each) => this.address(each)).filter((text) => text !== undefined);
    return found.filter((text, index) => found.findIndex((other) => mailboxOf(other) === mailboxOf(text)) === index);
  }
}

function readProjectName(read: Reader, named: Named | undefined): string | undefined {
  const projectName = read.matching(
    named,
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "has to be lower-case letters, digits and single hyphens, from a letter on: for example email-automation-a1b2c3",
  );
  const word = projectName?.split("-").slice(1).find(isStageName);
  if (named !== undefined && word !== undefined && read.settings.projectNameException === undefined) {
    read.problems.push(
      `${named.name}="${named.text}" has "-${word}" in it, which is a stage's name: its names would begin like those of the stage ${word} of another project. Choose another name (for a project that is deployed already: projectNameException in stacks/stages.ts)`,
    );
  }
  return projectName;
}

function readRegion(read: Reader): string | undefined {
  const named = read.value("AWS_REGION", "region", read.settings.region, "us-east-1");
  const region = read.regionNamed(named);
  const whyNot = region === undefined ? undefined : whyNoMailFrom(region);
  if (named !== undefined && whyNot !== undefined) read.problems.push(`${named.name}="${named.text}" ${whyNot}`);
  return region;
}

/** A backend in another partition than the stage can't work: credentials are of one partition alone. */
function readStateRegion(read: Reader, region: string | undefined): string | undefined {
  const named = read.variable("STATE_REGION");
  const stateRegion = read.regionNamed(named);
  if (named === undefined || stateRegion === undefined || region === undefined) return stateRegion;
  if (backendOf(read.environment) !== "s3") return stateRegion;
  const [ofState, ofStage] = [partitionOf(stateRegion), partitionOf(region)];
  if (ofState !== ofStage) {
    read.problems.push(
      `STATE_REGION="${named.text}" is in AWS's partition ${ofState}, and the stage's region ${region} in ${ofStage}, whose credentials can't reach it: use a region of ${ofStage}, or unset STATE_REGION`,
    );
  }
  return stateRegion;
}

function refuseLongName({ name, text }: Named, stage: Stage, region: string | undefined, problems: string[]): void {
  const longest = Math.min(longestPrefix(region ?? "") - `-${stage}`.length, longestProjectName);
  if (text.length >= 3 && text.length <= longest) return;
  problems.push(
    `${name}="${text}" has ${text.length} characters: use 3 to ${longest}, because names begin with it and the stage`,
  );
}

/** @returns the stage's senders, with the default one first; `undefined` if the default one is not valid. */
function readSenders(read: Reader): readonly [Sender, ...Sender[]] | undefined {
  const { [defaultSender]: ofStage, ...others } = read.settings.senders ?? {};
  const example = "notifications@your-domain.example";
  const named = read.either("EMAIL_SENDER", "senders.default.address", ofStage?.address);
  if (named === undefined && Object.keys(others).length > 0) {
    read.problems.push(
      `${read.nameOf("senders")} has ${Object.keys(others).join(", ")}, and no default, which is the sender of every notification that names none: add default: { address: "${example}" }, or export EMAIL_SENDER=${example}`,
    );
  } else if (named === undefined) {
    const written = `senders: { default: { address: "${example}" } }`;
    read.reportMissing("EMAIL_SENDER", "senders", example, written);
  }
  const address = named && read.address(named);
  const kind = read.choice(
    "SENDER_IDENTITY",
    "senders.default.identity",
    ofStage?.identity,
    ["address", "domain"],
    "use address or domain (of EMAIL_SENDER)",
  );
  const further = Object.entries(others).flatMap(([name, settings]) => {
    const text = read.address({ name: read.nameOf(`senders.${name}.address`), text: settings.address });
    return text === undefined ? [] : [senderOf(name, text, settings.identity)];
  });
  if (address === undefined) return undefined;
  const senders = [senderOf(defaultSender, address, kind), ...further] as const;
  for (const { name, identity } of senders) {
    const shared = identity.kind === "domain" ? sharedDomainProblem(identity.value) : undefined;
    if (shared !== undefined) {
      read.problems.push(
        `The domain ${identity.value} of the sender ${name} ${shared}, so that nobody but its owner can prove it to SES: use an address of a domain of your own`,
      );
    }
  }
  return senders;
}

type Identities = NonNullable<StageSettings["identities"]>;

/** IDENTITIES has no list, so it wins over one of the stage's entry with all that is in it. */
function readIdentities(read: Reader): Identities | undefined {
  const ofStage = read.settings.identities;
  const isList = typeof ofStage === "object";
  if (isList && read.variable("IDENTITIES") === undefined) return ofStage;
  return read.choice(
    "IDENTITIES",
    "identities",
    isList ? `{ existing: ${showSetting(ofStage.existing)} }` : ofStage,
    ["managed", "existing"],
    "use managed (this stage makes them), or existing (another stage or a person did)",
  );
}

/** @returns the identities that the stage makes; `undefined` without what says so. */
function readMadeIdentities(
  read: Reader,
  identities: Identities | undefined,
  senders: Config["senders"] | undefined,
  recipients: Config["recipients"] | undefined,
): string[] | undefined {
  if (identities === undefined || senders === undefined || recipients === undefined) return undefined;
  const needed = neededIdentities({ senders, recipients, sesSandbox: read.settings.sesSandbox === true });
  const existing = typeof identities === "object" ? identities.existing : [];
  // A variable may put another address in the place of one of the entry, and the SES sandbox may end: the list then
  // names more than the stage needs now, and is still right.
  const own = [
    ...(read.settings.recipients ?? []),
    ...Object.values(read.settings.senders ?? {}).map(({ address }) => address),
  ];
  const known = [
    ...neededIdentities({ senders, recipients, sesSandbox: true }),
    ...own.map(identityNamed).flatMap((address) => [address, domainOf(address)]),
  ];
  for (const [at, text] of existing.entries()) {
    if (known.includes(identityNamed(text))) continue;
    read.problems.push(
      `${read.nameOf(`identities.existing.${at}`)}="${text}" is no identity of the stage: correct it to one of ${needed.join(", ")}, or take it out`,
    );
  }
  return madeIdentities(identities, needed);
}

/** What was read of a stage so far; `undefined` where it has a problem. */
type SoFar<Name extends keyof Config> = { readonly [Key in Name]: Config[Key] | undefined };

/** Refuses a second stage that makes what an account has once. Without account and region it can't be known. */
function refuseMadeTwice(
  { stage, problems }: Reader,
  entries: Entries,
  config: SoFar<"accountId" | "region" | "madeIdentities" | "ci">,
): void {
  const { accountId, region, madeIdentities: identities = [], ci } = config;
  if (accountId === undefined || region === undefined) return;
  const makesProvider = ci?.manageProvider === true;
  problems.push(...madeTwice({ stage, accountId, region, identities, makesProvider }, entries));
}

/**
 * The domains that the other stages send from by their entries, each with the words for its stage. The sandbox's are left
 * out, because it sends no mail.
 */
function domainsOfOthers(own: Stage, entries: Entries): (readonly [domain: string, by: string])[] {
  return Object.entries(entries)
    .filter(([stage, settings]) => stage !== own && stage !== "sandbox" && settingProblems(settings).length === 0)
    .flatMap(([stage, { senders = {} }]: [string, StageSettings]) =>
      Object.values(senders).map(
        ({ address }) => [domainOf(parseEmailAddress(address) ?? address), `the stage ${stage}`] as const,
      ),
    );
}

/** Reads the settings of the domains that the stage sends from. Without a region or senders they can't be checked. */
function readDomains(
  read: Reader,
  region: string | undefined,
  senders: Config["senders"] | undefined,
  entries: Entries,
): SendingDomains {
  if (region === undefined || senders === undefined) return { domains: [], tracking: undefined };
  return readSendingDomains({
    domains: read.settings.sendingDomains,
    tracking: read.settings.tracking,
    region,
    verifiedDomains: senders.flatMap(({ identity }) => (identity.kind === "domain" ? [identity.value] : [])),
    senderDomains: new Map([
      ...domainsOfOthers(read.stage, entries),
      ...senders.map(({ address }) => [domainOf(address), "the stage"] as const),
    ]),
    nameOf: (setting) => read.nameOf(setting),
    address: (name, text) => read.address({ name, text }),
    problems: read.problems,
  });
}

/** @returns the recipients of scheduled notifications; `undefined` where none is valid. */
function readRecipients(read: Reader): readonly [string, ...string[]] | undefined {
  const { problems } = read;
  const example = "you@your-domain.example";
  const given = read.variable("EMAIL_RECIPIENT");
  const named = read.list("EMAIL_RECIPIENT", "recipients");
  const before = problems.length;
  const [first, ...others] = read.addresses(named);
  if (others.length >= maximumRecipients) {
    const name = given?.name ?? read.nameOf("recipients");
    problems.push(
      `${name} names ${others.length + 1} recipients, and an event takes ${maximumRecipients}: name a distribution list`,
    );
  }
  if (first !== undefined) return [first, ...others];
  if (problems.length > before) return undefined;
  if (given === undefined) read.reportMissing("EMAIL_RECIPIENT", "recipients", example, `recipients: ["${example}"]`);
  else problems.push(`EMAIL_RECIPIENT="${given.text}" names nobody: export EMAIL_RECIPIENT=${example}`);
  return undefined;
}

/**
 * Reads the stage's entry and reports what is wrong with it. A setting that is wrong is left out of the answer, so that it
 * is not reported a second time.
 */
function readSettings(stage: Stage, settings: StageSettings, problems: string[]) {
  const found = settingProblems(settings);
  problems.push(...found.map((problem) => tellSettingProblem(stage, settings, problem)));
  if (/[$%]\{/.test(showSetting(settings))) {
    problems.push(
      `The settings of "${stage}" in stacks/stages.ts hold a \${ or %{, which Terraform would read as an expression: leave it out`,
    );
  }
  const wrong = new Set(found.map(({ path: [name] }) => name));
  const isEntry = !wrong.has(undefined);
  if (isEntry && limitingSettings.every((name) => !wrong.has(name))) {
    problems.push(...sendRateProblems(stage, settings).map((problem) => tellSettingProblem(stage, settings, problem)));
  }
  const sound = Object.fromEntries(isEntry ? Object.entries(settings).filter(([name]) => !wrong.has(name)) : []);
  return { settings: sound as Partial<StageSettings>, wrong };
}

function readPolicy(
  stage: Stage,
  settings: Partial<StageSettings>,
  recipients: readonly string[] | undefined,
  problems: string[],
): RecipientPolicy | undefined {
  if (settings.allowedRecipients === undefined) return undefined;
  const read = readAllowedRecipients(settings.allowedRecipients, recipients ?? []);
  const found = "problems" in read ? read.problems : sesSandboxProblems(stage, settings, read.policy);
  problems.push(...found.map((problem) => tellSettingProblem(stage, settings, problem)));
  return "policy" in read && found.length === 0 ? read.policy : undefined;
}

/** The stage `sandbox` is left out, because no mail of it leaves the machine. */
function sesSandboxProblems(
  stage: Stage,
  { sesSandbox }: Partial<StageSettings>,
  { mode }: RecipientPolicy,
): SettingProblem[] {
  if (mode === "restricted" || sesSandbox !== true || stage === "sandbox") return [];
  return [
    {
      path: ["allowedRecipients"],
      message:
        'lets everybody in, but in the SES sandbox SES mails verified recipients alone: write "recipients-only" or a list, or sesSandbox: false once the account is out of it',
    },
  ];
}

/** The question that a message begins its fix with, or nothing where no known value is similar. */
function didYouMean(text: string, known: readonly string[]): string {
  const meant = similarName(text, known);
  return meant === undefined ? "" : `did you mean ${meant}? Otherwise, `;
}

function isStage(text: string, entries: Entries): text is Stage {
  return Object.hasOwn(entries, text);
}

/** What others call a stage, with this project's word for it. */
const otherStageWords: ReadonlyMap<string, string> = new Map([
  ["acceptance", "uat"],
  ["develop", "dev"],
  ["development", "dev"],
  ["live", "prod"],
  ["performance", "perf"],
  ["prd", "prod"],
  ["preproduction", "preprod"],
  ["production", "prod"],
  ["stage", "staging"],
  ["stg", "staging"],
  ["testing", "test"],
]);

function readStage(text: string | undefined, entries: Entries, problems: string[]): Stage | undefined {
  const known = Object.keys(entries).join(", ");
  const words = `one of ${stageWords.join(", ")}, with a number behind it where there are several`;
  if (!text) problems.push(`STAGE is not set: export STAGE to one of ${known}`);
  else if (isStage(text, entries)) {
    if (!isStageName(text)) problems.push(`STAGE="${text}" can't be a stage's name: call it by ${words}`);
    return text;
  } else {
    const orAdd = isStageName(text)
      ? "add it to stacks/stages.ts"
      : `add a stage to stacks/stages.ts, called by ${words}`;
    const [word = "", digits = ""] = /^(.*?)(\d*)$/.exec(text.toLowerCase())?.slice(1) ?? [];
    const usual = otherStageWords.get(word.replace(/[^a-z]/g, ""));
    const meant = usual !== undefined && isStage(usual + digits, entries) ? usual + digits : text;
    problems.push(
      `STAGE="${text}" is unknown: ${didYouMean(meant, Object.keys(entries))}use one of ${known}, or ${orAdd}`,
    );
  }
  return undefined;
}

/** A value in a form that shows whether another one says the same: the order of a list, and a domain's case, do not count. */
function comparable(text: string): string {
  return listed(text)
    .map((each) => parseEmailAddress(each) ?? each)
    .sort()
    .join();
}

function listed(text = ""): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/**
 * The account is a guard, so no variable wins over it. Where the environment (docs/deploy.md exports it) and the stage
 * both name one, it has to be the same.
 */
function readAccount(read: Reader): string | undefined {
  const { problems, settings } = read;
  const ofStage = settings.accountId;
  const named =
    read.variable("AWS_ACCOUNT_ID") ??
    (ofStage === undefined ? undefined : { name: read.nameOf("accountId"), text: ofStage });
  if (named === undefined) {
    read.reportMissing("AWS_ACCOUNT_ID", "accountId", `$(${howToFindAccount})`, `accountId: "${exampleAccountId}"`);
    return undefined;
  }
  // The stage's own value comes first: a variable can't be held against one that is no account's id.
  const given = [ofStage === undefined ? named : { name: read.nameOf("accountId"), text: ofStage }, named];
  const wrong = given.find(({ text }) => !/^\d{12}$/.test(text));
  if (wrong !== undefined) {
    problems.push(
      `${wrong.name}="${wrong.text}" is not an account's id, which has 12 digits: ${howToFindAccount} prints yours`,
    );
    return undefined;
  }
  const { text } = named;
  if (ofStage !== undefined && ofStage !== text) {
    problems.push(
      `AWS_ACCOUNT_ID="${text}" is not the account of this stage, which is ${ofStage} by stacks/stages.ts: unset AWS_ACCOUNT_ID, and use that account's credentials, or correct accountId there`,
    );
    return undefined;
  }
  return text;
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

/**
 * What S3 refuses in a bucket's name beside its other characters
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html). A dot is refused before, and so is `.mrap`.
 */
const reservedBucketName = /(^xn--|^sthree-|^amzn-s3-demo-|-s3alias$|--ol-s3$|--x-s3$|--table-s3$|-an$)/;

/** @param project the name of the project, after which the bucket is called without STATE_BUCKET. */
function readBackend(
  read: Reader,
  project: Named | undefined,
  accountId: string | undefined,
  region: string | undefined,
): Backend | undefined {
  const { environment, problems } = read;
  const kind = backendOf(environment);
  switch (kind) {
    case "local":
      return { kind };
    case "s3": {
      const given = read.variable("STATE_BUCKET");
      const bucket = given?.text ?? (project && accountId && stateBucketOf(project.text, accountId));
      if (!bucket) return undefined;
      const [, reserved] = reservedBucketName.exec(bucket) ?? [];
      if (reserved !== undefined) {
        problems.push(
          given === undefined
            ? `${project?.name}="${project?.text}" makes the state's bucket ${bucket}, and S3 keeps names with "${reserved}" for itself: choose another name, or export STATE_BUCKET`
            : `STATE_BUCKET="${bucket}" can't be a bucket's name, because S3 keeps those with "${reserved}" for itself: choose another one`,
        );
        return undefined;
      }
      if (given !== undefined && !/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) {
        problems.push(
          `STATE_BUCKET="${bucket}" is not a bucket's name: 3 to 63 lower-case letters, digits and hyphens`,
        );
        return undefined;
      }
      return region === undefined ? undefined : { kind, bucket, region };
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
      problems.push(
        `BACKEND="${kind}" is unknown: ${didYouMean(kind, ["s3", "cloud", "local"])}use s3, cloud or local`,
      );
      return undefined;
  }
}
