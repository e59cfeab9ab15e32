import {
  CreateTemplateCommand,
  SendEmailCommand,
  SendTemplatedEmailCommand,
  type SendTemplatedEmailCommandInput,
  VerifyEmailIdentityCommand,
} from "@aws-sdk/client-ses";
import {
  CreateConfigurationSetCommand,
  CreateConfigurationSetEventDestinationCommand,
  DeleteSuppressedDestinationCommand,
  type EventDestinationDefinition,
  type EventType,
  GetSuppressedDestinationCommand,
  ListSuppressedDestinationsCommand,
  PutConfigurationSetSuppressionOptionsCommand,
  PutSuppressedDestinationCommand,
  SESv2Client,
  type SuppressionListReason,
  UpdateConfigurationSetEventDestinationCommand,
} from "@aws-sdk/client-sesv2";
import { type Envelope, type Mail } from "../../../src/gateway/journal";
import { accountId, arnOf, clientSettings, gatewayForTests, region } from "../../support/gateway";

const sender = "sender@example.com";
const defaultBus = { EventBusArn: arnOf.bus("default") };

const gateway = gatewayForTests();
let sesV2: SESv2Client;
/** A configuration set that tells everything. */
let all: string;
beforeAll(async () => {
  sesV2 = new SESv2Client(clientSettings(gateway.gateway.url));
  await gateway.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: sender }));
  await gateway.ses.send(
    new CreateTemplateCommand({
      Template: { TemplateName: "greeting", SubjectPart: "Hello {{name}}", TextPart: "Hi" },
    }),
  );
  all = await createSet({ types: ["DELIVERY", "BOUNCE", "COMPLAINT", "RENDERING_FAILURE"] });
});
afterEach(() => gateway.setFaults());
afterAll(() => {
  sesV2.destroy();
});
async function createSet({
  types,
  destination = { EventBridgeDestination: defaultBus },
  suppressed,
}: {
  types?: readonly EventType[];
  destination?: EventDestinationDefinition;
  suppressed?: SuppressionListReason[];
} = {}): Promise<string> {
  const name = gateway.name("set");
  await sesV2.send(
    new CreateConfigurationSetCommand({
      ConfigurationSetName: name,
      ...(suppressed === undefined ? {} : { SuppressionOptions: { SuppressedReasons: suppressed } }),
    }),
  );
  if (types !== undefined) {
    await sesV2.send(
      new CreateConfigurationSetEventDestinationCommand({
        ConfigurationSetName: name,
        EventDestinationName: "destination",
        EventDestination: { Enabled: true, MatchingEventTypes: [...types], ...destination },
      }),
    );
  }
  return name;
}

async function send(to: string, changes: Partial<SendTemplatedEmailCommandInput> = {}): Promise<string> {
  const { MessageId = "" } = await gateway.ses.send(
    new SendTemplatedEmailCommand({
      Source: `Sender <${sender}>`,
      Destination: { ToAddresses: [to] },
      Template: "greeting",
      TemplateData: '{"name":"Ann"}',
      ConfigurationSetName: all,
      ...changes,
    }),
  );
  return MessageId;
}

interface Detail {
  readonly eventType: string;
  readonly mail: Readonly<Record<string, unknown>> & { readonly messageId: string };
  readonly bounce?: { readonly bounceType: string; readonly bounceSubType: string };
}

/** SES's events on the default bus about the mail, in their order, when nothing more can come. */
async function eventsOf(messageId: string): Promise<(Envelope & { detail: Detail })[]> {
  await gateway.settle();
  const activity = (await gateway.get("activity")) as { bus: string; event: Envelope & { detail: Detail } }[];
  return activity
    .filter(({ bus, event: { source } }) => bus === "default" && source === "aws.ses")
    .map(({ event }) => event)
    .filter(({ detail }) => detail.mail.messageId === messageId)
    .reverse();
}

const typesOf = async (messageId: string) => (await eventsOf(messageId)).map((event) => event["detail-type"]);

