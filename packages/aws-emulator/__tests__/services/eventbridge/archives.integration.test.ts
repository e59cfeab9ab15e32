import {
  CancelReplayCommand,
  CreateArchiveCommand,
  DeleteArchiveCommand,
  DescribeArchiveCommand,
  DescribeReplayCommand,
  ListArchivesCommand,
  ListReplaysCommand,
  PutEventsCommand,
  StartReplayCommand,
  type StartReplayCommandInput,
  UpdateArchiveCommand,
} from "@aws-sdk/client-eventbridge";
import { Background } from "../../../src/gateway/background";
import { Archives } from "../../../src/services/eventbridge/archives";
import { type Call, json, jsonOf, type Next } from "../../../src/gateway/http";
import { type BusEvent, type Envelope } from "../../../src/gateway/journal";
import { accountId, arnOf, gatewayForTests, region } from "../../support/gateway";
import { until } from "../../support/until";

const gateway = gatewayForTests();

const archiveArn = (name: string) => `arn:aws:events:${region}:${accountId}:archive/${name}`;

async function archiveOf(bus: string, settings: { EventPattern?: string; RetentionDays?: number } = {}) {
  const ArchiveName = gateway.name("archive");
  await gateway.events.send(new CreateArchiveCommand({ ArchiveName, EventSourceArn: arnOf.bus(bus), ...settings }));
  return ArchiveName;
}

const time = (second: number) => new Date(Date.UTC(2024, 0, 1, 12, 0, second));

async function putAt(bus: string, second: number, detail: object = {}): Promise<string> {
  const Detail = JSON.stringify(detail);
  const { Entries: [entry] = [] } = await gateway.events.send(
    new PutEventsCommand({
      Entries: [{ EventBusName: bus, Source: "test", DetailType: "Test", Time: time(second), Detail }],
    }),
  );
  return entry?.EventId ?? "";
}

const start = (bus: string, archive: string, input: Partial<StartReplayCommandInput> = {}) =>
  gateway.events.send(
    new StartReplayCommand({
      ReplayName: gateway.name("replay"),
      EventSourceArn: archiveArn(archive),
      EventStartTime: time(0),
      EventEndTime: time(60),
      Destination: { Arn: arnOf.bus(bus) },
      ...input,
    }),
  );

const completed = (ReplayName: string) =>
  until(`${ReplayName} is completed`, async () => {
    const replay = await gateway.events.send(new DescribeReplayCommand({ ReplayName }));
    return replay.State === "COMPLETED" ? replay : undefined;
  });

/** The events that a replay put on the bus, oldest first. */
async function replayed(name: string): Promise<BusEvent[]> {
  await completed(name);
  await gateway.settle();
  const activity = (await gateway.get("activity")) as BusEvent[];
  return activity.filter(({ event }) => event["replay-name"] === name).reverse();
}

describe("an archive", () => {
  it("keeps the events of its bus that its pattern matches, and counts them", async () => {
    const [bus, other] = [await gateway.createBus(), await gateway.createBus()];
    const everything = await archiveOf(bus);
    const some = await archiveOf(bus, { EventPattern: '{"detail":{"a":[1]}}', RetentionDays: 7 });
    await putAt(bus, 0, { a: 1 });
    await putAt(bus, 0, { a: 2 });
    await putAt(other, 0, { a: 1 });
    const read = (ArchiveName: string) => gateway.events.send(new DescribeArchiveCommand({ ArchiveName }));
    expect((await read(everything)).EventCount).toBe(2);
    expect(await read(some)).toMatchObject({ EventCount: 1, RetentionDays: 7, EventPattern: '{"detail":{"a":[1]}}' });
    expect((await read(some)).SizeBytes).toBeGreaterThan(100);
    const { Archives: listed = [] } = await gateway.events.send(
      new ListArchivesCommand({ EventSourceArn: arnOf.bus(bus) }),
    );
    expect(listed.map(({ EventCount }) => EventCount)).toEqual([2, 1]);
    await gateway.events.send(new UpdateArchiveCommand({ ArchiveName: some, EventPattern: '{"detail":{"a":[2]}}' }));
    await putAt(bus, 0, { a: 2 });
    expect((await read(some)).EventCount).toBe(2);
  });

  it("is refused as AWS does: a bad pattern, a bus that is not there, a second of the same name", async () => {
    const bus = await gateway.createBus();
    const ArchiveName = await archiveOf(bus);
    const create = (input: object) =>
      gateway.events.send(
        new CreateArchiveCommand({ ArchiveName: gateway.name("bad"), EventSourceArn: arnOf.bus(bus), ...input }),
      );
    await expect(create({ EventPattern: '{"source":[]}' })).rejects.toMatchObject({
      name: "InvalidEventPatternException",
    });
    await expect(create({ EventSourceArn: arnOf.bus("nowhere") })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Event bus nowhere does not exist.",
    });
    await expect(create({ ArchiveName })).rejects.toMatchObject({
      name: "ResourceAlreadyExistsException",
      message: `Archive ${ArchiveName} already exists.`,
    });
    await gateway.events.send(new DeleteArchiveCommand({ ArchiveName }));
    await expect(start(bus, ArchiveName)).rejects.toThrow(`Archive ${ArchiveName} does not exist.`);
  });
});

