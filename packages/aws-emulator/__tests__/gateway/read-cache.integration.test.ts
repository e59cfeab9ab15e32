import { PutRuleCommand, RemoveTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  AddPermissionCommand,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateTemplateCommand,
  SendTemplatedEmailCommand,
  UpdateTemplateCommand,
  VerifyEmailIdentityCommand,
} from "@aws-sdk/client-ses";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { arnOf, gatewayForTests, queuePolicy, signed } from "../support/gateway";

/** What the gateway keeps of the deployed system is what the system is: each change is seen by the very next event. */

const gateway = gatewayForTests();

/** The deliveries of an event that is put now, when nothing of it goes on any more. */
async function deliveriesOfNext(bus: string) {
  const id = await gateway.putEvent(bus, {});
  await gateway.settle();
  return (await gateway.event(id)).deliveries.map(({ rule, status, attempts }) => ({
    rule,
    status,
    error: attempts.at(-1)?.errorType,
  }));
}

it("a rule that is put, changed, or loses its target", async () => {
  const bus = await gateway.createBus();
  expect(await deliveriesOfNext(bus)).toEqual([]);
  const queue = await gateway.createQueue();
  const rule = await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue) }]);
  expect(await deliveriesOfNext(bus)).toMatchObject([{ rule }]);
  const EventPattern = JSON.stringify({ source: ["another"] });
  await gateway.events.send(new PutRuleCommand({ Name: rule, EventBusName: bus, EventPattern }));
  expect(await deliveriesOfNext(bus)).toEqual([]);
  await gateway.events.send(
    new PutRuleCommand({ Name: rule, EventBusName: bus, EventPattern: JSON.stringify({ source: ["test"] }) }),
  );
  expect(await deliveriesOfNext(bus)).toHaveLength(1);
  await gateway.events.send(new RemoveTargetsCommand({ Rule: rule, EventBusName: bus, Ids: ["queue"] }));
  expect(await deliveriesOfNext(bus)).toEqual([]);
});

it("a queue's policy, that is set and taken away", async () => {
  const bus = await gateway.createBus();
  const queue = await gateway.createQueue();
  const rule = await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue) }]);
  const setPolicy = (Policy: string) =>
    gateway.sqs.send(new SetQueueAttributesCommand({ QueueUrl: gateway.queueUrl(queue), Attributes: { Policy } }));
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "failed", error: "NO_PERMISSIONS" }]);
  await setPolicy(queuePolicy(queue, arnOf.rule(bus, rule)));
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "delivered" }]);
  await setPolicy(queuePolicy(queue, arnOf.rule(bus, "another")));
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "failed", error: "NO_PERMISSIONS" }]);
});

it("a function's permission and its environment", async () => {
  const bus = await gateway.createBus();
  const fn = await gateway.createFunction(
    `export const handler = async () => { if (process.env.FAIL) throw new Error(); };`,
  );
  const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn) }]);
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "failed", error: "NO_PERMISSIONS" }]);
  await gateway.permit(fn, arnOf.rule(bus, rule));
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "delivered" }]);
  const Environment = { Variables: { FAIL: "yes" } };
  await gateway.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: fn, Environment }));
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "failed", error: "Error" }]);
  const StatementId = `permission-${Number(/\d+$/.exec(rule)?.[0]) + 1}`;
  await gateway.lambda.send(new RemovePermissionCommand({ FunctionName: fn, StatementId }));
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "failed", error: "NO_PERMISSIONS" }]);
});

it("a template", async () => {
  const Template = (SubjectPart: string) => ({ TemplateName: "greeting", SubjectPart, TextPart: "text" });
  const subjectOfNext = async () => {
    const { MessageId = "" } = await gateway.ses.send(
      new SendTemplatedEmailCommand({
        Source: "a@example.com",
        Destination: { ToAddresses: ["b@example.com"] },
        Template: "greeting",
        TemplateData: "{}",
      }),
    );
    return (await gateway.mails()).find(({ id }) => id === MessageId)?.subject;
  };
  await gateway.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: "a@example.com" }));
  await gateway.ses.send(new CreateTemplateCommand({ Template: Template("one") }));
  expect(await subjectOfNext()).toBe("one");
  await gateway.ses.send(new UpdateTemplateCommand({ Template: Template("two") }));
  expect(await subjectOfNext()).toBe("two");
});

it("a queue that is not there, until it is made", async () => {
  const bus = await gateway.createBus();
  const queue = await gateway.createQueue();
  await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(`${queue}-later`) }]);
  expect(await deliveriesOfNext(bus)).toMatchObject([{ error: "NO_RESOURCE" }]);
  await gateway.createQueue({}, `${queue}-later`);
  expect(await deliveriesOfNext(bus)).toMatchObject([{ error: "NO_PERMISSIONS" }]);
});

it("a permission whose path ends as an invocation's does", async () => {
  const bus = await gateway.createBus();
  const fn = await gateway.createFunction("export const handler = async () => 1");
  const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn) }]);
  const statement = { FunctionName: fn, StatementId: "invocations" };
  await gateway.lambda.send(
    new AddPermissionCommand({
      ...statement,
      Action: "lambda:InvokeFunction",
      Principal: "events.amazonaws.com",
      SourceArn: arnOf.rule(bus, rule),
    }),
  );
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "delivered" }]);
  await gateway.lambda.send(new RemovePermissionCommand(statement));
  expect(await deliveriesOfNext(bus)).toMatchObject([{ status: "failed", error: "NO_PERMISSIONS" }]);
});

it("a rule that CloudFormation makes: inside moto, past the gateway", async () => {
  const bus = await gateway.createBus();
  const queue = await gateway.createQueue({}, "cloudformation-target");
  expect(await deliveriesOfNext(bus)).toEqual([]);
  const Properties = {
    Name: "of-a-stack",
    EventBusName: bus,
    EventPattern: { source: ["test"] },
    State: "ENABLED",
    Targets: [{ Id: "queue", Arn: arnOf.queue(queue) }],
  };
  const response = await fetch(gateway.gateway.url, {
    method: "POST",
    headers: {
      ...signed("cloudformation"),
    },
    body: new URLSearchParams({
      Action: "CreateStack",
      Version: "2010-05-15",
      StackName: "rules",
      TemplateBody: JSON.stringify({ Resources: { Rule: { Type: "AWS::Events::Rule", Properties } } }),
    }),
  });
  expect(response.status).toBe(200);
  expect(await deliveriesOfNext(bus)).toMatchObject([{ rule: "of-a-stack" }]);
});
