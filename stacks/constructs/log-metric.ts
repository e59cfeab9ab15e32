import { type CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { type Construct } from "constructs";

export interface LogMetricProps {
  /** The filter's physical name. */
  readonly name: string;
  readonly logGroup: CloudwatchLogGroup;
  /** A filter pattern in the syntax of CloudWatch Logs. */
  readonly pattern: string;
  readonly metric: string;
  readonly namespace: string;
}

/** Counts the lines of a log group that match a pattern. The metric is 0 while no line matches. */
export class LogMetric extends CloudwatchLogMetricFilter {
  constructor(scope: Construct, id: string, { name, logGroup, pattern, metric, namespace }: LogMetricProps) {
    super(scope, id, {
      name,
      logGroupName: logGroup.name,
      pattern,
      metricTransformation: { name: metric, namespace, value: "1", defaultValue: "0" },
    });
  }
}
