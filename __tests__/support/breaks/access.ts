import { type Break, type Draft } from "../broken-stacks";

export const accessBreaks: Readonly<Record<string, readonly Break[]>> = {
  "policy-of-its-holder": [
    [
      "an allowance of another queue",
      (s) =>
        (s.statement("dead-letters_policy", "RulesMayPark").resources = ["arn:aws:sqs:eu-west-1:123456789012:other"]),
      /dead-letters\S+ names arn:aws:sqs:eu-west-1:123456789012:other, and belongs to aws_sqs_queue\.dead-letters/,
    ],
    [
      "a denial of plain HTTP to another queue",
      (s) =>
        (s.statement("dead-letters_policy", "OnlyOverTls").resources = ["arn:aws:sqs:eu-west-1:123456789012:other"]),
      /dead-letters\S+ names arn:aws:sqs:eu-west-1:123456789012:other/,
    ],
    [
      "a denial of every sender",
      (s) => {
        const { actions, resources } = s.statement("dead-letters_policy", "RulesMayPark");
        s.statements("dead-letters_policy").push({ effect: "Deny", actions, resources, principals: [] });
      },
      /dead-letters\S+ denies more than plain HTTP/,
    ],
    [
      "a second policy beside that of the queue",
      (s) => {
        const { policy } = s.the("aws_sqs_queue", "dead-letters");
        s.add("aws_sqs_queue_policy", { queue_url: "${aws_sqs_queue.added.url}", policy });
        s.add("aws_sqs_queue", { ...s.the("aws_sqs_queue", "dead-letters"), name: "shop-prod-more" });
      },
      /aws_sqs_queue_policy\.added is a second policy of aws_sqs_queue\.added/,
    ],
    [
      "a second policy of a topic",
      (s) => {
        s.add("aws_sns_topic_policy", s.the("aws_sns_topic_policy"));
      },
      /aws_sns_topic_policy\.added is a second policy of aws_sns_topic\./,
    ],
  ],
  "target-lets-rule-in": ["StringNotEquals", "ArnNotLike", "Null"].map((test): Break => [
    `a source by ${test}`,
    (s) => {
      for (const condition of s.statement("standard-lane_retry-queue_policy", "RulesMayPark").condition as Draft[])
        condition.test = test;
    },
    /standard-lane_retry-target\S+ has the target aws_sqs_queue\.standard/,
  ]),
  "ses-sends-as-sender": [
    [
      "another role that sends as somebody else",
      (s) => {
        s.addDocument({
          actions: ["ses:SendEmail"],
          resources: ["arn:aws:ses:eu-west-1:123456789012:identity/ceo.com"],
          condition: [{ test: "StringEquals", variable: "ses:FromAddress", values: ["ceo@ceo.com"] }],
        });
      },
      /added allows ses:SendEmail as ceo@ceo\.com, whom no function of the stack sends as/,
    ],
    [
      "a sender that is compared with itself",
      (s) => {
        s.addDocument({
          actions: ["ses:SendEmail"],
          condition: [{ test: "StringEquals", variable: "ses:FromAddress", values: ["&{ses:FromAddress}"] }],
        });
      },
      /added allows ses:SendEmail as anyone/,
    ],
  ],
  "federation-is-bound": [
    [
      "an identity provider of elsewhere",
      (s) => {
        s.addDocument({
          actions: ["sts:AssumeRoleWithWebIdentity"],
          principals: [{ type: "Federated", identifiers: ["cognito-identity.amazonaws.com"] }],
        });
      },
      /added trusts cognito-identity\.amazonaws\.com, which is no OIDC provider of this account/,
    ],
  ],
  "roles-stay-within-boundary": [
    ...["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"].map(
      (action): Break => [
        action,
        (s) => {
          s.addDocument({ actions: [action], resources: ["arn:aws:iam::123456789012:role/shop-prod-x"] });
        },
        new RegExp(`added allows ${action} without a boundary of this account`),
      ],
    ),
    ...(
      [
        ["StringLike", "arn:aws:iam::123456789012:policy/x"],
        ["StringEqualsIfExists", "arn:aws:iam::123456789012:policy/x"],
        ["StringNotEquals", "arn:aws:iam::123456789012:policy/x"],
        ["StringEquals", "arn:aws:iam::aws:policy/AdministratorAccess"],
        ["ArnEquals", "arn:aws:iam::123456789012:policy/*"],
      ] as const
    ).map(([test, boundary]): Break => [
      `a boundary by ${test} ${boundary}`,
      (s) => {
        s.addDocument({
          actions: ["iam:createrole"],
          condition: [{ test, variable: "iam:PermissionsBoundary", values: [boundary] }],
        });
      },
      /added allows iam:createrole without a boundary of this account/,
    ]),
    ...["iam:DeleteRolePermissionsBoundary", "iam:CreatePolicyVersion"].map((action): Break => [
      action,
      (s) => {
        s.addDocument({ actions: [action], resources: ["arn:aws:iam::123456789012:role/shop-prod-x"] });
      },
      new RegExp(`added allows ${action}, which changes a boundary`),
    ]),
  ],
  "principals-are-ours": [
    [
      "a canonical user",
      (s) => {
        s.addDocument({
          actions: ["s3:GetObject"],
          principals: [{ type: "CanonicalUser", identifiers: ["79a59df9"] }],
        });
      },
      /added lets in "79a59df9"/,
    ],
  ],
};