describe("a replay", () => {
  it("puts the window's events on the bus again, by their time, with their ids and its name", async () => {
    const bus = await gateway.createBus();
    const archive = await archiveOf(bus);
    const fn = await gateway.createFunction("export const handler = async () => 1;");
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn) }]);
    await gateway.permit(fn, arnOf.rule(bus, rule));
    const [third, first, second] = [await putAt(bus, 30), await putAt(bus, 0), await putAt(bus, 29)];
    const ReplayName = gateway.name("replay");
    const started = await start(bus, archive, { ReplayName, EventEndTime: time(30), Description: "again" });
    expect(started).toMatchObject({
      State: "STARTING",
      ReplayArn: `arn:aws:events:${region}:${accountId}:replay/${ReplayName}`,
    });
    const events = await replayed(ReplayName);
    expect(events.map(({ event }) => event.id)).toEqual([first, second]);
    expect(events[0]?.event).toEqual({ ...(await original(first)), "replay-name": ReplayName });
    expect(events.map(({ deliveries }) => deliveries.map((delivery) => delivery.rule))).toEqual([[rule], [rule]]);
    expect(third).not.toBe("");
    expect(await completed(ReplayName)).toMatchObject({
      Description: "again",
      EventSourceArn: archiveArn(archive),
      Destination: { Arn: arnOf.bus(bus) },
      EventStartTime: time(0),
      EventEndTime: time(30),
      EventLastReplayedTime: time(29),
      ReplayEndTime: expect.any(Date) as Date,
    });
    // It is not archived again.
    expect((await gateway.events.send(new DescribeArchiveCommand({ ArchiveName: archive }))).EventCount).toBe(3);
  });

  async function original(id: string): Promise<Envelope> {
    const activity = (await gateway.get("activity")) as BusEvent[];
    const [event] = activity.filter(({ event }) => event.id === id && event["replay-name"] === undefined);
    if (event === undefined) throw new Error(`no event ${id}`);
    return event.event;
  }

  it("reaches the rules that it names, and rules that ask for a replay", async () => {
    const bus = await gateway.createBus();
    const archive = await archiveOf(bus);
    const targets = [{ Id: "queue", Arn: arnOf.queue(await gateway.createQueue()) }];
    const [named, unnamed] = [await gateway.createRule(bus, targets), await gateway.createRule(bus, targets)];
    const onlyReplays = await gateway.createRule(bus, targets, { pattern: { "replay-name": [{ exists: true }] } });
    await putAt(bus, 0);
    const [some, all] = [gateway.name("replay"), gateway.name("replay")];
    const FilterArns = [arnOf.rule(bus, named)];
    await start(bus, archive, { ReplayName: some, Destination: { Arn: arnOf.bus(bus), FilterArns } });
    await start(bus, archive, { ReplayName: all });
    const rulesOf = async (name: string) =>
      (await replayed(name)).flatMap(({ deliveries }) => deliveries.map(({ rule }) => rule)).sort();
    expect(await rulesOf(some)).toEqual([named]);
    expect(await rulesOf(all)).toEqual([named, onlyReplays, unnamed].sort());
  });

  it("is refused in AWS's words", async () => {
    const [bus, other] = [await gateway.createBus(), await gateway.createBus()];
    const archive = await archiveOf(bus);
    const ReplayName = gateway.name("replay");
    await start(bus, archive, { ReplayName });
    const refused = (input: Partial<StartReplayCommandInput>) =>
      start(bus, archive, input).then(
        () => undefined,
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    const to = (Arn: string) => ({ Destination: { Arn } });
    const invalid = (name: string, reason: string) =>
      `ValidationException: Parameter ${name} is not valid. Reason: ${reason}`;
    expect(await refused(to(arnOf.bus("nowhere")))).toBe(
      "ResourceNotFoundException: Event bus nowhere does not exist.",
    );
    expect(await refused(to(arnOf.bus(other)))).toBe(
      invalid("Destination.Arn", "Cross event bus replay is not permitted."),
    );
    expect(await refused(to("bus"))).toBe(invalid("Destination.Arn", "Must contain an event bus ARN."));
    expect(await refused({ EventSourceArn: archiveArn("none") })).toBe(
      invalid("EventSourceArn", "Archive none does not exist."),
    );
    expect(await refused({ EventEndTime: time(0) })).toBe(
      invalid("EventEndTime", "EventStartTime must be before EventEndTime."),
    );
    expect(await refused({ ReplayName })).toBe(`ResourceAlreadyExistsException: Replay ${ReplayName} already exists.`);
    const describe = new DescribeReplayCommand({ ReplayName: "none" });
    await expect(gateway.events.send(describe)).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Replay none does not exist.",
    });
    await completed(ReplayName);
    await expect(gateway.events.send(new CancelReplayCommand({ ReplayName }))).rejects.toMatchObject({
      name: "IllegalStatusException",
      message: `Replay ${ReplayName} is not in a valid state for this operation.`,
    });
  });

  it("is listed, by name, archive or state, in pages", async () => {
    const bus = await gateway.createBus();
    const archive = await archiveOf(bus);
    const names = [1, 2, 3].map((number) => `listed-${number}`);
    for (const ReplayName of names) {
      await start(bus, archive, { ReplayName });
      await completed(ReplayName);
    }
    const list = async (input: object) => {
      const { Replays: found = [], NextToken: token } = await gateway.events.send(new ListReplaysCommand(input));
      return { names: found.map(({ ReplayName }) => ReplayName), token };
    };
    expect((await list({ EventSourceArn: archiveArn(archive) })).names).toEqual(names);
    expect((await list({ State: "RUNNING" })).names).toEqual([]);
    const first = await list({ NamePrefix: "listed-", Limit: 2 });
    const second = await list({ NamePrefix: "listed-", Limit: 2, NextToken: first.token });
    expect([first.names, second.names, second.token]).toEqual([names.slice(0, 2), names.slice(2), undefined]);
    await expect(list({ State: "RUNNING", NamePrefix: "x" })).rejects.toThrow(/At most one filter/);
  });
});

