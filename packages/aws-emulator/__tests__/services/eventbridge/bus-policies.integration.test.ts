import {
  DeleteEventBusCommand,
  DescribeEventBusCommand,
  ListEventBusesCommand,
  PutEventsCommand,
  PutPermissionCommand,
  RemovePermissionCommand,
} from "@aws-sdk/client-eventbridge";
import { PutFunctionEventInvokeConfigCommand, InvokeCommand } from "@aws-sdk/client-lambda";
import { type BusEvent } from "../../../src/gateway/journal";
import { accountId, arnOf, gatewayForTests, region } from "../../support/gateway";
import { until } from "../../support/until";

const gateway = gatewayForTests();

const functionRole = `arn:aws:iam::${accountId}:role/function`;

/** Nobody but the roles puts events. */
function onlyFor(bus: string, ...roles: string[]): string {
  const Condition = { ArnNotEquals: { "aws:PrincipalArn": roles } };
  const statement = { Sid: "OnlyFunctions", Effect: "Deny", Principal: "*", Action: "events:PutEvents", Condition };
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Resource: arnOf.bus(bus) }] });
}

const putPolicy = (bus: string, Policy: string) =>
  gateway.events.send(new PutPermissionCommand({ EventBusName: bus, Policy }));
const policyOf = async (Name: string) => (await gateway.events.send(new DescribeEventBusCommand({ Name }))).Policy;

describe("a bus's policy", () => {
  it("reads as it was put last, on the bus and in the list, and goes with its bus", async () => {
    const bus = await gateway.createBus();
    expect(await policyOf(bus)).toBeUndefined();
    await putPolicy(bus, onlyFor(bus, "arn:one"));
    await putPolicy(bus, onlyFor(bus, functionRole));
    expect(await policyOf(bus)).toBe(onlyFor(bus, functionRole));
    const { EventBuses: listed = [] } = await gateway.events.send(new ListEventBusesCommand({ NamePrefix: bus }));
    expect(listed.map(({ Policy }) => Policy)).toEqual([onlyFor(bus, functionRole)]);
    await gateway.events.send(new DeleteEventBusCommand({ Name: bus }));
    await gateway.createBus(bus);
    expect(await policyOf(bus)).toBeUndefined();
  });

  it("is made of statements, too, each of which can be removed", async () => {
    const bus = await gateway.createBus();
    const permit = (StatementId: string, Principal: string) =>
      gateway.events.send(
        new PutPermissionCommand({ EventBusName: bus, StatementId, Principal, Action: "events:PutEvents" }),
      );
    await permit("one", "111122223333");
    await permit("all", "*");
    const statement = { Effect: "Allow", Action: "events:PutEvents", Resource: arnOf.bus(bus) };
    expect(JSON.parse((await policyOf(bus)) ?? "")).toEqual({
      Version: "2012-10-17",
      Statement: [
        { Sid: "one", ...statement, Principal: { AWS: "arn:aws:iam::111122223333:root" } },
        { Sid: "all", ...statement, Principal: "*" },
      ],
    });
    const remove = (input: object) => gateway.events.send(new RemovePermissionCommand({ EventBusName: bus, ...input }));
    await expect(remove({ StatementId: "none" })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Statement with the provided id does not exist.",
    });
    await remove({ StatementId: "one" });
    expect(JSON.parse((await policyOf(bus)) ?? "")).toMatchObject({ Statement: [{ Sid: "all" }] });
    await remove({ RemoveAllPermissions: true });
    expect(await policyOf(bus)).toBeUndefined();
  });

  it("is refused where it is no JSON, too long, or its bus is not there", async () => {
    const bus = await gateway.createBus();
    await expect(putPolicy(bus, "{")).rejects.toMatchObject({ name: "ValidationException" });
    await expect(putPolicy(bus, onlyFor(bus, "x".repeat(10_240)))).rejects.toMatchObject({
      name: "PolicyLengthExceededException",
    });
    await expect(putPolicy("nowhere", onlyFor(bus))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Event bus nowhere does not exist.",
    });
  });

  it("keeps a client from forging what only functions put", async () => {
    const [bus, open] = [await gateway.createBus(), await gateway.createBus()];
    await putPolicy(bus, onlyFor(bus, functionRole));
    const entry = { Source: "lambda", DetailType: "Lambda Function Invocation Result - Failure", Detail: "{}" };
    const { FailedEntryCount: count, Entries: results } = await gateway.events.send(
      new PutEventsCommand({
        Entries: [
          { ...entry, EventBusName: arnOf.bus(bus) },
          { ...entry, EventBusName: open },
        ],
      }),
    );
    expect(count).toBe(1);
    expect(results).toMatchObject([
      { ErrorCode: "AccessDeniedException", ErrorMessage: expect.stringContaining(arnOf.bus(bus)) as string },
      { EventId: expect.any(String) as string },
    ]);
    expect(JSON.stringify(await gateway.get("activity"))).not.toContain(`"bus":"${bus}"`);
  });

  /** A function that fails, with the bus as its destination. */
  async function failInto(bus: string, code = "export const handler = async () => { throw new Error('no'); };") {
    const name = await gateway.createFunction(code);
    await gateway.lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: name,
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: arnOf.bus(bus) } },
      }),
    );
    await gateway.lambda.send(
      new InvokeCommand({ FunctionName: name, InvocationType: "Event", Payload: Buffer.from("{}") }),
    );
    await gateway.settle();
    const activity = (await gateway.get("activity")) as BusEvent[];
    return { name, events: activity.filter((event) => event.bus === bus) };
  }

  it("lets the record of a function in whose role it is allowed, and of no other", async () => {
    const [bus, closed] = [await gateway.createBus(), await gateway.createBus()];
    await putPolicy(bus, onlyFor(bus, functionRole));
    await putPolicy(closed, onlyFor(closed, `${functionRole}-2`));
    expect((await failInto(bus)).events).toMatchObject([{ source: "lambda" }]);
    const { name, events } = await failInto(closed);
    expect(events).toEqual([]);
    const failures = await until("the count", async () => {
      const metrics = (await gateway.get("metrics")) as { DestinationDeliveryFailures: Record<string, number> };
      return metrics.DestinationDeliveryFailures[name];
    });
    expect(failures).toBe(1);
  });

  it("lets a function put by itself in its role", async () => {
    const bus = await gateway.createBus();
    await putPolicy(bus, onlyFor(bus, functionRole));
    const entries = [{ EventBusName: bus, Source: "own", DetailType: "Own", Detail: "{}" }];
    const name = await gateway.createFunction(`export const handler = async () => {
      const authorization = "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20240101/${region}/events/aws4_request, SignedHeaders=host, Signature=0";
      const headers = { authorization, "x-amz-target": "AWSEvents.PutEvents", "content-type": "application/x-amz-json-1.1" };
      const body = ${JSON.stringify(JSON.stringify({ Entries: entries }))};
      return (await fetch(process.env.AWS_ENDPOINT_URL, { method: "POST", headers, body })).json();
    };`);
    const { Payload: payload } = await gateway.lambda.send(new InvokeCommand({ FunctionName: name }));
    expect(JSON.parse(Buffer.from(payload ?? []).toString())).toMatchObject({ FailedEntryCount: 0 });
  });
});
