import { type SendQuota } from "@aws-sdk/client-sesv2";
import {
  CreateEmailIdentityCommand,
  CreateConfigurationSetEventDestinationCommand,
  DeleteConfigurationSetCommand,
  DeleteConfigurationSetEventDestinationCommand,
  DeleteEmailIdentityCommand,
  type EventDestinationDefinition,
  type GetAccountCommandOutput,
  PutConfigurationSetSendingOptionsCommand,
  PutConfigurationSetSuppressionOptionsCommand,
  UpdateConfigurationSetEventDestinationCommand,
} from "@aws-sdk/client-sesv2";
import { CreateTemplateCommand, DeleteTemplateCommand, UpdateTemplateCommand } from "@aws-sdk/client-ses";
import { catalogue } from "../../../handler/notifications";
import { editionKey, editionsOf } from "../../../handler/notifications/editions";
import { emailRequest } from "../../../handler/notifications/email-request";
import { type DoctorStage, runChecks } from "../../../operations/doctor/check";
import { checkAccess, checkQuota, emailChecks } from "../../../operations/doctor/email";
import { type Config } from "../../../stacks/config";
import { loadTemplate, storedTemplateName } from "../../../stacks/templates/load";
import { type Template } from "../../../stacks/templates/render";
import { deployEmail, DoctorWorld, eventDestination } from "./doctor-world";
import { exampleAccountId } from "../../../stacks/stages";

let world: DoctorWorld;
beforeAll(async () => {
  world = await DoctorWorld.start();
});
afterEach(() => {
  world.reset();
});
afterAll(async () => {
  await world.stop();
});

const deploy = "Deploy the stack again: npm run deploy.";

async function deployed(overrides: Partial<Config> = {}): Promise<DoctorStage> {
  const stage = world.stage(overrides);
  await deployEmail(stage, world.clients);
  return stage;
}

it("finds a stage in order, and in the sandbox what is not emulated", async () => {
  const stage = { ...(await deployed()), isSandbox: true };
  const results = await runChecks(emailChecks(stage, world.clients), stage);
  expect(results.map(({ check, status }) => [check, status])).toEqual([
    ["Sender verified", "ok"],
    ["SES sandbox", "unknown"],
    ["Send rate and quota", "unknown"],
    ...catalogue.flatMap((each) => editionsOf(each).map((edition) => [`Template ${editionKey(each, edition)}`, "ok"])),
    ["Configuration set", "ok"],
    ["SES's events", "ok"],
  ]);
  expect(results.filter(({ finding }) => finding.startsWith("The sandbox does not emulate it"))).toHaveLength(2);
});

it("tells how to deploy to the sandbox where it is that", async () => {
  const stage = world.stage({}, true);
  expect(await world.ask(stage, "Configuration set")).toMatch(
    /> Deploy the stack again \(docs\/deploy\.md, "Try a deployment in the sandbox"\)\.$/,
  );
});

