import * as z from "zod/mini";
import { type SendRates } from "../pacer";
import "./english";
import { type RecipientPolicy, recipientPolicySchema } from "./recipient-policy";

/**
 * Schema of a variable that holds JSON.
 * @param what completes the error "is not ..".
 */
const json = <Value>(schema: z.ZodMiniType<Value>, what: string) =>
  z.pipe(
    z.string(),
    z.transform((text: string, context): Value => {
      try {
        return z.parse(schema, JSON.parse(text));
      } catch (error) {
        context.issues.push({ code: "custom", message: `is not ${what}: ${String(error)}`, input: text });
        return z.NEVER;
      }
    }),
  );

/**
 * The function's environment. Terraform writes it and the handler reads it; the names are spelled only in this file.
 */
const environmentSchema = z.object({
  EMAIL_SENDER: z.string().check(z.minLength(3)),
  FURTHER_SENDERS: z.prefault(
    json(z.record(z.string(), z.string().check(z.minLength(3))), "a list of senders by name"),
    "{}",
  ),
  REPLY_TO: z.prefault(json(z.array(z.string().check(z.minLength(3))), "a list of addresses"), "[]"),
  CONFIGURATION_SET: z.string().check(z.minLength(1)),
  TEMPLATE_NAME_PREFIX: z.string().check(z.minLength(1)),
  RECIPIENT_POLICY: json(recipientPolicySchema, "a recipient policy"),
  CLAIM_TABLE: z.string().check(z.minLength(1)),
  CLAIM_RETENTION_SECONDS: z.coerce.number().check(z.int(), z.positive()),
  DEAD_LETTER_QUEUE_URL: z.string().check(z.minLength(1)),
  MOST_SENDS_PER_SECOND: z.coerce.number().check(z.positive()),
  LEAST_SENDS_PER_SECOND: z.coerce.number().check(z.positive()),
  POWERTOOLS_SERVICE_NAME: z.string().check(z.minLength(1)),
  POWERTOOLS_METRICS_NAMESPACE: z.string().check(z.minLength(1)),
});

/** Name of the sender of every notification that names none. */
export const defaultSender = "default";

export interface HandlerEnvironment {
  /**
   * The addresses that mail comes from, by the short names that notifications use. `defaultSender` is always among them.
   */
  readonly senders: Readonly<Record<string, string>>;
  /**
   * Addresses that replies go to if the event names none. They are well-formed. Without any, replies go to the sender.
   */
  readonly replyTo: readonly string[];
  /** Name of the SES configuration set that every send uses. */
  readonly configurationSet: string;
  /** First part of the names of the stored templates; see `templateName`. */
  readonly templateNamePrefix: string;
  readonly recipientPolicy: RecipientPolicy;
  /** Name of the DynamoDB table that holds the claims. */
  readonly claimTable: string;
  /** How long a claim is kept, in seconds. */
  readonly claimRetentionSeconds: number;
  readonly deadLetterQueueUrl: string;
  /** How many mails a second one execution environment sends. */
  readonly sendRates: SendRates;
  /** Name of the service in logs and metrics. */
  readonly serviceName: string;
  /** CloudWatch namespace of the function's metrics. */
  readonly metricsNamespace: string;
}

/** Makes the variables that Terraform gives the function. The values may be Terraform expressions. */
export function toVariables(environment: HandlerEnvironment): Record<string, string> {
  const { [defaultSender]: sender = "", ...further } = environment.senders;
  const { FURTHER_SENDERS, ...variables } = {
    EMAIL_SENDER: sender,
    FURTHER_SENDERS: JSON.stringify(further),
    REPLY_TO: JSON.stringify(environment.replyTo),
    CONFIGURATION_SET: environment.configurationSet,
    TEMPLATE_NAME_PREFIX: environment.templateNamePrefix,
    RECIPIENT_POLICY: JSON.stringify(environment.recipientPolicy),
    CLAIM_TABLE: environment.claimTable,
    CLAIM_RETENTION_SECONDS: String(environment.claimRetentionSeconds),
    DEAD_LETTER_QUEUE_URL: environment.deadLetterQueueUrl,
    MOST_SENDS_PER_SECOND: String(environment.sendRates.mostPerSecond),
    LEAST_SENDS_PER_SECOND: String(environment.sendRates.leastPerSecond),
    POWERTOOLS_SERVICE_NAME: environment.serviceName,
    POWERTOOLS_METRICS_NAMESPACE: environment.metricsNamespace,
  } satisfies Record<keyof z.infer<typeof environmentSchema>, string>;
  // Most stages have one sender. They do without the variable, because Lambda takes 4 KB of variables.
  return Object.keys(further).length === 0 ? variables : { ...variables, FURTHER_SENDERS };
}

/**
 * Reads the variables that Terraform gave the function.
 * @throws Error that lists every variable that is missing or malformed.
 */
export function fromVariables(variables: Readonly<Record<string, string | undefined>>): HandlerEnvironment {
  const parsed = environmentSchema.safeParse(variables);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The function's environment is not usable; deploy the stack again. ${problems.join("; ")}`, {
      cause: parsed.error,
    });
  }
  return {
    senders: { ...parsed.data.FURTHER_SENDERS, [defaultSender]: parsed.data.EMAIL_SENDER },
    replyTo: parsed.data.REPLY_TO,
    configurationSet: parsed.data.CONFIGURATION_SET,
    templateNamePrefix: parsed.data.TEMPLATE_NAME_PREFIX,
    recipientPolicy: parsed.data.RECIPIENT_POLICY,
    claimTable: parsed.data.CLAIM_TABLE,
    claimRetentionSeconds: parsed.data.CLAIM_RETENTION_SECONDS,
    deadLetterQueueUrl: parsed.data.DEAD_LETTER_QUEUE_URL,
    sendRates: {
      mostPerSecond: parsed.data.MOST_SENDS_PER_SECOND,
      leastPerSecond: parsed.data.LEAST_SENDS_PER_SECOND,
    },
    serviceName: parsed.data.POWERTOOLS_SERVICE_NAME,
    metricsNamespace: parsed.data.POWERTOOLS_METRICS_NAMESPACE,
  };
}

/**
 * Name of a notification's stored template in SES. The name contains a hash of the content, so a changed template has a
 * new name. That way a function always uses the template that it was built with, also during a deployment
 * (docs/decisions/0014-template-versions.md).
 */
export function templateName(prefix: string, notificationId: string, hash: string): string {
  return `${prefix}-${notificationId}-${hash}`;
}
