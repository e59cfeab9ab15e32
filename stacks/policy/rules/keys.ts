import { encryptedBySetting, knownKinds } from "../data-kinds";
import { missing } from "../findings";
import { keyProblems } from "../keys";
import { type Rule } from "../rule";
import { block } from "../synthesized";

/** Rules on the encryption of every kind of resource, and on the keys. */
export const keyRules: readonly Rule[] = [
  {
    id: "kind-known",
    checks:
      "The lists of stacks/policy/data-kinds.ts have the kind of each resource: what encrypts it, or that it holds no data.",
    why: "No rule says how a kind is encrypted that no list has: find out whether it holds data, add it to a list, and write a rule where a setting decides.",
    check: ({ resource = {} }) =>
      Object.entries(resource)
        .filter(([type]) => !knownKinds.has(type))
        .flatMap(([type, all]) =>
          Object.keys(all).map((id) => ({ address: `${type}.${id}`, problem: "is of a kind that no rule knows" })),
        ),
  },
  {
    id: "store-encrypted",
    checks:
      "A stream, a delivery stream, a file system, a volume, a database, a search domain, a cache and a parameter are encrypted, by the setting that stacks/policy/data-kinds.ts names for their kind.",
    why: "Everything at rest is encrypted, and AWS leaves these in plain text where nobody asks for more.",
    check: (stack) =>
      Object.entries(encryptedBySetting).flatMap(([type, { path, value }]) =>
        missing(
          stack,
          type,
          `is not encrypted: ${path.join(".")} is not ${String(value)}`,
          (resource) => path.reduce<unknown>((each, name) => block(each)[name], resource) === value,
        ),
      ),
  },
  {
    id: "key-usable",
    checks:
      "Each KMS key that a resource names is a key of the stack, or AWS's own where no service writes. The key's policy lets in each service that the policy of a queue or a topic lets in, EventBridge for a bus, and CloudWatch Logs for a log group.",
    why: "A service that may not use the key loses what it brings, and says so nowhere. AWS's own keys let no service in, and their policy can't be changed (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html).",
    check: (stack) =>
      Object.entries(stack.resource ?? {}).flatMap(([type, all]) =>
        Object.entries(all).flatMap(([id, attributes]) => {
          const address = `${type}.${id}`;
          return keyProblems(stack, { address, type, attributes }).map((problem) => ({ address, problem }));
        }),
      ),
  },
];
