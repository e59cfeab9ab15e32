import { DescribeEventBusCommand } from "@aws-sdk/client-eventbridge";
import { baseEnvironment, sandboxEnvironment, Terraform } from "../../sandbox/terraform";
import { resolveProviders } from "../../sandbox/tools";
import { awsProvider } from "../../sandbox/tools/pinned-providers";
import { accountId, arnOf, region, TestGateway } from "aws-emulator/testing/gateway";
import { describeWith } from "../support/requires";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

describeWith(["terraform", "moto", "awsProvider"], "what the AWS provider makes through the gateway", (tools) => {
  // The test starts moto and Terraform, and runs an apply and a plan with the real provider.
  it("a bus with a policy, an archive, a log group's transformer: a second plan changes nothing, destroy leaves none", async () => {
    const gateway = await TestGateway.start();
    try {
      const { environment } = resolveProviders({
        terraform: tools.terraform.value,
        awsMirror: tools.awsProvider,
        // This stack does not use the archive provider, so any mirror will do.
        archiveMirror: tools.awsProvider,
        workDirectory: temporaryFolder(),
      });
      const policy = {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "OnlyFunctions",
            Effect: "Deny",
            Principal: "*",
            Action: "events:PutEvents",
            Resource: "${aws_cloudwatch_event_bus.failures.arn}",
            Condition: { ArnNotEquals: { "aws:PrincipalArn": [`arn:aws:iam::${accountId}:role/function`] } },
          },
        ],
      };
      const ofBus = { event_bus_name: "${aws_cloudwatch_event_bus.failures.name}" };
      const directory = writeFiles(temporaryFolder(), {
        "main.tf.json": JSON.stringify({
          terraform: { required_providers: { aws: { source: awsProvider.source, version: awsProvider.version } } },
          provider: { aws: [{ region }] },
          resource: {
            aws_cloudwatch_event_bus: { failures: { name: "test-failures" } },
            aws_cloudwatch_event_bus_policy: { failures: { ...ofBus, policy: JSON.stringify(policy) } },
            aws_cloudwatch_event_archive: {
              all: {
                name: "test-archive",
                event_source_arn: "${aws_cloudwatch_event_bus.failures.arn}",
                event_pattern: '{"source":["lambda"]}',
                retention_days: 14,
              },
            },
            aws_cloudwatch_log_group: { unrouted: { name: "/aws/events/test" } },
            aws_cloudwatch_event_rule: { unrouted: { ...ofBus, name: "test-rule", event_pattern: '{"source":["x"]}' } },
            aws_cloudwatch_event_target: {
              unrouted: {
                ...ofBus,
                rule: "${aws_cloudwatch_event_rule.unrouted.name}",
                target_id: "log",
                arn: "${aws_cloudwatch_log_group.unrouted.arn}",
                input_transformer: {
                  input_paths: { time: "$.time", id: "$.id" },
                  input_template: '{"timestamp": <time>, "message": "<id>"}',
                },
              },
            },
          },
        }),
      });
      const run = new Terraform({
        binary: tools.terraform.value,
        directory,
        environment: { ...baseEnvironment(environment), ...sandboxEnvironment(gateway.gateway.url, region) },
      });
      await run.init();
      await run.apply();
      const read = new DescribeEventBusCommand({ Name: "test-failures" });
      expect((await gateway.events.send(read)).Policy).toContain(arnOf.bus("test-failures"));
      await expect(run.findChanges()).resolves.toBeUndefined();
      await run.destroy();
      await expect(gateway.events.send(read)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    } finally {
      await gateway.stop();
    }
  });
});
