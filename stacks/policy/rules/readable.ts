import { type Finding, type Rule } from "../rule";
import { accountIn, allowing, isOwnAccount, isOwnPrincipal, isReadable } from "../ours";
import { type Attributes, objects, strings, type SynthesizedStack } from "../synthesized";

/** What keeps the other rules from reading a stack, and what lets others in outside of a policy document. */
export const readableRules: readonly Rule[] = [
  {
    id: "policies-readable",
    checks:
      "What a policy document allows is literal text, with references to what the stack makes and to its account, partition and region only.",
    why: "A function, a variable or a data source from elsewhere may become `*` at the deployment, and no rule would see it: write the text, or refer to a resource of the stack.",
    check: (stack) =>
      allowing(stack).flatMap(({ address, statement }) =>
        textsOf(statement)
          .filter((text) => !isReadable(stack, text))
          .map((text) => ({ address, problem: `allows "${text}", which the rules can't read`, appliesTo: text })),
      ),
  },
  {
    id: "stack-readable",
    checks:
      "The stack has no module and no `dynamic` block, and its providers of AWS share one region and ignore no tags.",
    why: "These rules read what the synth writes: they see nothing of what a module or a `dynamic` block becomes, and take one region and the provider's tags for granted.",
    check: (stack) => [
      ...Object.keys(stack.module ?? {}).map((id) => ({
        address: `module.${id}`,
        problem: "is a module, which the rules can't read",
      })),
      ...everything(stack)
        .filter(({ attributes }) => hasKey(attributes, "dynamic"))
        .map(({ address }) => ({ address, problem: "has a dynamic block, which the rules can't read" })),
      ...objects(stack.provider?.aws).flatMap((provider, _, [first]) => [
        ...(provider.region === first?.region
          ? []
          : [
              {
                address: "provider.aws",
                problem: `works in ${String(provider.region)}, and another one in ${String(first?.region)}`,
                appliesTo: `region ${String(provider.region)}`,
              },
            ]),
        ...(provider.ignore_tags === undefined
          ? []
          : [{ address: "provider.aws", problem: "ignores tags", appliesTo: "ignore_tags" }]),
      ]),
    ],
  },
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

/** The texts of a statement that decide what it allows, and to whom. */
function textsOf(statement: Attributes): string[] {
  return [
    ...["effect", "actions", "resources", "not_actions", "not_resources"].flatMap((name) => strings(statement[name])),
    ...objects(statement.principals).flatMap(({ type, identifiers }) => [String(type), ...strings(identifiers)]),
    ...objects(statement.condition).flatMap(({ test, variable, values }) => [
      String(test),
      String(variable),
      ...strings(values),
    ]),
  ];
}

/** Every resource and data source of the stack. */
function everything({ resource = {}, data = {} }: SynthesizedStack) {
  const inKind = (kind: NonNullable<SynthesizedStack["resource"]>, front: string) =>
    Object.entries(kind).flatMap(([type, resources]) =>
      Object.entries(resources).map(([id, attributes]) => ({ address: `${front}${type}.${id}`, attributes })),
    );
  return [...inKind(resource, ""), ...inKind(data, "data.")];
}

function hasKey(value: unknown, key: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, inner]) => (name === key && !Array.isArray(value)) || hasKey(inner, key));
}

/** The ARNs with another account's number, anywhere in the attributes. */
function foreignArns(stack: SynthesizedStack, attributes: Attributes): string[] {
  const arns = JSON.stringify(attributes).match(/arn:[^:"]*:[^:"]*:[^:"]*:\d{12}:[^"\\]*/g) ?? [];
  return [...new Set(arns)].filter((arn) => accountIn(arn) !== undefined && !isOwnAccount(stack, arn));
}
