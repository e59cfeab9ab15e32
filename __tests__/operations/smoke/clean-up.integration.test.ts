import { CreateTableCommand, DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { accountId, clientSettings, region, TestGateway } from "aws-emulator/testing/gateway";
import { AlreadyRunning, cleanUp, closeRun, openRun } from "../../../operations/smoke/clean-up";
import { SmokeWorld } from "../../../operations/smoke/world";
import { type StageAccess } from "../../../operations/stage";
import { Names } from "../../../stacks/names";
import { parkedStage } from "../../support/parked";

let gateway: TestGateway;
let dynamoDb: DynamoDBClient;
beforeAll(async () => {
  gateway = await TestGateway.start();
  dynamoDb = new DynamoDBClient(clientSettings(gateway.gateway.url));
});
afterAll(async () => {
  dynamoDb.destroy();
  await gateway.stop();
});

/** A stage of the test's own, with a claim table and a dead-letter queue. */
async function world() {
  const names = new Names({ projectName: gateway.name("shop"), stage: "test", region });
  await gateway.createQueue({}, names.of("dead-letters"));
  await dynamoDb.send(
    new CreateTableCommand({
      TableName: names.of("claims"),
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  const stage = { ...parkedStage, names, place: "", client: clientSettings(gateway.gateway.url) };
  return new SmokeWorld(stage as unknown as StageAccess, new AbortController().signal);
}

const queueOf = ({ stage }: SmokeWorld) => `${gateway.gateway.url}/${accountId}/${stage.names.of("dead-letters")}`;

const parked = (key: string) => ({ requestPayload: { detail: { idempotencyKey: key } } });

async function leave(at: SmokeWorld, messages: readonly object[], claims: readonly string[]): Promise<void> {
  for (const message of messages) {
    await gateway.sqs.send(new SendMessageCommand({ QueueUrl: queueOf(at), MessageBody: JSON.stringify(message) }));
  }
  for (const id of claims) {
    await dynamoDb.send(new PutItemCommand({ TableName: at.stage.names.of("claims"), Item: { id: { S: id } } }));
  }
}

async function rows({ stage }: SmokeWorld): Promise<(string | undefined)[]> {
  const { Items = [] } = await dynamoDb.send(new ScanCommand({ TableName: stage.names.of("claims") }));
  return Items.map(({ id }) => id?.S).sort();
}

it("removes what is the run's, and gives the rest back", async () => {
  const at = await world();
  await leave(at, [parked("smoke-run1-1"), parked("smoke-run2-1"), parked("order-7")], ["claim-1", "claim-of-others"]);
  expect(await cleanUp({ runId: "run1", claimIds: ["claim-1", "claim-never-made"] }, at)).toEqual({
    parked: 1,
    claims: 1,
  });
  expect(await rows(at)).toEqual(["claim-of-others"]);
  const { Messages = [] } = await gateway.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueOf(at), MaxNumberOfMessages: 10 }),
  );
  expect(Messages.map(({ Body = "" }) => JSON.parse(Body) as object)).toEqual(
    expect.arrayContaining([parked("smoke-run2-1"), parked("order-7")]),
  );
  expect(Messages).toHaveLength(2);
});

it("lets nobody in while a run is going, and the run itself stays in", async () => {
  const at = await world();
  const run = { runId: "run1", claimIds: ["claim-1"] };
  expect(await openRun(run, at)).toBeUndefined();
  expect(await openRun(run, at)).toBeUndefined();
  await expect(openRun({ runId: "run2", claimIds: [] }, at)).rejects.toThrow(AlreadyRunning);
  await expect(openRun({ runId: "run2", claimIds: [] }, at)).rejects.toThrow("The smoke test run1 is going");
  await closeRun(run, false, at);
  expect(await rows(at)).toEqual([]);
  expect(await openRun({ runId: "run2", claimIds: [] }, at)).toBeUndefined();
});

it("finds what an interrupted run has left behind", async () => {
  const at = await world();
  const run = { runId: "run1", claimIds: ["claim-1", "claim-2"] };
  await openRun(run, at);
  await closeRun(run, true, at);
  const left = await openRun({ runId: "run2", claimIds: [] }, at);
  expect(left).toEqual(run);
  await leave(at, [parked("smoke-run1-9")], ["claim-2"]);
  expect(await cleanUp(run, at)).toEqual({ parked: 1, claims: 1 });
});
