import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { readConfig } from "../../stacks/config";
import { configVariables } from "../../stacks/config-variables";
import { stages } from "../../stacks/stages";
import { projectRoot, readMarkdown } from "../support/documents";
import "../support/stages";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const example = read(".env.example");
const all = parseEnv(example.replace(/^# (?=[A-Z][A-Z0-9_]*=)/gm, ""));
const document = readMarkdown("docs/configuration.md", read("docs/configuration.md"));

/** The AWS CLI and the SDKs read it. */
const namesOfOthers = ["AWS_DEFAULT_REGION"];

/** Every name that the configuration asks its environment for. */
function namesThatAreRead(): string[] {
  const names = new Set<string>();
  for (const BACKEND of ["s3", "cloud", "local"]) {
    const environment = new Proxy<Record<string, string | undefined>>(
      { STAGE: "sandbox", BACKEND, TF_CLOUD_ORGANIZATION: "shop", ...(BACKEND === "cloud" && { TF_WORKSPACE: "dev" }) },
      {
        get: (target, name) => {
          names.add(String(name));
          return target[String(name)];
        },
      },
    );
    readConfig(environment);
  }
  return [...names].sort();
}

it("the list of the configuration's variables is what is read", () => {
  expect([...configVariables].sort()).toEqual(namesThatAreRead());
});

it(".env.example has every variable of the configuration, and no other", () => {
  expect(Object.keys(all).sort()).toEqual([...namesThatAreRead(), ...namesOfOthers].sort());
});

it("docs/configuration.md explains every variable of the configuration", () => {
  expect(namesThatAreRead().filter((name) => !document.code.includes(name))).toEqual([]);
});

it("docs/configuration.md explains every setting of a stage", () => {
  const settings = Object.values(stages).flatMap((stage) => Object.keys(stage));
  const optional = ["accountId", "replyTo", "alarmSubscribers", "identities", "projectNameException", "quotas"];
  expect([...new Set([...settings, ...optional])].filter((name) => !document.code.includes(name))).toEqual([]);
});

it(".env.example is a configuration as it stands, and with each backend's variables", () => {
  const bare = parseEnv(example);
  expect(readConfig(bare)).toMatchObject({ stage: "dev", backend: { kind: "s3" } });
  const { TF_WORKSPACE: _, ...withS3 } = all;
  expect(readConfig(withS3)).toMatchObject({
    madeIdentities: ["notifications@your-domain.example", "you@your-domain.example"],
    alarmSubscribers: ["on-call@your-domain.example"],
    backend: { kind: "s3", bucket: "email-automation-a1b2c3-terraform-state-123456789012" },
    ci: { repository: "your-organization/email-automation", manageProvider: true },
  });
  const { DEPLOY_REPOSITORY: __, OIDC_PROVIDER: ___, ...withCloud } = all;
  expect(readConfig({ ...withCloud, BACKEND: "cloud" })).toMatchObject({
    backend: { kind: "cloud", organization: "your-organization", workspace: "email-automation-dev" },
  });
});
