import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SESClient } from "@aws-sdk/client-ses";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { type Command } from "commander";
import { addCommonOptions, type CommonOptions, exitCodesHelp, type Io } from "../command";
import { awsChecks } from "../doctor/aws";
import { type CheckResult, exitCodeOf, onlyFinding, runChecks, type Status, warn } from "../doctor/check";
import { openDns } from "../doctor/dns";
import { domainChecks } from "../doctor/domains";
import { emailChecks } from "../doctor/email";
import { onStage, type StageAccess } from "../stage";
import { createTable } from "../table";

/** `npm run doctor` checks whether a stage is in order, and says what to do if it is not. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return addCommonOptions(command)
    .addHelpText(
      "after",
      exitCodesHelp(
        "no check failed (a warning is no failure, nor is a check that could not be made)",
        "a check failed, or none could be made",
      ),
    )
    .action((options: CommonOptions) =>
      onStage(io, options, "doctor", async (stage) => {
        const results = await runChecks(checksOf(stage), stage);
        const only = onlyFinding(results);
        // What the shell alone shows says nothing of whether a check could be made.
        const shown = [...variableResults(stage), ...results];
        if (options.json) io.stdout.write(`${JSON.stringify(toJson(shown, stage), null, 2)}\n`);
        else if (only !== undefined) io.stderr.write(`No check could be made. ${only}\n`);
        else io.stdout.write(describe(shown, stage));
        end(exitCodeOf(results));
      }),
    );
}

/** A warning for each variable of the shell that wins over another value of the stage's entry. */
function variableResults({ config, isSandbox }: StageAccess): CheckResult[] {
  const { overrides, stage } = config;
  if (isSandbox) return [];
  return overrides.map(({ variable, value, setting, ofEntry }) => ({
    check: variable,
    ...warn(
      `It is "${value}", and ${stage}.${setting} in stacks/stages.ts is "${ofEntry}".`,
      `Unset ${variable}, unless that is meant.`,
    ),
  }));
}

function checksOf(stage: StageAccess) {
  const { client } = stage;
  const { backend } = stage.config;
  return [
    ...emailChecks(stage, { ses: new SESClient(client), sesV2: new SESv2Client(client) }),
    ...domainChecks(stage, { sesV2: new SESv2Client(client), dns: openDns() }),
    ...awsChecks(stage, {
      lambda: new LambdaClient(client),
      sqs: new SQSClient(client),
      sns: new SNSClient(client),
      // Only the bucket of the Terraform state may be in another region than the stage.
      s3: new S3Client({ ...client, ...(backend.kind === "s3" ? { region: backend.region } : {}) }),
      cloudWatch: new CloudWatchClient(client),
    }),
  ];
}

const statuses: readonly Status[] = ["fail", "warn", "unknown", "ok"];

function countByStatus(results: readonly CheckResult[]): [Status, number][] {
  return statuses.map((status) => [status, results.filter((result) => result.status === status).length]);
}

function toJson(results: readonly CheckResult[], { config, names }: StageAccess): object {
  return {
    stage: config.stage,
    prefix: names.prefix,
    summary: Object.fromEntries(countByStatus(results)),
    checks: results,
  };
}

function describe(results: readonly CheckResult[], { names }: StageAccess): string {
  const table = createTable(["Check", "", "What was found, and what to do"]);
  for (const { check, status, finding, todo } of results) {
    table.addWrapped([check, status, todo === undefined ? finding : `${finding}\n> ${todo}`], 2);
  }
  const counts = countByStatus(results).map(([status, count]) => `${count} ${status}`);
  return `${table.toString()}\n${names.prefix}: ${counts.join(", ")}\n`;
}
