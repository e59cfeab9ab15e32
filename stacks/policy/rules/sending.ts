import {
  allowsRecipient,
  type RecipientPolicy,
  recipientPolicySchema,
} from "../../../handler/contract/recipient-policy";
import { domainOf } from "../../../handler/contract/email-address";
import { recipientConditions } from "../../recipient-conditions";
import { missing } from "../findings";
import { allowing, isOwnAccount } from "../ours";
import { type Rule } from "../rule";
import {
  addressBehind,
  all,
  type Attributes,
  block,
  isReference,
  objects,
  roleBehind,
  statementsOfRole,
  strings,
  type SynthesizedStack,
} from "../synthesized";
import { jsonOf } from "../values";
import { hasWildcard } from "./iam";

/** Rules on mail: as whom it is sent, and to whom. */
export const sendingRules: readonly Rule[] = [
  {
    id: "ses-sends-as-sender",
    checks:
      "Who may send through SES may do so as named addresses, by a `StringEquals` on `ses:FromAddress`, which are senders of the stack's functions where it has some, and every resource that SES's actions are allowed on is this account's, in this region.",
    why: "Otherwise code with a mistake could mail as anyone whose identity the account holds, or with another team's template.",
    check: (stack, namePrefix) => {
      const senders = all(stack.resource, "aws_lambda_function").flatMap(([, fn]) => readMailing(fn)?.senders ?? []);
      return allowing(stack).flatMap(({ address, statement }) => {
        const actions = strings(statement.actions).filter((action) => action.toLowerCase().startsWith("ses:"));
        const sends = actions.filter(isSend);
        const isNamed = objects(statement.condition).some(
          ({ test, variable, values }) =>
            /^StringEquals(?:IgnoreCase)?$/.test(String(test)) &&
            variable === "ses:FromAddress" &&
            strings(values).length > 0 &&
            // `&{..}` is a variable of IAM: compared with itself, it lets everybody in.
            !strings(values).some((value) => hasWildcard(value) || value.includes("&{")),
        );
        const strangers =
          senders.length === 0 ? [] : fromAddresses(statement).filter((each) => !senders.includes(each));
        // `*` alone is held by no-wildcard, action by action, for what SES allows on nothing narrower.
        const foreign = strings(statement.resources).filter(
          (arn) => !(sends.length === 0 && arn === "*") && !isOwnSes(stack, arn, namePrefix),
        );
        return [
          ...(isNamed
            ? []
            : sends.map((action) => ({ address, problem: `allows ${action} as anyone`, appliesTo: action }))),
          ...(sends.length === 0 ? [] : strangers).map((sender) => ({
            address,
            problem: `allows ${sends.join(", ")} as ${sender}, whom no function of the stack sends as`,
            appliesTo: sender,
          })),
          ...(actions.length === 0 ? [] : foreign).map((arn) => ({
            address,
            problem: `allows ${actions.join(", ")} on "${arn}", which is not this stage's`,
            appliesTo: arn,
          })),
        ];
      });
    },
  },
  {
    id: "role-mails-as-function",
    checks:
      "The role of a function that mails is in the stack, and may send as the function's own senders and with their identities, and to the recipients that the function allows, where their list fits into a policy (`ForAllValues:StringLike` on `ses:Recipients`, with `Null`).",
    why: "The function's code and its role hold the same list, so that a mistake in one of them mails nobody.",
    check: (stack) =>
      all(stack.resource, "aws_lambda_function").flatMap(([id, fn]) => {
        const mailing = readMailing(fn);
        if (mailing === undefined) return [];
        const unread = `has the role ${addressBehind(fn.role)}, which is not in the stack`;
        return [
          ...(roleBehind(stack, fn.role) === undefined ? [unread] : []),
          ...statementsOfRole(stack, fn.role)
            .filter(({ effect, actions }) => effect !== "Deny" && strings(actions).some(isSend))
            .flatMap((statement) => differences(stack, statement, mailing)),
        ].map((problem) => ({ address: `aws_lambda_function.${id}`, problem, appliesTo: problem }));
      }),
  },
  {
    id: "bounced-are-suppressed",
    checks: "Each configuration set suppresses addresses for bounces and for complaints.",
    why: "SES pauses an account whose mail bounces too often (https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html), so that nobody is mailed again whose address is gone.",
    check: (stack) =>
      missing(
        stack,
        configurationSet,
        "does not suppress addresses for BOUNCE and COMPLAINT",
        ({ suppression_options: options }) => {
          const reasons = objects(options).flatMap(({ suppressed_reasons }) => strings(suppressed_reasons));
          return ["BOUNCE", "COMPLAINT"].every((reason) => reasons.includes(reason));
        },
      ),
  },
  {
    id: "feedback-is-published",
    checks:
      "SES publishes what becomes of the mail of each configuration set: an event destination of the stack takes at least BOUNCE, COMPLAINT and REJECT, and RENDERING_FAILURE where the stack has templates.",
    why: "SES tells in these events alone that a mail which it took was not delivered, or never made (https://docs.aws.amazon.com/ses/latest/dg/monitor-using-event-publishing.html).",
    check: (stack) =>
      missing(stack, configurationSet, `publishes not all of ${wantedEvents(stack).join(", ")}`, (set, id) => {
        const isOf = (name: unknown) =>
          addressBehind(name) === `${configurationSet}.${id}` ||
          (name !== undefined && name === set.configuration_set_name);
        const published = [
          ...all(stack.resource, "aws_sesv2_configuration_set_event_destination")
            .filter(([, destination]) => isOf(destination.configuration_set_name))
            .flatMap(([, { event_destination: destination }]) => strings(block(destination).matching_event_types)),
          // Version 1 of the API writes the same types in small letters.
          ...all(stack.resource, "aws_ses_event_destination")
            .filter(([, destination]) => isOf(destination.configuration_set_name))
            .flatMap(([, { matching_types: types }]) => strings(types))
            .map((type) => type.replace(/(?=[A-Z])/g, "_").toUpperCase()),
        ];
        return wantedEvents(stack).every((type) => published.includes(type));
      }),
  },
];