/** What became of a mail to one recipient: its events' types, and why it bounced. */
async function fateOf(messageId: string): Promise<string[]> {
  const events = await eventsOf(messageId);
  return events.map(({ detail: { eventType, bounce } }) =>
    bounce === undefined ? eventType : `${eventType}: ${bounce.bounceType} ${bounce.bounceSubType}`,
  );
}

async function mailOf(messageId: string): Promise<Mail | undefined> {
  const kept = [...(await gateway.mails()), ...((await gateway.get("rendering-failures")) as Mail[])];
  return kept.find(({ id }) => id === messageId);
}

const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;

describe("SES's events reach the rules of the default bus", () => {
  /** What the rule's target gets about a mail to `to`. */
  async function received(to: string, pattern: object, changes: Partial<SendTemplatedEmailCommandInput> = {}) {
    const queue = await gateway.createQueue();
    const rule = await gateway.createRule("default", [{ Id: "queue", Arn: arnOf.queue(queue) }], {
      pattern: { source: ["aws.ses"], ...pattern },
    });
    await gateway.allow(queue, arnOf.rule("default", rule));
    const id = await send(to, changes);
    const { Body = "" } = await gateway.receive(queue);
    await gateway.settle();
    expect(await gateway.messagesIn(queue)).toEqual([]);
    return { id, event: JSON.parse(Body) as Envelope };
  }

  it("a delivery, with all that SES says of a mail, and its tags", async () => {
    const { id, event } = await received(
      "ann@customers.example",
      { detail: { eventType: ["Delivery"], mail: { tags: { notification: ["greeting"] } } } },
      { Tags: [{ Name: "notification", Value: "greeting" }] },
    );
    expect(event).toEqual({
      version: "0",
      id: expect.any(String) as string,
      "detail-type": "Email Delivered",
      source: "aws.ses",
      account: accountId,
      time: timestamp,
      region,
      resources: [`arn:aws:ses:${region}:${accountId}:configuration-set/${all}`],
      detail: {
        eventType: "Delivery",
        mail: {
          timestamp,
          source: `Sender <${sender}>`,
          sourceArn: `arn:aws:ses:${region}:${accountId}:identity/${sender}`,
          sendingAccountId: accountId,
          messageId: id,
          destination: ["ann@customers.example"],
          headersTruncated: false,
          headers: expect.arrayContaining([{ name: "Subject", value: "Hello Ann" }]) as unknown,
          commonHeaders: {
            from: [`Sender <${sender}>`],
            to: ["ann@customers.example"],
            messageId: id,
            subject: "Hello Ann",
          },
          tags: {
            "ses:operation": ["SendTemplatedEmail"],
            "ses:configuration-set": [all],
            "ses:source-ip": ["127.0.0.1"],
            "ses:from-domain": ["example.com"],
            "ses:caller-identity": ["sandbox"],
            notification: ["greeting"],
          },
        },
        delivery: {
          timestamp,
          processingTimeMillis: expect.any(Number) as number,
          recipients: ["ann@customers.example"],
          smtpResponse: expect.stringMatching(/^250 /) as string,
          reportingMTA: expect.any(String) as string,
        },
      },
    });
  });

  it("a bounce", async () => {
    const to = "bounce@simulator.amazonses.com";
    const { event } = await received(to, { "detail-type": ["Email Bounced"] });
    expect(event.detail).toMatchObject({
      eventType: "Bounce",
      bounce: {
        bounceType: "Permanent",
        bounceSubType: "General",
        bouncedRecipients: [
          { emailAddress: to, action: "failed", status: "5.1.1", diagnosticCode: expect.any(String) as string },
        ],
        timestamp,
        feedbackId: expect.stringMatching(/./) as string,
      },
    });
  });

  it("a complaint", async () => {
    const to = "complaint@simulator.amazonses.com";
    const { event } = await received(to, { "detail-type": ["Email Complaint Received"] });
    expect(event.detail).toMatchObject({
      eventType: "Complaint",
      complaint: {
        complainedRecipients: [{ emailAddress: to }],
        timestamp,
        feedbackId: expect.stringMatching(/./) as string,
        complaintFeedbackType: "abuse",
      },
    });
  });

  it("a mail that cannot be rendered, with the reason and the template", async () => {
    const { id, event } = await received(
      "ann@customers.example",
      { "detail-type": ["Email Rendering Failed"], detail: { failure: { templateName: ["greeting"] } } },
      { TemplateData: '{"Name":"Ann"}' },
    );
    expect(event.detail).toMatchObject({
      eventType: "Rendering Failure",
      mail: { messageId: id, destination: ["ann@customers.example"] },
      failure: { templateName: "greeting", errorMessage: expect.stringContaining('"name"') as string },
    });
    expect(await typesOf(id)).toEqual(["Email Rendering Failed"]);
    expect(await mailOf(id)).toMatchObject({ feedback: ["Rendering Failure"] });
  });

  it("one for each recipient, of copies too, by the bare address", async () => {
    const id = await send("", {
      Destination: {
        ToAddresses: ["Ann <ann@customers.example>", "Bounce <bounce@simulator.amazonses.com>"],
        CcAddresses: ["complaint@simulator.amazonses.com"],
        BccAddresses: ["bob@customers.example"],
      },
    });
    const events = await eventsOf(id);
    expect(events.map(({ detail: { mail: _mail, ...detail } }) => detail)).toMatchObject([
      { delivery: { recipients: ["ann@customers.example"] } },
      { bounce: { bouncedRecipients: [{ emailAddress: "bounce@simulator.amazonses.com" }] } },
      { delivery: { recipients: ["complaint@simulator.amazonses.com"] } },
      { complaint: { complainedRecipients: [{ emailAddress: "complaint@simulator.amazonses.com" }] } },
      { delivery: { recipients: ["bob@customers.example"] } },
    ]);
    expect(await mailOf(id)).toMatchObject({ feedback: ["Delivery", "Bounce", "Delivery", "Complaint", "Delivery"] });
  });

  it("tells that it was sent, once a mail and before what became of it, with its tags", async () => {
    const set = await createSet({ types: ["SEND", "DELIVERY", "BOUNCE"] });
    const id = await send("", {
      ConfigurationSetName: set,
      Destination: { ToAddresses: ["ann@customers.example", "bounce@simulator.amazonses.com"] },
      Tags: [{ Name: "recipient", Value: "0123abcd" }],
    });
    const events = await eventsOf(id);
    expect(events.map((event) => event["detail-type"])).toEqual(["Email Sent", "Email Delivered", "Email Bounced"]);
    expect(events[0]?.detail).toMatchObject({
      eventType: "Send",
      mail: { messageId: id, tags: { recipient: ["0123abcd"], "ses:configuration-set": [set] } },
      send: {},
    });
    expect(await mailOf(id)).toMatchObject({ feedback: ["Delivery", "Bounce"] });
  });

  it("of a mail without a template too", async () => {
    const { MessageId: id = "" } = await gateway.ses.send(
      new SendEmailCommand({
        Source: sender,
        Destination: { ToAddresses: ["ann@customers.example"] },
        Message: { Subject: { Data: "Plain" }, Body: { Text: { Data: "Hello." } } },
        ConfigurationSetName: all,
      }),
    );
    const [event, ...others] = await eventsOf(id);
    expect(others).toEqual([]);
    expect(event?.detail).toMatchObject({ eventType: "Delivery", mail: { commonHeaders: { subject: "Plain" } } });
  });
});

