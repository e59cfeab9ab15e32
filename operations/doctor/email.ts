import { GetTemplateCommand, type SESClient, TestRenderTemplateCommand } from "@aws-sdk/client-ses";
import {
  GetAccountCommand,
  type GetAccountCommandOutput,
  GetConfigurationSetCommand,
  GetConfigurationSetEventDestinationsCommand,
  GetEmailIdentityCommand,
  type SendQuota,
  type SESv2Client,
} from "@aws-sdk/client-sesv2";
import { catalogue } from "../../handler/notifications";
import { type Notification } from "../../handler/notifications/define";
import { type Edition, editionKey, editionsOf } from "../../handler/notifications/editions";
import { sampleEvent } from "../../handler/notifications/sample";
import { feedbackEvents } from "../../stacks/constructs/delivery-feedback";
import { type StageSettings } from "../../stacks/stages";
import { laneBudgets } from "../../stacks/send-budget";
import { loadTemplate, storedTemplateName } from "../../stacks/templates/load";
import { dataOf } from "../../stacks/templates/mail";
import { type Template } from "../../stacks/templates/render";
import { lanes } from "../../stacks/lanes";
import { deployHint } from "../stage";
import { atRateOfSes, storedTemplates } from "../stored-templates";
import { type Check, type DoctorStage, fail, ok, type Verdict, warn, worst } from "./check";

interface EmailClients {
  readonly ses: SESClient;
  readonly sesV2: SESv2Client;
}

export function emailChecks(stage: DoctorStage, { ses, sesV2 }: EmailClients): Check[] {
  const { config, names } = stage;
  let account: Promise<GetAccountCommandOutput> | undefined;
  const readAccount = () => (account ??= sesV2.send(new GetAccountCommand({})));
  const deploy = deployHint(stage);
  // SES answers each operation once a second, so that checks at the same time would keep one another from an answer.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (check: () => Promise<Verdict>): Promise<Verdict> => {
    const own = last.then(check, check);
    last = own;
    return own;
  };
  const setName = names.configurationSet;
  const identities = identitiesOf(config);

  return [
    {
      name: "Sender verified",
      run: async () =>
        worst(
          await Promise.all(identities.map((identity) => checkIdentity(sesV2, identity, deploy))),
          `${identities.map(({ value }) => value).join(", ")}: verified.`,
        ),
    },
    {
      name: "SES sandbox",
      run: async () => checkAccess(await readAccount(), config.sesSandbox),
    },
    {
      name: "Send rate and quota",
      run: async () => checkQuota((await readAccount()).SendQuota, config),
    },
    ...storedEditions(names.prefix).map((stored, _, all) => ({
      name: `Template ${editionKey(stored.notification, stored.edition)}`,
      run: () => inTurn(() => checkTemplate(ses, stored, all, deploy)),
    })),
    {
      name: "Configuration set",
      run: async () => {
        const set = await sesV2.send(new GetConfigurationSetCommand({ ConfigurationSetName: setName })).catch(absent);
        if (set === undefined)
          return fail(
            `${setName} is not there: mail waits for a deployment (ConfigurationSetMissing), and is parked after hours.`,
            deploy,
          );
        const reasons = set.SuppressionOptions?.SuppressedReasons ?? [];
        const missing = (["BOUNCE", "COMPLAINT"] as const).filter((reason) => !reasons.includes(reason));
        if (set.SendingOptions?.SendingEnabled === false) {
          return fail(
            `Sending is paused for ${setName}.`,
            `Find out who paused it, then: aws sesv2 put-configuration-set-sending-options --configuration-set-name ${setName} --sending-enabled`,
          );
        }
        return missing.length > 0
          ? warn(`Addresses are not suppressed after ${missing.join(" and ")}.`, deploy)
          : ok(`${setName}: sending is on, bounces and complaints are suppressed.`);
      },
    },
    {
      name: "SES's events",
      run: () => checkEventDestination(sesV2, setName, names.of("feedback"), deploy),
    },
  ];
}

/** Turns SES's answer that something does not exist into `undefined`, and throws any other error on. */
export function absent(error: unknown): undefined {
  const name = error instanceof Error ? error.name : "";
  if (/NotFound|DoesNotExist/.test(name)) return undefined;
  throw error;
}

interface KnownIdentity {
  readonly value: string;
  readonly isSender: boolean;
  /** Whose identity it is, in words. */
  readonly who: string;
}