const configurationSet = "aws_sesv2_configuration_set";

/** The types of SES's events that tell of a mail that nobody got. */
const wantedEvents = ({ resource = {} }: SynthesizedStack): string[] => [
  "BOUNCE",
  "COMPLAINT",
  "REJECT",
  ...(resource.aws_ses_template === undefined ? [] : ["RENDERING_FAILURE"]),
];

const isSend = (action: string) => /^ses:(?:send|\*)/i.test(action);

/** Whom a function mails, and as whom, by its environment. */
interface Mailing {
  readonly senders: readonly string[];
  readonly policy: RecipientPolicy;
}

/** @returns `undefined` for a function that does not mail, and for one whose variables are of another kind. */
function readMailing(fn: Attributes): Mailing | undefined {
  const { EMAIL_SENDER, FURTHER_SENDERS = "{}", RECIPIENT_POLICY } = block(block(fn.environment).variables);
  const policy = recipientPolicySchema.safeParse(jsonOf(RECIPIENT_POLICY));
  if (typeof EMAIL_SENDER !== "string" || !policy.success) return undefined;
  const further = Object.values(block(jsonOf(FURTHER_SENDERS))).map(String);
  return { senders: [EMAIL_SENDER, ...further], policy: policy.data };
}

const fromAddresses = ({ condition }: Attributes): string[] =>
  objects(condition)
    .filter(({ variable }) => variable === "ses:FromAddress")
    .flatMap(({ values }) => strings(values));

/** What the statement allows otherwise than the function. */
function differences(stack: SynthesizedStack, statement: Attributes, { senders, policy }: Mailing): string[] {
  const identities = strings(statement.resources).flatMap((arn) => arn.split(":identity/").slice(1));
  // In the SES sandbox, SES checks the recipients' identities, too.
  const known = [
    ...senders.flatMap((sender) => [sender, domainOf(sender)]),
    ...all(stack.resource, "aws_sesv2_email_identity").map(([, { email_identity: identity }]) => identity),
    ...(policy.mode === "restricted" ? [...policy.addresses.map(domainOf), ...policy.domains] : []),
  ];
  const expected = recipientConditions(policy, identities).map(({ test, values }) => ({ test, values }));
  const found = objects(statement.condition)
    .filter(({ variable }) => variable === "ses:Recipients")
    .map(({ test, values }) => ({ test, values }));
  return [
    ...fromAddresses(statement)
      .filter((sender) => !senders.includes(sender))
      .map((sender) => `has a role that may send as ${sender}, who is no sender of it`),
    ...identities
      .filter((identity) => !known.includes(identity) && !(identity.includes("@") && allowsRecipient(policy, identity)))
      .map(
        (identity) => `has a role that may use the identity ${identity}, which is none of its senders or recipients`,
      ),
    ...(expected.length > 0 && JSON.stringify(found) !== JSON.stringify(expected)
      ? ["has a role that may mail others than the function's RECIPIENT_POLICY allows"]
      : []),
  ];
}

/** Whether the ARN is of SES, in this account and region, and a template or configuration set of this stage. */
function isOwnSes(stack: SynthesizedStack, arn: string, namePrefix: string): boolean {
  if (isReference(arn)) return true;
  const [, region, account, kind, name] = /^arn:[^:]*:ses:([^:]*):([^:]*):([a-z-]+)\/([^]+)$/.exec(arn) ?? [];
  const own = stack.provider?.aws?.[0]?.region;
  return (
    region === own &&
    isOwnAccount(stack, account ?? "") &&
    name !== undefined &&
    (kind === "identity" ? !hasWildcard(name) : name.startsWith(`${namePrefix}-`))
  );
}
