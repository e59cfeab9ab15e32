import { emailRequest } from "../../handler/notifications/email-request";
import { configOf, synthesizedOf, type Synthesized, withStage } from "../support/stack";

const senders = {
  alerts: { address: "alerts@mail.example", identity: "domain" },
  billing: { address: "billing@mail.example", identity: "domain" },
  owner: { address: "ops@example.com" },
} as const;
const stack = synthesizedOf(withStage({ senders }));

interface Statement {
  readonly sid?: string;
  readonly resources: readonly string[];
  readonly condition: readonly { readonly variable: string; readonly values: readonly string[] }[];
}

function sendStatements(of: Synthesized): Statement[] {
  const documents = Object.values(of.data("aws_iam_policy_document"));
  return documents
    .flatMap(({ statement }) => statement as Statement[])
    .filter(({ sid }) => sid === "SendNotifications");
}

it("makes each identity once, although senders share it, and a recipient is a sender", () => {
  const identities = stack.resources("aws_sesv2_email_identity").map(({ email_identity: identity }) => identity);
  expect(identities.sort()).toEqual(["mail.example", "ops@example.com", "sender@example.com"]);
});

it("lets both functions send from exactly these addresses", () => {
  const addresses = ["sender@example.com", "alerts@mail.example", "billing@mail.example", "ops@example.com"];
  const statements = sendStatements(stack);
  expect(statements).toHaveLength(2);
  for (const { resources, condition } of statements) {
    expect(condition.find(({ variable }) => variable === "ses:FromAddress")?.values).toEqual(addresses);
    const identities = resources
      .map((arn) => arn.slice(arn.lastIndexOf(":") + 1))
      .filter((name) => /^identity/.test(name));
    expect(identities).toEqual([
      "identity/sender@example.com",
      "identity/example.com",
      "identity/alerts@mail.example",
      "identity/mail.example",
      "identity/billing@mail.example",
      "identity/ops@example.com",
    ]);
  }
});

it("tells the functions every sender by its name", () => {
  for (const { environment } of stack.resources("aws_lambda_function")) {
    const { variables } = environment as { variables: Record<string, string> };
    expect(variables.EMAIL_SENDER).toBe("sender@example.com");
    expect(JSON.parse(variables.FURTHER_SENDERS ?? "")).toEqual({
      alerts: "alerts@mail.example",
      billing: "billing@mail.example",
      owner: "ops@example.com",
    });
  }
});

it("shows how to ask for each identity", () => {
  const command = stack.output("identity_status_command");
  for (const identity of ["sender@example.com", "mail.example", "ops@example.com"]) {
    expect(command).toContain(`--email-identity ${identity} --query`);
  }
});

it("shows the DNS records of each domain", () => {
  const two = withStage({ senders: { ...senders, shop: { address: "a@shop.example", identity: "domain" } } });
  const records = synthesizedOf(two).output("dns_records") as { name: string }[];
  for (const domain of ["mail.example", "shop.example"]) {
    expect(records.filter(({ name }) => name.endsWith(`._domainkey.${domain}`))).toHaveLength(3);
  }
});

it("refuses a notification whose sender the stage lacks, with the senders that there are", () => {
  const unsent = [{ ...emailRequest, sender: "alert" }];
  expect(() => synthesizedOf(withStage({ senders }), unsent)).toThrow(
    'handler/notifications/email-request/index.ts: the stage dev has no sender "alert": use default or alerts or billing or owner, or add "alert" to the senders of dev in stacks/stages.ts.',
  );
  expect(() => synthesizedOf(withStage({ senders }), [{ ...emailRequest, sender: "alerts" }])).not.toThrow();
});

it.each([
  ["gmail.com", "has mailboxes for everybody"],
  ["co.uk", "is not one organisation's domain"],
  ["github.io", "is not one organisation's domain"],
])("can't be verified by the domain %s, which nobody but its owner can prove to SES", (domain, why) => {
  const read = () => configOf({ EMAIL_SENDER: `shop@${domain}`, SENDER_IDENTITY: "domain" });
  expect(read).toThrow(`The domain ${domain} of the sender default ${why}`);
});
