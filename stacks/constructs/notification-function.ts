import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import {
  DataAwsIamPolicyDocument,
  type DataAwsIamPolicyDocumentStatement,
} from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { type SesTemplate } from "@cdktf/provider-aws/lib/ses-template";
import { Construct } from "constructs";
import { type HandlerEnvironment, toVariables } from "../../handler/contract/environment";
import { type Arns } from "../arns";
import { type FunctionBundle, nodeVersion } from "./function-bundle";
import { LogMetric } from "./log-metric";

export interface NotificationFunctionProps {
  readonly functionName: string;
  readonly roleName: string;
  readonly description: string;
  readonly bundle: FunctionBundle;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** @default not reserved */
  readonly reservedConcurrency?: number | undefined;
  readonly logRetentionDays: number;
  readonly environment: Omit<HandlerEnvironment, "serviceName">;
  /** Stored templates that the package names: they are there before it, and gone after it. */
  readonly templates: readonly SesTemplate[];
  readonly arns: Arns;
  /** Id of the permission that lets the rules invoke the function. */
  readonly permissionId: string;
  /** What the function may do besides writing its own logs. */
  readonly permissions: readonly DataAwsIamPolicyDocumentStatement[];
}

/** Name of the metric that counts the `ERROR` lines of all functions of a stage. */
export const errorMetricName = "EmailProcessingErrors";

/** The function, its role, its log group, and the permission of the stage's rules to invoke it. */
export class NotificationFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: IamRole;
  readonly rulesPermission: LambdaPermission;
  readonly logGroup: CloudwatchLogGroup;

  constructor(scope: Construct, id: string, props: NotificationFunctionProps) {
    super(scope, id);
    const { functionName, roleName, bundle, environment, reservedConcurrency } = props;
    this.logGroup = new CloudwatchLogGroup(this, "logs", {
      name: `/aws/lambda/${functionName}`,
      retentionInDays: props.logRetentionDays,
    });
    const trust = new DataAwsIamPolicyDocument(this, "trust", {
      statement: [
        { actions: ["sts:AssumeRole"], principals: [{ type: "Service", identifiers: ["lambda.amazonaws.com"] }] },
      ],
    });
    // A new name makes a new role: the function keeps the old one, with its policy, until it has the new one.
    const lifecycle = { createBeforeDestroy: true };
    this.role = new IamRole(this, "role", {
      name: roleName,
      description: `Execution role of ${functionName}`,
      assumeRolePolicy: trust.json,
      lifecycle,
    });
    const permissions = new DataAwsIamPolicyDocument(this, "permissions", {
      statement: [
        {
          sid: "WriteOwnLogs",
          actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
          // Lambda names the streams, at run time: below its own group, and nowhere else.
          resources: [`${this.logGroup.arn}:*`],
        },
        ...props.permissions,
      ],
    });
    const policy = new IamRolePolicy(this, "policy", {
      name: roleName,
      role: this.role.name,
      policy: permissions.json,
      lifecycle,
    });

    this.function = new LambdaFunction(this, "function", {
      functionName,
      description: props.description,
      role: this.role.arn,
      runtime: `nodejs${nodeVersion}.x`,
      architectures: ["arm64"],
      handler: bundle.handler,
      filename: bundle.archive.outputPath,
      sourceCodeHash: bundle.archive.outputBase64Sha256,
      memorySize: props.memoryMb,
      timeout: props.timeoutSeconds,
      ...(reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: reservedConcurrency }),
      environment: { variables: toVariables({ ...environment, serviceName: functionName }) },
      loggingConfig: { logFormat: "JSON", logGroup: this.logGroup.name },
      // Lambda would create the group itself, without retention, and this stack could not own it any more; and a
      // function without its policy fails its first events.
      dependsOn: [this.logGroup, policy, ...props.templates],
    });
    this.rulesPermission = new LambdaPermission(this, "rules-permission", {
      statementId: props.permissionId,
      action: "lambda:InvokeFunction",
      functionName: this.function.functionName,
      principal: "events.amazonaws.com",
      sourceArn: props.arns.ownRules,
    });
    new LogMetric(this, "errors", {
      name: `${functionName}-errors`,
      logGroup: this.logGroup,
      // The runtime logs a failed run a second time, without a service: each failure counts once.
      pattern: `{ ($.level = "ERROR") && ($.service = "${functionName}") }`,
      metric: errorMetricName,
      namespace: environment.metricsNamespace,
    });
  }
}
