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
};