describe("archives and replays over time", () => {
  const event: Envelope = {
    version: "0",
    id: "1",
    "detail-type": "Test",
    source: "test",
    account: accountId,
    time: "2024-01-01T12:00:00Z",
    region,
    resources: [],
    detail: {},
  };
  const moto: Next = (call) => Promise.resolve(json({ ArchiveArn: "arn", ArchiveName: jsonOf(call).ArchiveName }));
  let archives: Archives;
  let published: Envelope[];
  let notes: string[];
  let whilePublishing: () => void;

  async function ask(operation: string, body: object): Promise<Record<string, unknown>> {
    const call = { operation, headers: {}, body: Buffer.from(JSON.stringify(body)) } as Call;
    return jsonOf(await archives.intercept(call, moto));
  }

  beforeEach(async () => {
    published = [];
    notes = [];
    whilePublishing = () => undefined;
    archives = new Archives({
      replayArn: (name) => `arn:aws:events:${region}:${accountId}:replay/${name}`,
      rules: { of: () => Promise.resolve([]) },
      background: new Background((error) => {
        throw error;
      }),
      publish: (_, replayedEvent) => {
        published.push(replayedEvent);
        whilePublishing();
      },
      limits: { items: 20, bytes: 10_000 },
      note: (text) => notes.push(text),
    });
    await ask("CreateArchive", { ArchiveName: "a", EventSourceArn: arnOf.bus("bus"), RetentionDays: 2 });
  });
  afterEach(() => jest.restoreAllMocks());

  const startReplay = (ReplayName: string) =>
    ask("StartReplay", {
      ReplayName,
      EventSourceArn: "arn:aws:events:x:1:archive/a",
      EventStartTime: Date.parse(event.time) / 1000 + 0.5,
      EventEndTime: Date.parse(event.time) / 1000 + 60,
      Destination: { Arn: arnOf.bus("bus") },
    });
  const stateOf = async (ReplayName: string) => (await ask("DescribeReplay", { ReplayName })).State;

  it("an event is dropped when its retention is over", async () => {
    const now = Date.now();
    archives.record("bus", event);
    const count = async () => (await ask("DescribeArchive", { ArchiveName: "a" })).EventCount;
    jest.spyOn(Date, "now").mockReturnValue(now + 2 * 86_400_000 - 1000);
    expect(await count()).toBe(1);
    jest.spyOn(Date, "now").mockReturnValue(now + 2 * 86_400_000 + 1000);
    expect(await count()).toBe(0);
  });

  it("an archive keeps a number and an amount of events, and the newest whatever its size", async () => {
    const kept = async () => {
      const { EventCount, SizeBytes } = await ask("DescribeArchive", { ArchiveName: "a" });
      return { EventCount, SizeBytes };
    };
    const size = JSON.stringify(event).length;
    for (let number = 0; number < 20; number += 1) archives.record("bus", event);
    expect(notes).toEqual([]);
    archives.record("bus", event);
    expect(await kept()).toEqual({ EventCount: 20, SizeBytes: 20 * size });
    expect(notes).toEqual([expect.stringContaining("The archive a keeps the newest 20 events here")]);
    const large = (characters: number): Envelope => ({ ...event, detail: { text: "x".repeat(characters) } });
    archives.record("bus", large(9000));
    expect((await kept()).SizeBytes).toBeLessThanOrEqual(10_000);
    archives.record("bus", large(20_000));
    expect((await kept()).EventCount).toBe(1);
    await startReplay("r");
    await until("the replay ends", async () => ((await stateOf("r")) === "COMPLETED" ? true : undefined));
    expect(published).toEqual([{ ...large(20_000), "replay-name": "r" }]);
  });

  it("a list of replays ends: no page of nothing, and no token that is none", async () => {
    archives.record("bus", event);
    await startReplay("r");
    for (const body of [{ Limit: 0 }, { Limit: 101 }, { NextToken: "-1" }, { NextToken: "x" }, { NamePrefix: "/" }]) {
      expect(await ask("ListReplays", body)).toMatchObject({ __type: "ValidationException" });
    }
    expect(await ask("ListReplays", { Limit: 1, NextToken: "1" })).toEqual({ Replays: [] });
    await until("the replay ends", async () => ((await stateOf("r")) === "COMPLETED" ? true : undefined));
  });

  it("a replay that runs is cancelled, and puts nothing more", async () => {
    for (let number = 0; number < 5; number += 1) archives.record("bus", event);
    let answer: unknown;
    whilePublishing = () => {
      whilePublishing = () => undefined;
      void ask("CancelReplay", { ReplayName: "r" }).then((given) => (answer = given));
    };
    expect((await startReplay("r")).State).toBe("STARTING");
    await until("the replay is cancelled", async () => ((await stateOf("r")) === "CANCELLED" ? true : undefined));
    expect(answer).toMatchObject({ State: "CANCELLING" });
    expect(published.length).toBeLessThan(5);
  });

  it("no more than ten replays are active", async () => {
    archives.record("bus", event);
    for (let number = 0; number < 10; number += 1) expect((await startReplay(`r${number}`)).State).toBe("STARTING");
    expect(await startReplay("r10")).toMatchObject({
      __type: "LimitExceededException",
      message: "The requested resource exceeds the maximum number allowed.",
    });
    await until("all end", async () => ((await stateOf("r9")) === "COMPLETED" ? true : undefined));
    expect(published).toHaveLength(10);
  });
});
