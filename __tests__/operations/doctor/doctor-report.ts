import { catalogue } from "../../../handler/notifications";
import { editionKey, editionsOf } from "../../../handler/notifications/editions";
import { type CheckResult } from "../../../operations/doctor/check";
import { runOperation, sandboxOn } from "../../support/operations-command";

/** What `npm run doctor -- --json` prints. */
export interface Report {
  readonly stage: string;
  readonly prefix: string;
  readonly summary: Readonly<Record<CheckResult["status"], number>>;
  readonly checks: readonly CheckResult[];
}

export const doctor = (port: number, ...words: string[]) =>
  runOperation(["doctor", "--sandbox", ...words], sandboxOn(port));
export const placeOf = (port: number) =>
  `Sandbox at http://127.0.0.1:${port} (the port of SANDBOX_PORT), region us-east-1, stage sandbox\n`;

export const checks = [
  "Sender verified",
  "SES sandbox",
  "Send rate and quota",
  ...catalogue.flatMap((each) => editionsOf(each).map((edition) => `Template ${editionKey(each, edition)}`)),
  "Configuration set",
  "SES's events",
  "Concurrency, standard lane",
  "Concurrency, priority lane",
  "Concurrency of the account",
  "Dead letters",
  "Retries",
  "Alarm topic",
  "Alarms",
  "State bucket",
];
