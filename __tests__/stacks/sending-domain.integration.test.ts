import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { SesTemplate } from "@cdktf/provider-aws/lib/ses-template";
import { GetConfigurationSetCommand, GetEmailIdentityCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { awsClientConfig } from "aws-emulator/client-config";
import { TestGateway } from "aws-emulator/testing/gateway";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { App, TerraformOutput, TerraformStack } from "cdktf";
import { baseEnvironment, sandboxEnvironment, Terraform } from "../../sandbox/terraform";
import { resolveProviders } from "../../sandbox/tools";
import { Arns } from "../../stacks/arns";
import { type Config } from "../../stacks/config";
import { EmailSender } from "../../stacks/constructs/email-sender";
import { SendingDomains } from "../../stacks/constructs/sending-domain";
import { zoneFile } from "../../stacks/dns-records";
import { Names } from "../../stacks/names";
import { exampleAccountId } from "../../stacks/stages";
import { callRoute53, createHostedZone } from "../support/hosted-zone";
import { describeWith } from "../support/requires";
import { withStage } from "../support/stack";

/** The part of a stage that SES and Route 53 see, in the hands of the real Terraform and the real AWS provider. */

const region = "eu-west-1";

/** They stand for the templates of a large catalogue, which Terraform makes ten at once. */
const templates = ["one", "two", "three", "four"];

class MailStack extends TerraformStack {
  constructor(app: App, id: string, config: Config) {
    super(app, id);
    new AwsProvider(this, "aws", { region });
    const names = new Names(config);
    const sender = new EmailSender(this, "email-sender", {
      names,
      arns: new Arns({ partition: "aws", region, accountId: exampleAccountId, names }),
      senders: config.senders,
      madeIdentities: config.madeIdentities,
      recipientPolicy: config.recipientPolicy,
      recipientIdentities: [],
      templates: [],
      tracking: config.tracking,
      deletionProtection: false,
    });
    for (const name of templates) new SesTemplate(this, name, { name, subject: "Hello", text: "Hello." });
    const { toDo } = new SendingDomains(this, "sending-domains", { config, sender });
    new TerraformOutput(this, "dns_zone_file", { value: zoneFile(toDo) }).overrideLogicalId("dns_zone_file");
  }
}

describeWith(["terraform", "awsProvider"], "a sending domain with the real provider", (tools) => {
  let gateway: TestGateway;
  let ses: SESv2Client;
  beforeAll(async () => {
    gateway = await TestGateway.start({ region });
    ses = new SESv2Client(awsClientConfig(gateway.gateway.url, region));
  });
  afterAll(async () => {
    ses.destroy();
    await gateway.stop();
  });

  /** The zone's records, without those that every zone has: `<name> <type> <value>`. */
  async function recordsIn(zone: string): Promise<string[]> {
    const text = await callRoute53(gateway.gateway.url, "GET", `hostedzone/${zone}/rrset`);
    return [...text.matchAll(/<ResourceRecordSet>.*?<\/ResourceRecordSet>/gs)]
      .map(([record]) =>
        ["Name", "Type", "Value"].map((tag) => new RegExp(`<${tag}>(.*?)</${tag}>`).exec(record)?.[1] ?? "").join(" "),
      )
      .map((text) => text.replaceAll("&quot;", '"'))
      .filter((record) => !/ (NS|SOA) /.test(record));
  }

  function terraformOf(config: Config): Terraform {
    const outdir = temporaryFolder();
    const app = new App({ outdir });
    new MailStack(app, "mail", config);
    app.synth();
    const workDirectory = join(outdir, "work");
    mkdirSync(workDirectory);
    const { environment } = resolveProviders({
      terraform: tools.terraform.value,
      awsMirror: tools.awsProvider,
      // This stack does not use the archive provider, so any mirror will do.
      archiveMirror: tools.awsProvider,
      workDirectory,
    });
    return new Terraform({
      binary: tools.terraform.value,
      directory: join(outdir, "stacks", "mail"),
      environment: { ...baseEnvironment(environment), ...sandboxEnvironment(gateway.gateway.url, region) },
    });
  }

  it("makes MAIL FROM, tracking, Route 53 records, and templates at SES's rate, and takes all of it back", async () => {
    const zoneId = await createHostedZone(gateway.gateway.url, "example.com");
    const config = withStage(
      {
        // The domain of this sender has no zone.
        senders: { alerts: { address: "alerts@example.org", identity: "domain" } },
        sendingDomains: {
          "example.com": {
            zoneId,
            mailFrom: { subdomain: "mail", onMxFailure: "REJECT_MESSAGE" },
            dmarc: { policy: "quarantine", reportsTo: `${"d".repeat(64)}@${"reports.".repeat(20)}example.com` },
          },
        },
        tracking: { domain: "click.example.com", httpsPolicy: "REQUIRE", target: "d1.cloudfront.net" },
      },
      { SENDER_IDENTITY: "domain", AWS_REGION: region },
    );
    const terraform = terraformOf(config);
    await terraform.init();
    await terraform.validate();
    // SES makes one a second. This is slower, so that the calls meet the rate on a slow machine, too.
    const rate = { service: "ses", kind: "throttle", perSecond: 0.25, match: { operation: "CreateTemplate" } } as const;
    await gateway.setFaults(rate);
    await terraform.apply();
    const [throttled] = await gateway.hits();
    expect(throttled).toBeGreaterThan(0);
    await gateway.setFaults();

    const identity = await ses.send(new GetEmailIdentityCommand({ EmailIdentity: "example.com" }));
    const tokens = identity.DkimAttributes?.Tokens ?? [];
    expect(tokens).toHaveLength(3);
    expect(identity.MailFromAttributes).toMatchObject({
      MailFromDomain: "mail.example.com",
      BehaviorOnMxFailure: "REJECT_MESSAGE",
    });
    const set = await ses.send(
      new GetConfigurationSetCommand({ ConfigurationSetName: new Names(config).configurationSet }),
    );
    expect(set.TrackingOptions).toEqual({ CustomRedirectDomain: "click.example.com", HttpsPolicy: "REQUIRE" });
    const policy = `v=DMARC1; p=quarantine; rua=mailto:${"d".repeat(64)}@${"reports.".repeat(20)}example.com`;
    expect((await recordsIn(zoneId)).sort()).toEqual(
      [
        ...tokens.map((token) => `${token}._domainkey.example.com. CNAME ${token}.dkim.amazonses.com`),
        "mail.example.com. MX 10 feedback-smtp.eu-west-1.amazonses.com",
        'mail.example.com. TXT "v=spf1 include:amazonses.com ~all"',
        // A text of more than 255 characters is two strings.
        `_dmarc.example.com. TXT "${policy.slice(0, 255)}""${policy.slice(255)}"`,
        "click.example.com. CNAME d1.cloudfront.net",
      ].sort(),
    );
    expect(await terraform.findChanges()).toBeUndefined();

    const { DkimAttributes: dkim } = await ses.send(new GetEmailIdentityCommand({ EmailIdentity: "example.org" }));
    const { dns_zone_file: text } = (await terraform.outputs()) as { dns_zone_file: string };
    expect(text.split("\n").filter((line) => line !== "" && !line.startsWith(";"))).toEqual([
      ...(dkim?.Tokens ?? []).map(
        (token) => `${token}._domainkey.example.org. 600 IN CNAME ${token}.dkim.amazonses.com.`,
      ),
      "mail-eu-west-1.example.org. 600 IN MX 10 feedback-smtp.eu-west-1.amazonses.com.",
      'mail-eu-west-1.example.org. 600 IN TXT "v=spf1 include:amazonses.com ~all"',
      '_dmarc.example.org. 600 IN TXT "v=DMARC1; p=none"',
    ]);

    await terraform.destroy();
    expect(await recordsIn(zoneId)).toEqual([]);
    await expect(ses.send(new GetEmailIdentityCommand({ EmailIdentity: "example.com" }))).rejects.toThrow();
  });
});
