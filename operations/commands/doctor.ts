import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SESClient } from "@aws-sdk/client-ses";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { Command } from "commander";
import { awsChecks } from "../doctor/aws";
import { type CheckResult, exitCodeOf, exitCodes, runChecks, type Status } from "../doctor/check";
import { emailChecks } from "../doctor/email";
import { openStage } from "../stage";
import { createTable } from "../table";
import { describeFailure } from "../text";

/** `npm run doctor`: whether a stage is in order, and what to do where it is not. */

interface Options {
  readonly json: boolean;
  readonly sandbox: boolean;
}

const statuses: readonly Status[] = ["fail", "warn", "unknown", "ok"];

async function doctor(options: Options): Promise<void> {
  const stage = openStage(options);
  const { client } = stage;
  const { backend } = stage.config;
  const results = await runChecks(
    [
      ...emailChecks(stage, { ses: new SESClient(client), sesV2: new SESv2Client(client) }),
      ...awsChecks(stage, {
        lambda: new LambdaClient(client),
        sqs: new SQSClient(client),
        sns: new SNSClient(client),
        // Of all that is looked at, the state alone may be in another region.
        s3: new S3Client({ ...client, ...(backend.kind === "s3" ? { region: backend.region } : {}) }),
        cloudWatch: new CloudWatchClient(client),
      }),
    ],
    stage,
  );
  const summary = Object.fromEntries(
    statuses.map((status) => [status, results.filter((result) => result.status === status).length]),
  );
  console.log(
    options.json
      ? JSON.stringify({ stage: stage.config.stage, prefix: stage.names.prefix, summary, checks: results }, null, 2)
      : `${describe(results)}\n${stage.names.prefix}: ${statuses.map((status) => `${summary[status] ?? 0} ${status}`).join(", ")}`,
  );
  process.exitCode = exitCodeOf(results);
}

function describe(results: readonly CheckResult[]): string {
  const table = createTable(["Check", "", "What was found, and what to do"]);
  for (const { check, status, finding, todo } of results) {
    table.addWrapped([check, status, todo === undefined ? finding : `${finding}\n> ${todo}`], 2);
  }
  return table.toString();
}

new Command("doctor")
  .description("Checks a stage against AWS, or the sandbox.")
  .option("--json", "for a machine", false)
  .option("--sandbox", "the sandbox on this machine, not AWS", false)
  .addHelpText(
    "after",
    `
Exit code:
  0  no check failed (a warning is none, nor is a check that could not be made)
  1  a check failed
  2  nothing could be checked: options, configuration, credentials or connection`,
  )
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCodes.good : exitCodes.notRun);
  })
  .action(doctor)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(describeFailure(error));
    process.exitCode = exitCodes.notRun;
  });