/** Each identity that the stage needs, once: those of its senders, and in the SES sandbox those of its recipients. */
function identitiesOf({ senders, sesSandbox, recipients }: DoctorStage["config"]): KnownIdentity[] {
  const values = [...new Set(senders.map(({ identity }) => identity.value))];
  const ofSenders = values.map((value) => {
    const names = senders.filter(({ identity }) => identity.value === value).map(({ name }) => name);
    const who = senders.length === 1 ? "the sender" : `the sender ${names.join(", ")}`;
    return { value, isSender: true, who };
  });
  const ofRecipients = sesSandbox ? recipients.filter((recipient) => !values.includes(recipient)) : [];
  return [...ofSenders, ...ofRecipients.map((value) => ({ value, isSender: false, who: "the recipient" }))];
}

async function checkIdentity(
  client: SESv2Client,
  { value: identity, isSender, who }: KnownIdentity,
  deploy: string,
): Promise<Verdict> {
  const found = await client.send(new GetEmailIdentityCommand({ EmailIdentity: identity })).catch(absent);
  if (found === undefined) return fail(`SES has no identity ${identity} (${who}).`, deploy);
  if (found.VerifiedForSendingStatus === true) return ok(identity);
  const status = `${identity} (${who}) is not verified: ${found.VerificationStatus ?? "no status"}.`;
  return (isSender ? fail : warn)(
    status,
    identity.includes("@")
      ? "Click the link in SES's mail to it; after 24 hours it is void: delete the identity in SES and deploy again."
      : "Make the DKIM records in DNS (output dns_records).",
  );
}

export function checkAccess(account: Partial<GetAccountCommandOutput>, expectsSandbox: boolean): Verdict {
  if (account.EnforcementStatus === "SHUTDOWN") {
    return fail(
      "SES does not let this account send (SHUTDOWN).",
      "Read SES's mail to the account's owner, answer its review, then redrive: npm run dead-letters.",
    );
  }
  if (account.SendingEnabled === false) {
    return fail(
      "Sending is paused for the account.",
      "Find out who paused it, then: aws sesv2 put-account-sending-attributes --sending-enabled, and redrive: npm run dead-letters.",
    );
  }
  const isSandbox = account.ProductionAccessEnabled !== true;
  if (isSandbox && !expectsSandbox) {
    return fail(
      "The account is in the SES sandbox, and the stage does not expect it: only verified recipients get mail.",
      "Ask for production access (SES console, Account dashboard), or set sesSandbox in stacks/stages.ts.",
    );
  }
  if (account.EnforcementStatus === "PROBATION") {
    return warn("SES has the account under review.", "Look at bounces and complaints before SES pauses it.");
  }
  if (!isSandbox && expectsSandbox) {
    return warn(
      "The account is out of the SES sandbox; the stage still verifies its recipients one by one.",
      "Set sesSandbox: false in stacks/stages.ts.",
    );
  }
  return ok(isSandbox ? "In the SES sandbox, as the stage expects." : "Out of the SES sandbox.");
}

export function checkQuota(
  quota: SendQuota | undefined,
  stage: Pick<StageSettings, "sendRatePerSecond" | "concurrency" | "timeoutSeconds">,
): Verdict {
  const { MaxSendRate: rate, Max24HourSend: daily, SentLast24Hours: sent = 0 } = quota ?? {};
  if (rate === undefined || daily === undefined) throw new Error("SES tells no quota.");
  const { sendRatePerSecond } = stage;
  const budgets = laneBudgets(stage);
  const shares = lanes
    .map((lane) => {
      const { ratePerSecond, concurrency } = budgets[lane];
      return `${lane} ${round(ratePerSecond)}/s (${concurrency} runs at once)`;
    })
    .join(", ");
  const verdicts: Verdict[] = [];
  if (rate < sendRatePerSecond) {
    verdicts.push(
      fail(
        `SES takes ${rate} mails a second and the stage is built for ${sendRatePerSecond}: ${shares}.`,
        `Set sendRatePerSecond: ${rate} in stacks/stages.ts, or ask SES for more.`,
      ),
    );
  }
  // SES says -1 if there is no limit.
  const used = daily < 0 ? 0 : sent / daily;
  const usage = `${sent} of ${daily < 0 ? "unlimited" : daily} mails in 24 hours.`;
  if (used >= 0.95)
    verdicts.push(fail(usage, "Ask SES for a higher daily quota; until then mail waits for its retries."));
  else if (used >= 0.8) verdicts.push(warn(usage, "Ask SES for a higher daily quota, before mail has to wait."));
  return worst(verdicts, `${rate}/s, the stage uses ${sendRatePerSecond}/s: ${shares}; ${usage}`);
}

