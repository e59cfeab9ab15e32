import { type Finding, type Rule } from "../rule";
import { accountIn, isOwnAccount, isOwnPrincipal } from "../ours";
import { leaves } from "../values";
import { type Attributes, everything, objects, strings, type SynthesizedStack } from "../synthesized";

/** Rules on who gets in outside of a policy document: other accounts, and whoever finds a key. */
export const outsiderRules: readonly Rule[] = [
  {
    id: "others-stay-out",
    checks:
      "No resource names another account: in an ARN, or as the principal of a permission or a grant. No permission is for an organization.",
    why: "A permission outside of a policy document lets another account in, and a subscription sends it what we hold, just as a policy would.",
    check: (stack) =>
      everything(stack)
        .filter(({ address }) => !address.startsWith("data."))
        .flatMap(({ address, attributes }) => [
          ...principalAttributes
            .flatMap((name) => strings(attributes[name]))
            .filter((text) => !isService(text) && !isOwnPrincipal(stack, text))
            .map((text) => ({ address, problem: `lets in "${text}"`, appliesTo: text })),
          ...foreignArns(stack, attributes).map((arn): Finding => ({
            address,
            problem: `names "${arn}", which is another account's`,
            appliesTo: arn,
          })),
        ]),
  },
  {
    id: "no-secret-as-text",
    checks:
      "No text of the stack has the form of a secret, no attribute that holds one is written out or read from another resource, and no provider has a key of its own.",
    why: "Whoever may read the code, the plan or the state would read the secret: let the pipeline assume a role.",
    check: (stack) => [
      ...everything(stack)
        .filter(({ attributes }) => secretForms.some((form) => form.test(JSON.stringify(attributes))))
        .map(({ address }) => ({ address, problem: "has a text in the form of a secret" })),
      ...everything(stack).flatMap(({ address, attributes }) =>
        leaves(attributes)
          .filter(({ path, value }) => secretAttribute.test(path) && typeof value === "string")
          .map(({ path }) => ({ address, problem: `has a secret in ${path}`, appliesTo: path })),
      ),
      ...objects(stack.provider?.aws).flatMap((provider) =>
        ["access_key", "secret_key", "token"]
          .filter((name) => provider[name] !== undefined)
          .map((name) => ({ address: "provider.aws", problem: `has a ${name}`, appliesTo: name })),
      ),
    ],
  },
];

/** What keys and tokens look like, and a reference to an attribute that is one. */
const secretForms = [
  /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b(?:gh[oprsu]_\w{36}|github_pat_\w{22})/,
  /\bxox[abeprs]-\w{10}|hooks\.slack\.com\/services\//,
  /:\/\/[^\s"/:@]+:[^\s"/@]+@/,
  /\.(?:secret_string|secret_binary|secret|private_key(?:_pem)?|password|ses_smtp_password_v4)\}/,
];

/** The end of the path of an attribute that holds a secret, in any resource of the provider. */
const secretAttribute =
  /(?:^|[._])(?:password|passwd|secret_string|secret_binary|private_key|client_secret|auth_token|api_key\.value)$/;

/** Attributes that name whom a permission or a grant is for, whatever the type. */
const principalAttributes = ["principal", "principals", "principal_org_id", "grantee_principal", "retiring_principal"];

const isService = (text: string) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/.test(text);

/** The ARNs with another account's number, anywhere in the attributes. */
function foreignArns(stack: SynthesizedStack, attributes: Attributes): string[] {
  // An event pattern says which events are meant, and lets nobody in.
  const { event_pattern: _, ...granting } = attributes;
  const arns = JSON.stringify(granting).match(/arn:[^:"]*:[^:"]*:[^:"]*:\d{12}:[^"\\]*/g) ?? [];
  return [...new Set(arns)].filter((arn) => accountIn(arn) !== undefined && !isOwnAccount(stack, arn));
}
