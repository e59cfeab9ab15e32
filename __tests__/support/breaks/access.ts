import { type Break } from "../broken-stacks";

export const accessBreaks: Readonly<Record<string, readonly Break[]>> = {
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
