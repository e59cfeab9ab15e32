import { problems } from "../findings";
import { type Rule } from "../rule";
import { block } from "../synthesized";

/** An attribute by which a resource runs or rests. */
interface Switch {
  readonly type: string;
  /** Names of the blocks that lead to the attribute, and its own name. */
  readonly path: readonly string[];
  /** The values with which the resource runs. `undefined` is among them where it runs by default. */
  readonly on: readonly unknown[];
}

const byDefault = [undefined, null];

const switches: readonly Switch[] = [
  // The states of PutRule. (DISABLED is the only one in which a rule rests.)
  {
    type: "aws_cloudwatch_event_rule",
    path: ["state"],
    on: [...byDefault, "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"],
  },
  { type: "aws_cloudwatch_event_rule", path: ["is_enabled"], on: [...byDefault, true] },
  { type: "aws_lambda_event_source_mapping", path: ["enabled"], on: [...byDefault, true] },
  { type: "aws_kms_key", path: ["is_enabled"], on: [...byDefault, true] },
  { type: "aws_scheduler_schedule", path: ["state"], on: [...byDefault, "ENABLED"] },
  { type: "aws_sesv2_configuration_set", path: ["sending_options", "sending_enabled"], on: [...byDefault, true] },
  // The provider's default is false.
  { type: "aws_sesv2_configuration_set_event_destination", path: ["event_destination", "enabled"], on: [true] },
];

export const switchRules: readonly Rule[] = [
  {
    id: "switched-on",
    checks:
      "No rule, schedule, event source mapping, key, configuration set or event destination is switched off, and no function has a reserved concurrency of 0.",
    why: "What is switched off loses its events without an error, and looks complete in a review: leave it out, or switch it on. A reserved concurrency of 0 keeps a function from running (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).",
    check: (stack) => [
      ...switches.flatMap(({ type, path, on }) =>
        problems(stack, type, (resource) => {
          const value = path.reduce<unknown>((each, name) => block(each)[name], resource);
          return on.includes(value) ? [] : [`is switched off: ${path.join(".")} is ${String(value)}`];
        }),
      ),
      ...problems(stack, "aws_lambda_function", ({ reserved_concurrent_executions: reserved }) =>
        // -1 stands for no reservation.
        reserved === undefined || reserved === null || Number(reserved) >= 1 || Number(reserved) === -1
          ? []
          : [`never runs: reserved_concurrent_executions is ${JSON.stringify(reserved)}`],
      ),
    ],
  },
];
