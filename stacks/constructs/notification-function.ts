import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import {
  DataAwsIamPolicyDocument,
  type DataAwsIamPolicyDocumentStatement,
} from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaFunctionEventInvokeConfig } from "@cdktf/provider-aws/lib/lambda-function-event-invoke-config";
import { Construct } from "constructs";
import { type HandlerEnvironment, toVariables } from "../../handler/contract/environment";
import { type Names } from "../names";
import { type DeadLetters } from "./dead-letters";
import { FunctionBundle } from "./function-bundle";

export interface NotificationFunctionProps {
  readonly names: Names;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly logRetentionDays: number;
  readonly environment: Omit<HandlerEnvironment, "serviceName">;
  /** What the function may do besides writing its own logs and its own dead letters. */
  readonly permissions: readonly DataAwsIamPolicyDocumentStatement[];
  readonly deadLetters: DeadLetters;
}

/** The function, its role, its log group, and what happens to an event that it can't handle. */
export class NotificationFunction extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: CloudwatchLogGroup;
  /** Name of the metric that counts the function's `ERROR` lines. */
  readonly errorMetric = { name: "EmailProcessingErrors", namespace: "" };

  constructor(scope: Construct, id: string, props: NotificationFunctionProps) {
    super(scope, id);
    const { names, deadLetters, environment } = props;
    const functionName = names.of("email-processor");
    this.errorMetric = { ...this.errorMetric, namespace: environment.metricsNamespace };

    this.logGroup = new CloudwatchLogGroup(this, "logs", {
      name: `/aws/lambda/${functionName}`,
      retentionInDays: props.logRetentionDays,
    });
    const trust = new DataAwsIamPolicyDocument(this, "trust", {
      statement: [
        { actions: ["sts:AssumeRole"], principals: [{ type: "Service", identifiers: ["lambda.amazonaws.com"] }] },
      ],
    });
    const role = new IamRole(this, "role", {
      name: names.of("lambda-role"),
      description: `Execution role of ${functionName}`,
      assumeRolePolicy: trust.json,
    });
    const permissions = new DataAwsIamPolicyDocument(this, "permissions", {
      statement: [
        {
          sid: "WriteOwnLogs",
          actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
          // Lambda names the streams, at run time: below its own group, and nowhere else.
          resources: [`${this.logGroup.arn}:*`],
        },
        { sid: "ParkFailures", actions: ["sqs:SendMessage"], resources: [deadLetters.arn] },
        ...props.permissions,
      ],
    });
    const policy = new IamRolePolicy(this, "policy", {
      name: names.of("lambda-policy"),
      role: role.name,
      policy: permissions.json,
    });

    const bundle = new FunctionBundle(this, "bundle");
    this.function = new LambdaFunction(this, "function", {
      functionName,
      description: "Turns business events into templated mail",
      role: role.arn,
      runtime: "nodejs22.x",
      architectures: ["arm64"],
      handler: bundle.handler,
      filename: bundle.archive.outputPath,
      sourceCodeHash: bundle.archive.outputBase64Sha256,
      memorySize: props.memoryMb,
      timeout: props.timeoutSeconds,
      environment: { variables: toVariables({ ...environment, serviceName: functionName }) },
      loggingConfig: { logFormat: "JSON", logGroup: this.logGroup.name },
      // Lambda would create the group itself, without retention, and this stack could not own it any more; and a
      // function without its policy fails its first events.
      dependsOn: [this.logGroup, policy],
    });
    new LambdaFunctionEventInvokeConfig(this, "asynchronous-invocation", {
      functionName: this.function.functionName,
      maximumRetryAttempts: 2,
      maximumEventAgeInSeconds: 21_600,
      // The target's dead-letter queue sees failed deliveries only, never a failed run (serverless issue 4647).
      destinationConfig: { onFailure: { destination: deadLetters.queue.arn } },
    });
    new CloudwatchLogMetricFilter(this, "errors", {
      name: names.of("email-processing-errors"),
      logGroupName: this.logGroup.name,
      // The runtime logs a failed run a second time, without a service: each failure counts once.
      pattern: `{ ($.level = "ERROR") && ($.service = "${functionName}") }`,
      metricTransformation: { ...this.errorMetric, value: "1", defaultValue: "0" },
    });
  }
}
