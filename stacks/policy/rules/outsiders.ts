import { type Finding, type Rule } from "../rule";
import { accountIn, isOwnAccount, isOwnPrincipal } from "../ours";
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
    checks: "No text of the stack has the form of an access key, and no provider has a key of its own.",
    why: "Whoever may read the code, the plan or the state would read the secret: let the pipeline assume a role.",
    check: (stack) => [
      ...everything(stack)
        .filter(({ attributes }) => /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/.test(JSON.stringify(attributes)))
        .map(({ address }) => ({ address, problem: "has a text in the form of an access key" })),
      ...objects(stack.provider?.aws).flatMap((provider) =>
        ["access_key", "secret_key", "token"]
          .filter((name) => provider[name] !== undefined)
          .map((name) => ({ address: "provider.aws", problem: `has a ${name}`, appliesTo: name })),
      ),
    ],
  },
];

/** Attributes that name whom a permission or a grant is for, whatever the type. */
const principalAttributes = ["principal", "principals", "principal_org_id", "grantee_principal", "retiring_principal"];

const isService = (text: string) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/.test(text);

/** The ARNs with another account's number, anywhere in the attributes. */
function foreignArns(stack: SynthesizedStack, attributes: Attributes): string[] {
  const arns = JSON.stringify(attributes).match(/arn:[^:"]*:[^:"]*:[^:"]*:\d{12}:[^"\\]*/g) ?? [];
  return [...new Set(arns)].filter((arn) => accountIn(arn) !== undefined && !isOwnAccount(stack, arn));
}
