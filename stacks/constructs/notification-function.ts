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
  /** The stored templates that the package names. They are created before the function and destroyed after it. */
  readonly templates: readonly SesTemplate[];
  readonly arns: Arns;
  /** The construct id of the permission that lets the rules invoke the function. */
  readonly permissionId: string;
  /** Permissions of the function in addition to writing its own logs. */
  readonly permissions: readonly DataAwsIamPolicyDocumentStatement[];
}

/** The metric that counts the `ERROR` lines of all functions of a stage. */
export const errorMetricName = "EmailProcessingErrors";

/** The function, its role, its log group, and the permission for the stage's rules to invoke it. */
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
    // A new name means a new role. The function keeps the old role with its policy until it has the new one.
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
          // Lambda names the log streams at run time, so the permission covers every stream of the function's own
          // group.
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
      // If the function came first, Lambda would create the log group without retention, and Terraform could no longer
      // create it. A function without its policy would fail its first events.
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
      // Lambda's runtime logs a failed run a second time, without a service. The condition on the service makes each
      // failure count once.
      pattern: `{ ($.level = "ERROR") && ($.service = "${functionName}") }`,
      metric: errorMetricName,
      namespace: environment.metricsNamespace,
    });
  }
}
