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
  [{}, { kind: "s3", bucket: "shop-terraform-state" }],
  [{ STATE_BUCKET: "our-states" }, { kind: "s3", bucket: "our-states" }],
  [{ BACKEND: "local" }, { kind: "local" }],
  [
    { BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail" },
    { kind: "cloud", organization: "acme", workspace: "mail" },
  ],
])("reads the backend from %j", (environment, backend) => {
  expect(configOf(environment).backend).toEqual(backend);
});

it("names what Terraform Cloud needs", () => {
  expect(() => configOf({ BACKEND: "cloud" })).toThrow(/TF_CLOUD_ORGANIZATION[\s\S]*TF_WORKSPACE/);
});
