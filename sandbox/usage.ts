import { isAbsolute, relative } from "node:path";
import { emailRequest } from "../handler/notifications/email-request";
import { readdressed } from "../handler/notifications/sample";
import { type EnvironmentFile } from "./environment-file";
import { type Names } from "../stacks/names";
import { forSandbox, type SandboxSettings } from "./settings";
import { type SampleReport } from "./system";

/** The command that checks an event and puts it on the bus. */
export const sendCommandOf = (port: number): string =>
  forSandbox(port, "npm run send -- email-request --to you@example.com --sandbox");

/** The event that `sendCommandOf` puts, as an example for a person who writes one by hand. */
export const exampleEventOf = (names: Names) => ({
  bus: names.of("event-bus"),
  source: "custom.application",
  detailType: "Email Notification Request",
  detail: { ...readdressed(emailRequest, emailRequest.sample as object, ["you@example.com"]) },
});

/** The text on the terminal once the sandbox has started. It says what to do next. */
export function usage(
  { port, endpoint, region, names }: SandboxSettings,
  environmentFile: EnvironmentFile,
  directory = process.cwd(),
): string {
  const { bus, source, detailType, detail } = exampleEventOf(names);
  const entry = { Source: source, DetailType: detailType, EventBusName: bus, Detail: JSON.stringify(detail) };
  const file = relative(directory, environmentFile.path);
  const path = file.startsWith("..") || isAbsolute(file) ? environmentFile.path : file;
  const remark = environmentFile.remark === undefined ? "" : `\n  (${environmentFile.remark})`;
  return `
Inbox: ${endpoint}/_sandbox/

Send a mail:
  ${sendCommandOf(port)}

Put an event with the AWS CLI ("deactivate" then leaves the sandbox):
  source ${path}${remark}
  aws events put-events --region ${region} --endpoint-url ${endpoint} --entries '${JSON.stringify([entry])}'

Ctrl-C stops it and removes everything.`;
}

export function deliveredLines({ delivered }: SampleReport): string[] {
  return delivered.map(({ notification, subject, to }) => `  ${notification.padEnd(16)} "${subject}" to ${to}`);
}
