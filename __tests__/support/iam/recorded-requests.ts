import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PolicyDocument } from "./evaluate";
import { type Audit } from "./terraform-record";

/** An example of each kind of request behind Terraform's calls. `__tests__/end-to-end/ci-access.test.ts` writes it. */
export const recordedRequestsFile = join(__dirname, "..", "..", "fixtures", "terraform-requests.json");

export function recordedRequests(): Pick<Audit, "kinds"> & { readonly keyPolicy: PolicyDocument } {
  return JSON.parse(readFileSync(recordedRequestsFile, "utf8")) as ReturnType<typeof recordedRequests>;
}

/** What the roles are granted though the record does not show it, with the reason. */
export const notRecorded: Readonly<Record<string, string>> = {};

/** The same for the calls of `npm run smoke`. `__tests__/end-to-end/sandbox.test.ts` writes it. */
export const recordedSmokeFile = join(__dirname, "..", "..", "fixtures", "smoke-requests.json");

export function recordedSmoke(): Audit<"smoke">["kinds"] {
  return JSON.parse(readFileSync(recordedSmokeFile, "utf8")) as ReturnType<typeof recordedSmoke>;
}

const inSandbox = "us-east-1:123456789012";
const logGroup = (service: string, name: string) =>
  `arn:aws:logs:${inSandbox}:log-group:/aws/${service}/email-automation-sandbox-${name}`;

/** What the smoke role is granted though its record in the sandbox does not show it, with the reason. */
export const notRecordedSmoke: Readonly<Record<string, string>> = {
  ...because("AWS's examples name a log group with and without its streams, and a call names it without.", [
    `Feedback on ${logGroup("events", "feedback")}:*`,
    `FunctionsLines on ${logGroup("lambda", "email-processor")}:*`,
    `FunctionsLines on ${logGroup("lambda", "priority-email-processor")}:*`,
  ]),
  ...because("The catalogue decides in which lane the first mail, a schedule and the redriven event are.", [
    `FunctionsLines on ${logGroup("lambda", "priority-email-processor")}`,
    `Functions on arn:aws:lambda:${inSandbox}:function:email-automation-sandbox-priority-email-processor`,
    `Retries on arn:aws:sqs:${inSandbox}:email-automation-sandbox-priority-retries`,
  ]),
  ...because("No alarm of the sandbox changes its state, so the command does not ask for one there.", [
    "Alarms cloudwatch:DescribeAlarms",
    `Alarms on arn:aws:cloudwatch:${inSandbox}:alarm:email-automation-sandbox-*`,
  ]),
  ...because("What only AWS can settle, the command does not ask the sandbox.", [
    "Identities ses:GetEmailIdentity",
    `Identities on arn:aws:ses:${inSandbox}:identity/notifications@example.com`,
    `Identities on arn:aws:ses:${inSandbox}:identity/example.com`,
    "Account ses:GetAccount",
    "Account on *",
  ]),
};

function because(reason: string, grants: readonly string[]): Record<string, string> {
  return Object.fromEntries(grants.map((grant) => [`smoke: ${grant}`, reason]));
}