const round = (rate: number): number => Math.round(rate * 10) / 10;

/** A template that this checkout uses. */
interface StoredEdition {
  readonly notification: Notification;
  readonly edition: Edition;
  readonly name: string;
}

const storedEditions = (prefix: string): readonly StoredEdition[] =>
  catalogue.flatMap((notification) =>
    editionsOf(notification).map((edition) => ({
      notification,
      edition,
      name: storedTemplateName(prefix, notification, edition),
    })),
  );

async function checkTemplate(
  client: SESClient,
  { notification, edition, name }: StoredEdition,
  used: readonly StoredEdition[],
  deploy: string,
): Promise<Verdict> {
  const stored = await atRateOfSes(() => client.send(new GetTemplateCommand({ TemplateName: name }))).catch(absent);
  if (stored?.Template === undefined) {
    const other = await findOtherVersion(
      client,
      name,
      used.map((each) => each.name),
    );
    return other === undefined
      ? fail(
          `${name} is not there: its mail waits for a deployment (TemplateMissing), and is parked after hours.`,
          deploy,
        )
      : warn(
          `The stored template is not that of this checkout: ${other}, and here it is ${name}.`,
          `${deploy} Or check out what is deployed.`,
        );
  }
  const here = loadTemplate(notification, edition);
  const there: Template = {
    subject: stored.Template.SubjectPart ?? "",
    html: stored.Template.HtmlPart ?? "",
    text: stored.Template.TextPart ?? "",
  };
  const changed = (["subject", "html", "text"] as const).filter((part) => there[part] !== here[part]);
  const verdicts: Verdict[] = [];
  if (changed.length > 0) {
    verdicts.push(
      warn(
        `The stored template is not that of this checkout (${changed.join(", ")}).`,
        `${deploy} Or check out what is deployed.`,
      ),
    );
  }
  const templateData = dataOf(notification, sampleEvent(notification), edition);
  try {
    const render = new TestRenderTemplateCommand({ TemplateName: name, TemplateData: JSON.stringify(templateData) });
    const { RenderedTemplate: rendered = "" } = await atRateOfSes(() => client.send(render));
    if (rendered === "") verdicts.push(fail("It renders to nothing.", deploy));
  } catch (error) {
    const { name: code, message } = error instanceof Error ? error : new Error(String(error));
    if (!/MissingRenderingAttribute|InvalidRenderingParameter|InvalidTemplate/.test(code)) throw error;
    verdicts.push(fail(`It does not render its sample: ${message}. Such mail is accepted and lost.`, deploy));
  }
  return worst(verdicts, "Stored as in this checkout, and renders its sample.");
}

/**
 * Finds a stored template of the same notification with other content. The names of a notification's templates differ
 * only in the hash at their end.
 * @param used names that this checkout uses.
 */
async function findOtherVersion(client: SESClient, name: string, used: readonly string[]): Promise<string | undefined> {
  const notification = name.replace(/-[0-9a-f]{8}$/, "-");
  for await (const { name: other } of storedTemplates(client)) {
    const isVersion = other.startsWith(notification) && /^[0-9a-f]{8}$/.test(other.slice(notification.length));
    if (isVersion && !used.includes(other)) return other;
  }
  return undefined;
}

async function checkEventDestination(
  client: SESv2Client,
  set: string,
  destination: string,
  deploy: string,
): Promise<Verdict> {
  const answer = await client
    .send(new GetConfigurationSetEventDestinationsCommand({ ConfigurationSetName: set }))
    .catch(absent);
  const found = answer?.EventDestinations?.find(({ Name }) => Name === destination);
  if (found === undefined) return fail(`There is no event destination ${destination}: bounces stay unseen.`, deploy);
  if (found.Enabled !== true) return fail(`The event destination ${destination} is off: bounces stay unseen.`, deploy);
  const missing = feedbackEvents
    .filter(({ type }) => !found.MatchingEventTypes?.includes(type))
    .map(({ type }) => type);
  if (missing.length > 0) return fail(`${destination} does not tell of ${missing.join(", ")}.`, deploy);
  return found.EventBridgeDestination?.EventBusArn === undefined
    ? fail(`${destination} does not lead to EventBridge.`, deploy)
    : ok(`${destination} tells EventBridge of ${feedbackEvents.length} kinds of events.`);
}