describe("the identities", () => {
  const ask = (stage: DoctorStage) => world.ask(stage, "Sender verified");

  it("are good where SES has verified all of them", async () => {
    const stage = await deployed();
    const { senders, recipients } = stage.config;
    const [{ identity }] = senders;
    expect(await ask(stage)).toBe(`ok: ${identity.value}, ${recipients[0]}: verified.`);
  });

  it.each(["sender", "recipient"])("fail where the %s's is gone", async (who) => {
    const stage = await deployed();
    const { senders, recipients } = stage.config;
    const [{ identity }] = senders;
    const address = who === "sender" ? identity.value : recipients[0];
    await world.clients.sesV2.send(new DeleteEmailIdentityCommand({ EmailIdentity: address }));
    expect(await ask(stage)).toBe(`fail: SES has no identity ${address} (the ${who}). > ${deploy}`);
  });

  const click =
    "Click the link in SES's mail to it; after 24 hours it is void: delete the identity in SES and deploy again.";
  it.each([
    ["fail", "sender", "PENDING"],
    ["fail", "sender", "FAILED"],
    ["warn", "recipient", "PENDING"],
    ["warn", "recipient", "FAILED"],
  ])("%s where the %s's is %s", async (status, who, verification) => {
    const stage = await deployed();
    const { senders, recipients } = stage.config;
    const [{ identity }] = senders;
    const address = who === "sender" ? identity.value : recipients[0];
    world.answerJson(new RegExp(`^GET /v2/email/identities/${address} `), {
      IdentityType: "EMAIL_ADDRESS",
      VerifiedForSendingStatus: false,
      VerificationStatus: verification,
    });
    expect(await ask(stage)).toBe(`${status}: ${address} (the ${who}) is not verified: ${verification}. > ${click}`);
  });

  it("fail with the words of the sender only where the recipient is unverified, too", async () => {
    const stage = await deployed();
    world.answerJson(/^GET \/v2\/email\/identities\//, { VerifiedForSendingStatus: false });
    expect(await ask(stage)).toBe(
      `fail: ${stage.config.senders[0].identity.value} (the sender) is not verified: no status. > ${click}`,
    );
  });

  it("of a domain want DNS records, not a click", async () => {
    const stage = world.stage();
    const config: Config = {
      ...stage.config,
      senders: [{ ...stage.config.senders[0], identity: { kind: "domain", value: "shop.example" } }],
    };
    world.answerJson(/^GET \/v2\/email\/identities\/shop\.example /, { VerificationStatus: "PENDING" });
    expect(await ask({ ...stage, config: { ...config, sesSandbox: false } })).toBe(
      "fail: shop.example (the sender) is not verified: PENDING. > Make the DKIM records in DNS (output dns_records).",
    );
  });

  it("are those of every sender, each once, with the names of its senders", async () => {
    const stage = await deployed({ sesSandbox: false });
    const [sender] = stage.config.senders;
    const shared = { kind: "domain", value: "mail.example" } as const;
    const senders: Config["senders"] = [
      sender,
      { name: "alerts", address: "alerts@mail.example", identity: shared },
      { name: "billing", address: "billing@mail.example", identity: shared },
    ];
    const several = { ...stage, config: { ...stage.config, senders } };
    expect(await ask(several)).toBe(`fail: SES has no identity mail.example (the sender alerts, billing). > ${deploy}`);
    await world.clients.sesV2.send(new CreateEmailIdentityCommand({ EmailIdentity: "mail.example" }));
    world.answerJson(/^GET \/v2\/email\/identities\/mail\.example /, { VerifiedForSendingStatus: true });
    expect(await ask(several)).toBe(`ok: ${sender.identity.value}, mail.example: verified.`);
  });

  it("of recipients matter in the SES sandbox only", async () => {
    const stage = await deployed({ sesSandbox: false });
    const [address] = stage.config.recipients;
    await world.clients.sesV2.send(new DeleteEmailIdentityCommand({ EmailIdentity: address }));
    expect(await ask(stage)).toBe(`ok: ${stage.config.senders[0].identity.value}: verified.`);
  });

  it("are unknown where SES does not say", async () => {
    const stage = await deployed();
    world.answerJson(/identities/, { __type: "AccessDeniedException", message: "You may not." }, 403);
    expect(await ask(stage)).toBe(
      "unknown: AccessDeniedException: You may not. > Run it with a role that may read this.",
    );
  });
});

describe("the account", () => {
  const inSandbox = { ProductionAccessEnabled: false, SendingEnabled: true, EnforcementStatus: "HEALTHY" };
  const inProduction = { ...inSandbox, ProductionAccessEnabled: true };
  it.each<[string, Partial<GetAccountCommandOutput>, boolean, string, RegExp]>([
    ["is good in the SES sandbox that the stage expects", inSandbox, true, "ok", /^In the SES sandbox, as/],
    ["is good out of the SES sandbox that the stage does not expect", inProduction, false, "ok", /^Out of the SES/],
    ["fails in a SES sandbox that the stage does not expect", inSandbox, false, "fail", /does not expect it/],
    ["is in the SES sandbox where SES does not say", {}, false, "fail", /does not expect it/],
    [
      "warns out of the SES sandbox that the stage expects",
      inProduction,
      true,
      "warn",
      /still verifies its recipients/,
    ],
    ["warns under review", { ...inProduction, EnforcementStatus: "PROBATION" }, false, "warn", /under review/],
    ["warns under review in the SES sandbox", { ...inSandbox, EnforcementStatus: "PROBATION" }, true, "warn", /review/],
    [
      "fails for the sandbox before it warns of a review",
      { ...inSandbox, EnforcementStatus: "PROBATION" },
      false,
      "fail",
      /does not expect it/,
    ],
    ["fails where SES has shut it down", { ...inProduction, EnforcementStatus: "SHUTDOWN" }, false, "fail", /SHUTDOWN/],
  ])("%s", (_, account, expectsSandbox, status, finding) => {
    expect(checkAccess(account, expectsSandbox)).toMatchObject({
      status,
      finding: expect.stringMatching(finding) as string,
    });
  });

  it("fails where a person has paused it, with the way back", () => {
    expect(checkAccess({ ...inProduction, SendingEnabled: false }, false)).toEqual({
      status: "fail",
      finding: "Sending is paused for the account.",
      todo: expect.stringContaining("aws sesv2 put-account-sending-attributes --sending-enabled") as string,
    });
  });

  it("is asked for once", async () => {
    const stage = { ...world.stage(), isSandbox: false };
    world.answerJson(/^GET \/v2\/email\/account /, {
      ...inSandbox,
      SendQuota: { MaxSendRate: 1, Max24HourSend: 200, SentLast24Hours: 0 },
    });
    const results = await runChecks(emailChecks(stage, world.clients), stage);
    expect(results.filter(({ check }) => /^SES sandbox|quota/.test(check))).toMatchObject([
      { check: "SES sandbox", status: "ok" },
      {
        check: "Send rate and quota",
        status: "fail",
        todo: expect.stringContaining("sendRatePerSecond: 1 ") as string,
      },
    ]);
    expect(world.countCalls(/^GET \/v2\/email\/account /)).toBe(1);
  });
});

describe("the quota", () => {
  const quota = (rate: number, daily: number, sent?: number): SendQuota => ({
    MaxSendRate: rate,
    Max24HourSend: daily,
    ...(sent === undefined ? {} : { SentLast24Hours: sent }),
  });
  const shares = "standard 11.2/s (3 runs at once), priority 2.8/s (3 runs at once)";

  it.each<[string, SendQuota, string, string, string | undefined]>([
    [
      "is good where the stage uses all of it",
      quota(14, 50_000, 10),
      "ok",
      `14/s, the stage uses 14/s: ${shares}; 10 of 50000 mails in 24 hours.`,
      undefined,
    ],
    [
      "is good where the stage uses less",
      quota(20, 50_000),
      "ok",
      `20/s, the stage uses 14/s: ${shares}; 0 of 50000 mails in 24 hours.`,
      undefined,
    ],
    [
      "fails where the stage is built for more",
      quota(13, 50_000, 10),
      "fail",
      `SES takes 13 mails a second and the stage is built for 14: ${shares}.`,
      "Set sendRatePerSecond: 13 in stacks/stages.ts, or ask SES for more.",
    ],
    [
      "is good just below 80 % of a day's",
      quota(14, 1000, 799),
      "ok",
      `14/s, the stage uses 14/s: ${shares}; 799 of 1000 mails in 24 hours.`,
      undefined,
    ],
    [
      "warns at 80 % of a day's",
      quota(14, 1000, 800),
      "warn",
      "800 of 1000 mails in 24 hours.",
      "Ask SES for a higher daily quota, before mail has to wait.",
    ],
    [
      "warns just below 95 %",
      quota(14, 1000, 949),
      "warn",
      "949 of 1000 mails in 24 hours.",
      "Ask SES for a higher daily quota, before mail has to wait.",
    ],
    [
      "fails at 95 %",
      quota(14, 1000, 950),
      "fail",
      "950 of 1000 mails in 24 hours.",
      "Ask SES for a higher daily quota; until then mail waits for its retries.",
    ],
    [
      "is good where a day has no limit",
      quota(14, -1, 9_000_000),
      "ok",
      `14/s, the stage uses 14/s: ${shares}; 9000000 of unlimited mails in 24 hours.`,
      undefined,
    ],
  ])("%s", (_, given, status, finding, todo) => {
    expect(checkQuota(given, { sendRatePerSecond: 14, timeoutSeconds: 30 })).toEqual({
      status,
      finding,
      ...(todo === undefined ? {} : { todo }),
    });
  });

  it("fails for rate and day at once, and gives both pieces of advice", () => {
    expect(checkQuota(quota(1, 200, 200), { sendRatePerSecond: 14, timeoutSeconds: 30 })).toEqual({
      status: "fail",
      finding: `SES takes 1 mails a second and the stage is built for 14: ${shares}. 200 of 200 mails in 24 hours.`,
      todo: "Set sendRatePerSecond: 1 in stacks/stages.ts, or ask SES for more. Ask SES for a higher daily quota; until then mail waits for its retries.",
    });
  });

  it.each([undefined, {}, { MaxSendRate: 1 }, { Max24HourSend: 200 }])(
    "is unknown where SES says %j",
    async (given) => {
      world.answerJson(/^GET \/v2\/email\/account /, { SendQuota: given });
      expect(await world.ask(world.stage(), "Send rate and quota")).toBe(
        "unknown: Error: SES tells no quota. > Look at the reason; AWS may be at fault.",
      );
    },
  );
});

describe("a template", () => {
  const here = loadTemplate(emailRequest);
  const ask = (stage: DoctorStage) => world.ask(stage, `Template ${emailRequest.id}`);
  const nameIn = ({ names }: DoctorStage) => storedTemplateName(names.prefix, emailRequest);

  async function stageWith(changed: Partial<Template>): Promise<DoctorStage> {
    const stage = await deployed();
    const { subject, html, text } = { ...here, ...changed };
    await world.clients.ses.send(
      new UpdateTemplateCommand({
        Template: { TemplateName: nameIn(stage), SubjectPart: subject, HtmlPart: html, TextPart: text },
      }),
    );
    return stage;
  }

  it.each(catalogue.map(({ id }) => id))("%s is good as it is in the checkout", async (id) => {
    expect(await world.ask(await deployed(), `Template ${id}`)).toBe(
      "ok: Stored as in this checkout, and renders its sample.",
    );
  });

  it("is waited for where SES throttles", async () => {
    const stage = await deployed();
    await world.gateway.setFaults(
      ...["GetTemplate", "TestRenderTemplate"].map(
        (operation) => ({ service: "ses", kind: "throttle", times: 1, match: { operation } }) as const,
      ),
    );
    expect(await ask(stage)).toMatch(/^ok: /);
    expect(await world.gateway.hits()).toEqual([1, 1]);
    await world.gateway.setFaults();
  });

  it("fails where it is gone, and leaves the others good", async () => {
    const stage = await deployed();
    await world.clients.ses.send(new DeleteTemplateCommand({ TemplateName: nameIn(stage) }));
    expect(await ask(stage)).toBe(
      `fail: ${nameIn(stage)} is not there: its mail waits for a deployment (TemplateMissing), and is parked after hours. > ${deploy}`,
    );
    expect(await world.ask(stage, "Template priority-alert")).toMatch(/^ok: /);
  });

  it("warns where the stage has another version of it, by name", async () => {
    const stage = await deployed();
    const other = nameIn(stage).replace(/[0-9a-f]{8}$/, "0123abcd");
    await world.clients.ses.send(new DeleteTemplateCommand({ TemplateName: nameIn(stage) }));
    await world.clients.ses.send(
      new CreateTemplateCommand({
        Template: { TemplateName: other, SubjectPart: here.subject, HtmlPart: here.html, TextPart: here.text },
      }),
    );
    expect(await ask(stage)).toBe(
      `warn: The stored template is not that of this checkout: ${other}, and here it is ${nameIn(stage)}. > ${deploy} Or check out what is deployed.`,
    );
  });

  it.each<[string, Partial<Template>]>([
    ["subject", { subject: "An older {{subject.subject}}" }],
    ["html", { html: `${here.html}<!-- older -->` }],
    ["text", { text: here.text.trimEnd() }],
    [
      "subject, html, text",
      { subject: "Old {{subject.subject}}", html: "<p>{{html.title}}</p>", text: "{{text.title}}" },
    ],
  ])("warns where the %s is another than in the checkout", async (parts, changed) => {
    expect(await ask(await stageWith(changed))).toBe(
      `warn: The stored template is not that of this checkout (${parts}). > ${deploy} Or check out what is deployed.`,
    );
  });

  it("fails where it reads what the mapping does not supply", async () => {
    const stage = await stageWith({ text: "Dear {{name}}" });
    expect(await ask(stage)).toMatch(
      /^fail: It does not render its sample: Attribute 'name' is not present in .* Such mail is accepted and lost\. > Deploy/,
    );
  });

  it("fails where it renders to nothing", async () => {
    const stage = await deployed();
    world.answerXml(
      /Action=TestRenderTemplate&/,
      "<TestRenderTemplateResponse><TestRenderTemplateResult><RenderedTemplate></RenderedTemplate></TestRenderTemplateResult></TestRenderTemplateResponse>",
    );
    expect(await ask(stage)).toBe(`fail: It renders to nothing. > ${deploy}`);
  });

  it("is unknown where SES renders nothing for another reason", async () => {
    const stage = await deployed();
    world.answerXml(
      /Action=TestRenderTemplate&/,
      "<ErrorResponse><Error><Code>ServiceUnavailable</Code><Message>Try later</Message></Error></ErrorResponse>",
      400,
    );
    expect(await ask(stage)).toBe("unknown: ServiceUnavailable: Try later > Look at the reason; AWS may be at fault.");
  });
});

describe("the configuration set", () => {
  const ask = (stage: DoctorStage) => world.ask(stage, "Configuration set");
  const setOf = ({ names }: DoctorStage) => names.of("notifications");

  it("is good where it sends, and suppresses", async () => {
    const stage = await deployed();
    expect(await ask(stage)).toBe(`ok: ${setOf(stage)}: sending is on, bounces and complaints are suppressed.`);
  });

  it("fails where it is gone", async () => {
    const stage = await deployed();
    await world.clients.sesV2.send(new DeleteConfigurationSetCommand({ ConfigurationSetName: setOf(stage) }));
    expect(await ask(stage)).toBe(
      `fail: ${setOf(stage)} is not there: mail waits for a deployment (ConfigurationSetMissing), and is parked after hours. > ${deploy}`,
    );
  });

  it("fails where its sending is paused, with the way back", async () => {
    const stage = await deployed();
    const set = setOf(stage);
    await world.clients.sesV2.send(
      new PutConfigurationSetSendingOptionsCommand({ ConfigurationSetName: set, SendingEnabled: false }),
    );
    expect(await ask(stage)).toBe(
      `fail: Sending is paused for ${set}. > Find out who paused it, then: aws sesv2 put-configuration-set-sending-options --configuration-set-name ${set} --sending-enabled`,
    );
  });

  it.each<[string, ("BOUNCE" | "COMPLAINT")[]]>([
    ["BOUNCE", ["COMPLAINT"]],
    ["COMPLAINT", ["BOUNCE"]],
    ["BOUNCE and COMPLAINT", []],
  ])("warns where nothing is suppressed after %s", async (missing, reasons) => {
    const stage = await deployed();
    await world.clients.sesV2.send(
      new PutConfigurationSetSuppressionOptionsCommand({
        ConfigurationSetName: setOf(stage),
        SuppressedReasons: reasons,
      }),
    );
    expect(await ask(stage)).toBe(`warn: Addresses are not suppressed after ${missing}. > ${deploy}`);
  });
});

describe("the event destination", () => {
  const ask = (stage: DoctorStage) => world.ask(stage, "SES's events");
  const nameIn = ({ names }: DoctorStage) => names.of("feedback");

  async function stageWith(changed: EventDestinationDefinition): Promise<DoctorStage> {
    const stage = await deployed();
    await world.clients.sesV2.send(
      new UpdateConfigurationSetEventDestinationCommand({
        ConfigurationSetName: stage.names.of("notifications"),
        EventDestinationName: nameIn(stage),
        EventDestination: changed,
      }),
    );
    return stage;
  }

  it("is good where it is on, for all events, to EventBridge", async () => {
    const stage = await deployed();
    expect(await ask(stage)).toBe(`ok: ${nameIn(stage)} tells EventBridge of 7 kinds of events.`);
  });

  it("fails where there is another only", async () => {
    const stage = await deployed();
    const ConfigurationSetName = stage.names.of("notifications");
    await world.clients.sesV2.send(
      new DeleteConfigurationSetEventDestinationCommand({ ConfigurationSetName, EventDestinationName: nameIn(stage) }),
    );
    await world.clients.sesV2.send(
      new CreateConfigurationSetEventDestinationCommand({
        ConfigurationSetName,
        EventDestinationName: "somebody-elses",
        EventDestination: eventDestination,
      }),
    );
    expect(await ask(stage)).toBe(
      `fail: There is no event destination ${nameIn(stage)}: bounces stay unseen. > ${deploy}`,
    );
  });

  it("fails where there is no configuration set", async () => {
    const stage = world.stage();
    world.answerJson(/event-destinations/, { __type: "NotFoundException", message: "No set." }, 404);
    expect(await ask(stage)).toBe(
      `fail: There is no event destination ${nameIn(stage)}: bounces stay unseen. > ${deploy}`,
    );
  });

  const { EventBridgeDestination: _bridge, ...nowhere } = eventDestination;
  it.each<[string, EventDestinationDefinition, string]>([
    ["is off", { ...eventDestination, Enabled: false }, "The event destination %s is off: bounces stay unseen."],
    [
      "lacks kinds of events",
      {
        ...eventDestination,
        MatchingEventTypes: ["SEND", "COMPLAINT", "REJECT", "DELIVERY_DELAY", "DELIVERY", "OPEN"],
      },
      "%s does not tell of BOUNCE, RENDERING_FAILURE.",
    ],
    [
      "leads elsewhere",
      { ...nowhere, SnsDestination: { TopicArn: `arn:aws:sns:us-east-1:${exampleAccountId}:t` } },
      "%s does not lead to EventBridge.",
    ],
  ])("fails where it %s", async (_, changed, finding) => {
    const stage = await stageWith(changed);
    expect(await ask(stage)).toBe(`fail: ${finding.replace("%s", nameIn(stage))} > ${deploy}`);
  });
});