describe("an event is told only where the configuration set asks for it", () => {
  const simulated = (local: string) => `${local}@simulator.amazonses.com`;

  it.each<[EventType, string, string, string[]]>([
    ["DELIVERY", simulated("success"), "{}", []],
    ["DELIVERY", simulated("success"), '{"name":"Ann"}', ["Email Delivered"]],
    ["DELIVERY", simulated("complaint"), '{"name":"Ann"}', ["Email Delivered"]],
    ["DELIVERY", simulated("bounce"), '{"name":"Ann"}', []],
    ["BOUNCE", simulated("bounce"), '{"name":"Ann"}', ["Email Bounced"]],
    ["BOUNCE", simulated("success"), '{"name":"Ann"}', []],
    ["COMPLAINT", simulated("complaint"), '{"name":"Ann"}', ["Email Complaint Received"]],
    ["COMPLAINT", simulated("bounce"), '{"name":"Ann"}', []],
    ["RENDERING_FAILURE", simulated("success"), "{}", ["Email Rendering Failed"]],
    ["RENDERING_FAILURE", simulated("success"), '{"name":"Ann"}', []],
    ["SEND", simulated("success"), '{"name":"Ann"}', ["Email Sent"]],
    ["SEND", simulated("bounce"), '{"name":"Ann"}', ["Email Sent"]],
    ["SEND", simulated("success"), "{}", []],
  ])("%s, with a mail to %s and the data %s", async (type, to, data, expected) => {
    const set = await createSet({ types: [type] });
    expect(await typesOf(await send(to, { ConfigurationSetName: set, TemplateData: data }))).toEqual(expected);
  });

  it.each<[string, EventDestinationDefinition]>([
    ["is disabled", { Enabled: false, EventBridgeDestination: defaultBus }],
    ["is a topic", { SnsDestination: { TopicArn: `arn:aws:sns:${region}:${accountId}:topic` } }],
  ])("nothing where the destination %s", async (_, destination) => {
    const set = await createSet({ types: ["BOUNCE"], destination });
    const id = await send(simulated("bounce"), { ConfigurationSetName: set });
    expect(await typesOf(id)).toEqual([]);
    expect(await mailOf(id)).toMatchObject({ feedback: ["Bounce"] });
  });

  it("nothing where it has no destination, or the mail no configuration set", async () => {
    const without = await send(simulated("bounce"), { ConfigurationSetName: await createSet() });
    const none = await send(simulated("bounce"), { ConfigurationSetName: undefined });
    for (const id of [without, none]) {
      expect(await typesOf(id)).toEqual([]);
      expect(await mailOf(id)).toMatchObject({ feedback: ["Bounce"] });
    }
  });

  it("as it asks by then: a destination that is enabled later tells of the mails after that", async () => {
    const destination = { EventBridgeDestination: defaultBus, MatchingEventTypes: ["BOUNCE" as const] };
    const set = await createSet({ types: ["BOUNCE"], destination: { ...destination, Enabled: false } });
    const before = await send(simulated("bounce"), { ConfigurationSetName: set });
    await gateway.settle();
    await sesV2.send(
      new UpdateConfigurationSetEventDestinationCommand({
        ConfigurationSetName: set,
        EventDestinationName: "destination",
        EventDestination: { ...destination, Enabled: true },
      }),
    );
    const after = await send(simulated("bounce"), { ConfigurationSetName: set });
    expect(await typesOf(before)).toEqual([]);
    expect(await typesOf(after)).toEqual(["Email Bounced"]);
  });
});

