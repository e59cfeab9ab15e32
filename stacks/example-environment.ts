import { type Environment } from "./config";
import { exampleAccountId } from "./stages";

/**
 * The variables of a stage that stands for any: the generated documents and the check of migrations synthesize their
 * stacks with them.
 */
export function exampleEnvironment(stage: string): Environment {
  return {
    STAGE: stage,
    PROJECT_NAME: "project",
    EMAIL_SENDER: "sender@example.com",
    EMAIL_RECIPIENT: "ops@example.com",
    ALARM_EMAIL: "on-call@example.com",
    AWS_ACCOUNT_ID: exampleAccountId,
    AWS_REGION: "us-east-1",
  };
}
