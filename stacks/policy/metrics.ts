/** What AWS publishes in a namespace. */
interface NamespaceMetrics {
  readonly metrics: readonly string[];
  /** The metrics that have no dimensions, because they are of the whole account. @default there are none */
  readonly ofAccount?: readonly string[];
  /** The metrics that are there for the whole account, too. @default there are none */
  readonly alsoOfAccount?: readonly string[];
  /** Each set of dimensions that AWS publishes these metrics with. */
  readonly dimensions: readonly (readonly string[])[];
}

/**
 * The metrics of the services that this project uses. An alarm on any other metric or dimension would never have data.
 * Each list is that of the service's own page.
 */
export const awsMetrics: Readonly<Record<string, NamespaceMetrics>> = {
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
  "AWS/Lambda": {
    metrics: [
      "AsyncEventAge",
      "AsyncEventsDropped",
      "AsyncEventsReceived",
      "ConcurrentExecutions",
      "DeadLetterErrors",
      "DestinationDeliveryFailures",
      "Duration",
      "Errors",
      "Invocations",
      "IteratorAge",
      "PostRuntimeExtensionsDuration",
      "ProvisionedConcurrencyInvocations",
      "ProvisionedConcurrencySpilloverInvocations",
      "ProvisionedConcurrencyUtilization",
      "ProvisionedConcurrentExecutions",
      "RecursiveInvocationsDropped",
      "Throttles",
    ],
    // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html
    ofAccount: ["ClaimedAccountConcurrency", "UnreservedConcurrentExecutions"],
    alsoOfAccount: ["ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"],
    dimensions: [["FunctionName"], ["FunctionName", "Resource"], ["ExecutedVersion", "FunctionName", "Resource"]],
  },
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
  "AWS/SQS": {
    metrics: [
      "ApproximateAgeOfOldestMessage",
      "ApproximateNumberOfMessagesDelayed",
      "ApproximateNumberOfMessagesNotVisible",
      "ApproximateNumberOfMessagesVisible",
      "NumberOfEmptyReceives",
      "NumberOfMessagesDeleted",
      "NumberOfMessagesReceived",
      "NumberOfMessagesSent",
      "SentMessageSize",
    ],
    dimensions: [["QueueName"]],
  },
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
  "AWS/Events": {
    metrics: [
      "DeadLetterInvocations",
      "EventBusEncryptionCompleted",
      "EventBusEncryptionFailed",
      "EventBusEncryptionStarted",
      "FailedInvocations",
      "IngestionToInvocationCompleteLatency",
      "IngestionToInvocationStartLatency",
      "IngestionToInvocationSuccessLatency",
      "InvocationAttempts",
      "Invocations",
      "InvocationsFailedToBeSentToDlq",
      "InvocationsSentToDlq",
      "MatchedEvents",
      "RetryInvocationAttempts",
      "SuccessfulInvocationAttempts",
      "ThrottledRules",
      "TriggeredRules",
    ],
    ofAccount: [
      "InvocationsCreated",
      "PutEventsApproximateCallCount",
      "PutEventsApproximateFailedCount",
      "PutEventsApproximateSuccessCount",
      "PutEventsApproximateThrottledCount",
      "PutEventsEntriesCount",
      "PutEventsFailedEntriesCount",
      "PutEventsLatency",
      "PutEventsRequestSize",
    ],
    dimensions: [["RuleName"], ["EventBusName", "RuleName"], ["EventBusName"]],
  },
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
  "AWS/DynamoDB": {
    metrics: [
      "ConditionalCheckFailedRequests",
      "ConsumedReadCapacityUnits",
      "ConsumedWriteCapacityUnits",
      "ReadThrottleEvents",
      "SuccessfulRequestLatency",
      "SystemErrors",
      "ThrottledRequests",
      "TimeToLiveDeletedItemCount",
      "TransactionConflict",
      "WriteThrottleEvents",
    ],
    ofAccount: [
      "AccountMaxReads",
      "AccountMaxTableLevelReads",
      "AccountMaxTableLevelWrites",
      "AccountMaxWrites",
      "AccountProvisionedReadCapacityUtilization",
      "AccountProvisionedWriteCapacityUtilization",
      "UserErrors",
    ],
    dimensions: [["TableName"], ["Operation", "TableName"]],
  },
  // https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-cloudwatch.html, and for the rates
  // https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html. Without dimensions these are
  // the account's.
  "AWS/SES": {
    metrics: [
      "Bounce",
      "Click",
      "Complaint",
      "Delivery",
      "DeliveryDelay",
      "Open",
      "Reject",
      "RenderingFailure",
      "Reputation.BounceRate",
      "Reputation.ComplaintRate",
      "Send",
    ],
    dimensions: [[], ["ses:configuration-set"]],
  },
  // https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
  "AWS/SNS": {
    metrics: [
      "NumberOfMessagesPublished",
      "NumberOfNotificationsDelivered",
      "NumberOfNotificationsFailed",
      "NumberOfNotificationsFailedToRedriveToDlq",
      "NumberOfNotificationsFilteredOut",
      "NumberOfNotificationsRedrivenToDlq",
      "PublishSize",
    ],
    dimensions: [["TopicName"]],
  },
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
  "AWS/Logs": {
    metrics: [
      "DeliveryErrors",
      "DeliveryThrottling",
      "EMFParsingErrors",
      "EMFValidationErrors",
      "ForwardedBytes",
      "ForwardedLogEvents",
      "IncomingBytes",
      "IncomingLogEvents",
    ],
    dimensions: [["LogGroupName"]],
  },
};

/** For each dimension that names a resource, the resource's type. */
export const dimensionTypes: Readonly<Record<string, string>> = {
  EventBusName: "aws_cloudwatch_event_bus",
  FunctionName: "aws_lambda_function",
  LogGroupName: "aws_cloudwatch_log_group",
  QueueName: "aws_sqs_queue",
  RuleName: "aws_cloudwatch_event_rule",
  "ses:configuration-set": "aws_sesv2_configuration_set",
  TableName: "aws_dynamodb_table",
  TopicName: "aws_sns_topic",
};