describe("the mailbox simulator", () => {
  it.each([
    ["success", ["Delivery"]],
    ["bounce", ["Bounce: Permanent General"]],
    ["suppressionlist", ["Bounce: Permanent Suppressed"]],
    ["complaint", ["Delivery", "Complaint"]],
    ["bounce+label", ["Bounce: Permanent General"]],
    ["BOUNCE", ["Bounce: Permanent General"]],
    ["nobody", ["Delivery"]],
  ])("%s@simulator.amazonses.com: %j", async (local, fate) => {
    const address = `${local}@simulator.amazonses.com`;
    expect(await fateOf(await send(address))).toEqual(fate);
    // However often it bounced or complained.
    expect(await fateOf(await send(address))).toEqual(fate);
    expect(await suppressed()).not.toContain(address);
  });

  it("is no other host, whatever its mailbox is called", async () => {
    expect(await fateOf(await send("bounce@customers.example"))).toEqual(["Delivery"]);
    expect(await fateOf(await send("bounce@simulator.amazonses.com.example"))).toEqual(["Delivery"]);
  });
});

const suppress = (EmailAddress: string, Reason: SuppressionListReason) =>
  sesV2.send(new PutSuppressedDestinationCommand({ EmailAddress, Reason }));

const release = (EmailAddress: string) => sesV2.send(new DeleteSuppressedDestinationCommand({ EmailAddress }));

