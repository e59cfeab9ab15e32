import { type Break, type Draft } from "../broken-stacks";

const queue = "aws_sqs_queue";

export const readingBreaks: Readonly<Record<string, readonly Break[]>> = {
  "values-are-readable": [
    ...["${var.x}", "${local.days}", "${lower(aws_sqs_queue.x.name)}", "%{if true}1%{endif}", "${each.value}"].map(
      (text): Break => [
        text,
        (s) => (s.the("aws_cloudwatch_event_archive").retention_days = text),
        /event-bus_archive\S+ has an expression that no rule can read/,
      ],
    ),
    [
      "a data source that no rule knows",
      (s) => (s.the(queue, "dead").kms_master_key_id = "${data.aws_ssm_parameter.key.value}"),
      /dead-letters\S+ has an expression that no rule can read/,
    ],
    [
      "a whole list",
      (s) => (s.statement("dead-letters_policy", "OnlyOverTls").actions = "${local.actions}"),
      /data\.aws_iam_policy_document\.dead-letters\S+ has an expression/,
    ],
    [
      "inside of a block",
      (s) => ((s.the("aws_lambda_function").environment as { variables: Draft }).variables.MORE = "a ${var.more} b"),
      /aws_lambda_function\.\S+ has an expression/,
    ],
  ],
  "resources-written-out": [
    ...["count", "for_each", "dynamic", "provisioner"].map((name): Break => [
      name,
      (s) => (s.the(queue, "dead")[name] = {}),
      /dead-letters\S+ has what the rules can't follow/,
    ]),
    ...["all", ["tags"]].map((ignored): Break => [
      `ignore_changes of ${String(ignored)}`,
      (s) => (s.the(queue, "dead").lifecycle = { prevent_destroy: true, ignore_changes: ignored }),
      /dead-letters\S+ has what the rules can't follow/,
    ]),
    [
      "a dynamic block within a block",
      (s) => (s.statement("dead-letters_policy", "OnlyOverTls").dynamic = { condition: { for_each: ["*"] } }),
      /dead-letters\S+ has what the rules can't follow/,
    ],
    [
      "ignore_changes in a list of one block",
      (s) => (s.the(queue, "dead").lifecycle = [{ ignore_changes: "all" }]),
      /dead-letters\S+ has what the rules can't follow/,
    ],
    [
      "a module",
      (s) => {
        s.addModule("x", { source: "terraform-aws-modules/sqs/aws" });
      },
      /module\.x is a module, whose resources no rule reads/,
    ],
  ],
  "data-known": ["external", "http", "terraform_remote_state", "aws_ssm_parameter"].map((type) => [
    type,
    (s) => {
      s.addData(type, {});
    },
    new RegExp(`data\\.${type}\\.added is a data source that no rule knows`),
  ]),
  "providers-alike": [
    ...["assume_role", "assume_role_with_web_identity", "endpoints"].map((name): Break => [
      name,
      (s) => (s.provider()[name] = [{}]),
      new RegExp(`provider\\.aws has ${name}`),
    ]),
    [
      "another account",
      (s) => {
        s.set("provider", { aws: [s.provider(), { ...s.provider(), alias: "b", allowed_account_ids: ["9"] }] });
      },
      /provider\.aws allows the accounts 9 beside \d{12}/,
    ],
    [
      "another region",
      (s) => {
        s.set("provider", { aws: [s.provider(), { ...s.provider(), alias: "b", region: "us-east-1" }] });
      },
      /provider\.aws has us-east-1 beside eu-west-1/,
    ],
    ["ignored tags", (s) => (s.provider().ignore_tags = [{ keys: ["stage"] }]), /provider\.aws ignores tags/],
  ],
};
