/**
 * The environment variables that `readConfig` reads. Where a configuration travels from one job to another, these names
 * travel and no others: a `PATH` or a `NODE_OPTIONS` among them would run somebody's code in the later job.
 */
export const configVariables = [
  "STAGE",
  "PROJECT_NAME",
  "AWS_REGION",
  "AWS_ACCOUNT_ID",
  "EMAIL_SENDER",
  "SENDER_IDENTITY",
  "IDENTITIES",
  "EMAIL_RECIPIENT",
  "EMAIL_REPLY_TO",
  "ALARM_EMAIL",
  "BACKEND",
  "STATE_BUCKET",
  "STATE_REGION",
  "TF_CLOUD_ORGANIZATION",
  "TF_WORKSPACE",
  "DEPLOY_REPOSITORY",
  "OIDC_PROVIDER",
] as const;
