import * as z from "zod";
import { type RecipientPolicy, recipientPolicySchema } from "./recipient-policy";

/** A variable that holds JSON. */
const json = <Value>(schema: z.ZodType<Value>, what: string) =>
  z.string().transform((text, context): Value => {
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      context.addIssue({ code: "custom", message: `is not ${what}: ${String(error)}` });
      return z.NEVER;
    }
  });

/** The function's environment, each name spelled here and nowhere else: Terraform writes it, the handler reads it. */
const environmentSchema = z.object({
  EMAIL_SENDER: z.string().min(3),
  REPLY_TO: json(z.array(z.string().min(3)), "a list of addresses").prefault("[]"),
  CONFIGURATION_SET: z.string().min(1),
  TEMPLATE_NAME_PREFIX: z.string().min(1),
  RECIPIENT_POLICY: json(recipientPolicySchema, "a recipient policy"),
  CLAIM_TABLE: z.string().min(1),
  CLAIM_RETENTION_SECONDS: z.coerce.number().int().positive(),
  DEAD_LETTER_QUEUE_URL: z.string().min(1),
  SEND_INTERVAL_MS: z.coerce.number().int().nonnegative(),
  POWERTOOLS_SERVICE_NAME: z.string().min(1),
  POWERTOOLS_METRICS_NAMESPACE: z.string().min(1),
});

export interface HandlerEnvironment {
  /** The `From` address of every mail. */
  readonly sender: string;
  /** Where replies go, unless the event says where: well-formed addresses; none means to the sender. */
  readonly replyTo: readonly string[];
  /** Name of the SES configuration set that every send uses. */
  readonly configurationSet: string;
  /** In front of the names of the stored templates: `templateName`. */
  readonly templateNamePrefix: string;
  readonly recipientPolicy: RecipientPolicy;
  /** DynamoDB table of the claims, and how long a claim is kept. */
  readonly claimTable: string;
  readonly claimRetentionSeconds: number;
  readonly deadLetterQueueUrl: string;
  /** Least time between two sends of one execution environment, in milliseconds. */
  readonly sendIntervalMs: number;
  /** Name of the service in logs and metrics. */
  readonly serviceName: string;
  /** CloudWatch namespace of the function's metrics. */
  readonly metricsNamespace: string;
}

/** What Terraform gives the function. The values may be Terraform expressions. */
export function toVariables(environment: HandlerEnvironment): Record<string, string> {
  return {
    EMAIL_SENDER: environment.sender,
    REPLY_TO: JSON.stringify(environment.replyTo),
    CONFIGURATION_SET: environment.configurationSet,
    TEMPLATE_NAME_PREFIX: environment.templateNamePrefix,
    RECIPIENT_POLICY: JSON.stringify(environment.recipientPolicy),
    CLAIM_TABLE: environment.claimTable,
    CLAIM_RETENTION_SECONDS: String(environment.claimRetentionSeconds),
    DEAD_LETTER_QUEUE_URL: environment.deadLetterQueueUrl,
    SEND_INTERVAL_MS: String(environment.sendIntervalMs),
    POWERTOOLS_SERVICE_NAME: environment.serviceName,
    POWERTOOLS_METRICS_NAMESPACE: environment.metricsNamespace,
  } satisfies Record<keyof z.infer<typeof environmentSchema>, string>;
}

/**
 * Reads what Terraform gave the function.
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
    sender: parsed.data.EMAIL_SENDER,
    replyTo: parsed.data.REPLY_TO,
    configurationSet: parsed.data.CONFIGURATION_SET,
    templateNamePrefix: parsed.data.TEMPLATE_NAME_PREFIX,
    recipientPolicy: parsed.data.RECIPIENT_POLICY,
    claimTable: parsed.data.CLAIM_TABLE,
    claimRetentionSeconds: parsed.data.CLAIM_RETENTION_SECONDS,
    deadLetterQueueUrl: parsed.data.DEAD_LETTER_QUEUE_URL,
    sendIntervalMs: parsed.data.SEND_INTERVAL_MS,
    serviceName: parsed.data.POWERTOOLS_SERVICE_NAME,
    metricsNamespace: parsed.data.POWERTOOLS_METRICS_NAMESPACE,
  };
}

/**
 * Name of a notification's stored template in SES. It carries the content's hash, so that a changed template is another
 * one: the package that reads a variable and the template that has it are never out of step
 * (docs/decisions/0014-template-versions.md).
 */
export function templateName(prefix: string, notificationId: string, hash: string): string {
  return `${prefix}-${notificationId}-${hash}`;
}
