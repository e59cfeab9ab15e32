import { ConfigurationError, readConfig } from "../../stacks/config";
import { configOf } from "../support/stack";

it("lists every problem at once, with the value and the fix", () => {
  const read = () =>
    readConfig({ STAGE: "live", PROJECT_NAME: "My Shop", EMAIL_SENDER: "nobody", AWS_REGION: "mars", BACKEND: "ftp" });
  expect(read).toThrow(ConfigurationError);
  for (const part of [
    /6 problems; nothing was synthesized/,
    /STAGE="live" is unknown: use one of sandbox, dev/,
    /PROJECT_NAME="My Shop" has to be lower-case/,
    /EMAIL_SENDER="nobody" is not an e-mail address/,
    /EMAIL_RECIPIENT is not set: export/,
    /AWS_REGION="mars" is not a region/,
    /BACKEND="ftp" is unknown: use s3, cloud or local/,
  ]) {
    expect(read).toThrow(part);
  }
});

it("needs nothing but the stage for the sandbox, and lets the environment win", () => {
  expect(readConfig({ STAGE: "sandbox" })).toMatchObject({ projectName: "email-automation", region: "us-east-1" });
  expect(readConfig({ STAGE: "sandbox", PROJECT_NAME: "mine" }).projectName).toBe("mine");
});

it("limits a stage to its recipients and SES's mailbox simulator", () => {
  expect(configOf({ EMAIL_RECIPIENT: "a@example.com, b@example.com" }).recipientPolicy).toEqual({
    mode: "restricted",
    addresses: ["a@example.com", "b@example.com"],
    domains: ["simulator.amazonses.com"],
  });
});

it.each([
  [{}, { kind: "s3", bucket: "shop-terraform-state", region: "eu-west-1" }],
  [
    { STATE_BUCKET: "our-states", STATE_REGION: "us-east-1" },
    { kind: "s3", bucket: "our-states", region: "us-east-1" },
  ],
  [{ BACKEND: "local" }, { kind: "local" }],
  [
    { BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail" },
    { kind: "cloud", organization: "acme", workspace: "mail" },
  ],
])("reads the backend from %j", (environment, backend) => {
  expect(configOf(environment).backend).toEqual(backend);
});

it.each([
  ["PROJECT_NAME", "a".repeat(36), /has 36 characters: use 3 to 35/],
  ["EMAIL_RECIPIENT", "a${b}@example.com", /EMAIL_RECIPIENT="a\$\{b\}@example\.com" has one of/],
  ["EMAIL_SENDER", "*@example.com", /EMAIL_SENDER="\*@example\.com" has one of/],
  ["EMAIL_RECIPIENT", Array.from({ length: 51 }, (_, i) => `a${i}@example.com`).join(), /names 51 recipients/],
  ["EMAIL_RECIPIENT", " , ", /names nobody/],
  ["IDENTITIES", "mine", /IDENTITIES="mine" is unknown/],
  ["SENDER_IDENTITY", "mine", /SENDER_IDENTITY="mine" is unknown/],
  ["STATE_BUCKET", "Our.States", /STATE_BUCKET="Our\.States" is not a bucket's name/],
  ["STATE_REGION", "mars ${x}", /STATE_REGION="mars \$\{x\}" is not a region's name/],
  ["ALARM_EMAIL", "nobody", /ALARM_EMAIL="nobody" is not an e-mail address/],
])("refuses %s=%s", (name, value, problem) => {
  expect(() => configOf({ [name]: value })).toThrow(problem);
});

it("takes a recipient that is named twice once", () => {
  expect(configOf({ EMAIL_RECIPIENT: "a@example.com,a@example.com" }).recipients).toEqual(["a@example.com"]);
});

it("names what Terraform Cloud needs", () => {
  expect(() => configOf({ BACKEND: "cloud" })).toThrow(/TF_CLOUD_ORGANIZATION[\s\S]*TF_WORKSPACE/);
});
