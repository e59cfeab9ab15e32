import { type Finding, type Rule } from "../rule";
import {
  addressBehind,
  all,
  type Attributes,
  covers,
  type Found,
  objects,
  resourceBehind,
  statementsBehind,
  strings,
  type SynthesizedStack,
} from "../synthesized";

/** Rules on the policies of resources: of a queue, a topic, a bucket, a bus and a key. */
export const holderRules: readonly Rule[] = [
  {
    id: "policy-of-its-holder",
    checks:
      "The policy of a queue, topic, bucket, bus or key names nothing but what holds it. Each has one policy. That of a queue or a topic denies nothing but plain HTTP.",
    why: "AWS ignores a statement on something else, a second policy replaces the first one without an error, and a denial keeps out the services that the other statements let in.",
    check: (stack) => {
      const held = heldPolicies(stack);
      return held.flatMap(({ address, holder, policy }, at): Finding[] => [
        ...(held.findIndex((other) => other.holder.address === holder.address) === at
          ? []
          : [{ address, problem: `is a second policy of ${holder.address}`, appliesTo: holder.address }]),
        ...statementsBehind(stack, policy).flatMap((statement) =>
          statementProblems(statement, holder).map((problem) => ({ address, problem, appliesTo: problem })),
        ),
      ]);
    },
  },
];

interface HeldPolicy {
  /** Of the resource that has the policy as an attribute. */
  readonly address: string;
  readonly holder: Found;
  readonly policy: unknown;
}

/** The attribute that names the holder, by the type of the policy. */
const holderOf: Readonly<Record<string, string>> = {
  aws_cloudwatch_event_bus_policy: "event_bus_name",
  aws_kms_key_policy: "key_id",
  aws_s3_bucket_policy: "bucket",
  aws_sns_topic_policy: "arn",
  aws_sqs_queue_policy: "queue_url",
};

function heldPolicies(stack: SynthesizedStack): HeldPolicy[] {
  const within = ["aws_sqs_queue", "aws_sns_topic", "aws_s3_bucket", "aws_kms_key"].flatMap((type) =>
    all(stack.resource, type)
      .filter(([, { policy }]) => policy !== undefined)
      .map(([id, attributes]) => {
        const address = `${type}.${id}`;
        return { address, holder: { address, type, attributes }, policy: attributes.policy };
      }),
  );
  const beside = Object.entries(holderOf).flatMap(([type, name]) =>
    all(stack.resource, type).flatMap(([id, attributes]) => {
      const holder = resourceBehind(stack, attributes[name]);
      return holder === undefined ? [] : [{ address: `${type}.${id}`, holder, policy: attributes.policy }];
    }),
  );
  return [...within, ...beside];
}

function statementProblems({ effect, resources, condition }: Attributes, holder: Found): string[] {
  const foreign = strings(resources).filter(
    // What is in a bucket is the bucket's own.
    (arn) => addressBehind(arn.replace(/\/\*$/, "")) !== holder.address && !covers(arn, holder),
  );
  const isOpen = ["aws_sqs_queue", "aws_sns_topic"].includes(holder.type);
  const isOfPlainHttp = objects(condition).some(({ variable }) => variable === "aws:SecureTransport");
  return [
    ...foreign.map((arn) => `names ${arn}, and belongs to ${holder.address}`),
    ...(isOpen && effect === "Deny" && !isOfPlainHttp ? ["denies more than plain HTTP"] : []),
  ];
}