async function suppressed(): Promise<(string | undefined)[]> {
  const { SuppressedDestinationSummaries: summaries = [] } = await sesV2.send(
    new ListSuppressedDestinationsCommand({}),
  );
  return summaries.map(({ EmailAddress }) => EmailAddress);
}

const bySuppression = ["Bounce: Permanent OnAccountSuppressionList"];

describe("the account's suppression list", () => {
  const read = (EmailAddress: string) => sesV2.send(new GetSuppressedDestinationCommand({ EmailAddress }));

  it("keeps an address and its reason until it is taken off", async () => {
    const address = "kept+label@customers.example";
    await suppress(address, "COMPLAINT");
    const { SuppressedDestination: entry } = await read(address);
    expect(entry).toMatchObject({ EmailAddress: address, Reason: "COMPLAINT" });
    expect(entry?.LastUpdateTime).toBeInstanceOf(Date);
    expect(entry?.LastUpdateTime?.getFullYear()).toBe(new Date().getFullYear());
    expect(await suppressed()).toContain(address);
    await suppress(address, "BOUNCE");
    expect(await read(address)).toMatchObject({ SuppressedDestination: { Reason: "BOUNCE" } });
    await release(address);
    expect(await suppressed()).not.toContain(address);
    const absent = { name: "NotFoundException", message: expect.stringContaining(address) as string };
    await expect(read(address)).rejects.toMatchObject(absent);
    await expect(release(address)).rejects.toMatchObject(absent);
  });

  it("tells addresses apart, and not by their case", async () => {
    await suppress("Case@customers.example", "BOUNCE");
    await expect(read("case@CUSTOMERS.example")).resolves.toHaveProperty("SuppressedDestination.Reason", "BOUNCE");
    await expect(read("acase@customers.example")).rejects.toMatchObject({ name: "NotFoundException" });
    await release("CASE@customers.example");
    await expect(read("Case@customers.example")).rejects.toMatchObject({ name: "NotFoundException" });
  });

  it.each<SuppressionListReason>(["BOUNCE", "COMPLAINT"])(
    "lets a mail to an address on it be accepted, and bounce: %s",
    async (reason) => {
      const address = `${gateway.name("suppressed")}@customers.example`;
      expect(await fateOf(await send(address))).toEqual(["Delivery"]);
      await suppress(address, reason);
      const id = await send(address.toUpperCase());
      expect(await fateOf(id)).toEqual(bySuppression);
      expect(await mailOf(id)).toMatchObject({ feedback: ["Bounce"] });
      await release(address);
      expect(await fateOf(await send(address))).toEqual(["Delivery"]);
    },
  );

  it("stops the recipient that is on it alone", async () => {
    const address = `${gateway.name("suppressed")}@customers.example`;
    await suppress(address, "BOUNCE");
    const Destination = { ToAddresses: ["free@customers.example", `Name <${address}>`] };
    expect(await fateOf(await send("", { Destination }))).toEqual(["Delivery", ...bySuppression]);
  });

  it.each<[SuppressionListReason, SuppressionListReason[] | undefined, string[]]>([
    ["BOUNCE", undefined, bySuppression],
    ["COMPLAINT", undefined, bySuppression],
    ["BOUNCE", ["BOUNCE", "COMPLAINT"], bySuppression],
    ["BOUNCE", ["BOUNCE"], bySuppression],
    ["BOUNCE", ["COMPLAINT"], ["Delivery"]],
    ["COMPLAINT", ["COMPLAINT"], bySuppression],
    ["COMPLAINT", ["BOUNCE"], ["Delivery"]],
    ["BOUNCE", [], ["Delivery"]],
    ["COMPLAINT", [], ["Delivery"]],
  ])("is read as the configuration set says: %s, where it suppresses %j", async (reason, reasons, fate) => {
    const address = `${gateway.name("suppressed")}@customers.example`;
    await suppress(address, reason);
    const types: EventType[] = ["DELIVERY", "BOUNCE"];
    const created = await createSet({ types, ...(reasons === undefined ? {} : { suppressed: reasons }) });
    expect(await fateOf(await send(address, { ConfigurationSetName: created }))).toEqual(fate);
    if (reasons === undefined) return;
    const changed = await createSet({ types, suppressed: ["BOUNCE", "COMPLAINT"] });
    await sesV2.send(
      new PutConfigurationSetSuppressionOptionsCommand({ ConfigurationSetName: changed, SuppressedReasons: reasons }),
    );
    expect(await fateOf(await send(address, { ConfigurationSetName: changed }))).toEqual(fate);
  });

  it("is read by a mail without a configuration set too", async () => {
    const address = `${gateway.name("suppressed")}@customers.example`;
    await suppress(address, "COMPLAINT");
    const id = await send(address, { ConfigurationSetName: undefined });
    expect(await mailOf(id)).toMatchObject({ feedback: ["Bounce"] });
  });
});

describe("a bounce as a fault of ses", () => {
  it("puts the address that it matches on the suppression list, which bounces the next mail", async () => {
    const address = `${gateway.name("gone")}@customers.example`;
    await gateway.setFaults({ service: "ses", kind: "bounce", times: 1, match: { recipient: address } });
    const Destination = { ToAddresses: ["free@customers.example", address] };
    expect(await fateOf(await send("", { Destination }))).toEqual(["Delivery", "Bounce: Permanent General"]);
    expect(await gateway.hits()).toEqual([1]);
    expect(await suppressed()).toContain(address);
    expect(await suppressed()).not.toContain("free@customers.example");
    expect(await fateOf(await send(address))).toEqual(bySuppression);
  });

  it.each<[SuppressionListReason[], boolean]>([
    [["BOUNCE"], true],
    [["COMPLAINT"], false],
    [[], false],
  ])("fills the list as the configuration set says, which suppresses %j: %s", async (reasons, isListed) => {
    const address = `${gateway.name("gone")}@customers.example`;
    const set = await createSet({ types: ["DELIVERY", "BOUNCE"], suppressed: reasons });
    await gateway.setFaults({ service: "ses", kind: "bounce" });
    expect(await fateOf(await send(address, { ConfigurationSetName: set }))).toEqual(["Bounce: Permanent General"]);
    expect((await suppressed()).includes(address)).toBe(isListed);
  });

  it.each([
    ["operation", { operation: "SendTemplatedEmail" }, { operation: "SendEmail" }],
    ["text", { text: "sender@example.com" }, { text: "nobody@example.com" }],
    ["event's id", { eventId: "e-1" }, { eventId: "e-2" }],
  ])("is for the mail whose %s it names", async (_, match, other) => {
    const address = `${gateway.name("gone")}@customers.example`;
    const mailIt = () => send(address, { Tags: [{ Name: "eventId", Value: "e-1" }] });
    await gateway.setFaults({ service: "ses", kind: "bounce", match: other });
    expect(await fateOf(await mailIt())).toEqual(["Delivery"]);
    await gateway.setFaults({ service: "ses", kind: "bounce", match });
    expect(await fateOf(await mailIt())).toEqual(["Bounce: Permanent General"]);
  });

  it("leaves the mailbox simulator as it is", async () => {
    await gateway.setFaults({ service: "ses", kind: "bounce" });
    expect(await fateOf(await send("success@simulator.amazonses.com"))).toEqual(["Delivery"]);
    expect(await gateway.hits()).toEqual([0]);
  });
});
