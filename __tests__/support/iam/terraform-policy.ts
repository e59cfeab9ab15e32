import { type PolicyDocument } from "./evaluate";

interface DocumentStatement {
  readonly sid: string;
  readonly effect?: string;
  readonly actions: readonly string[];
  readonly resources?: readonly string[];
  readonly principals?: readonly { readonly type: string; readonly identifiers: readonly string[] }[];
  readonly condition?: readonly {
    readonly test: string;
    readonly variable: string;
    readonly values: readonly string[];
  }[];
}

/**
 * The policy that Terraform's `aws_iam_policy_document` renders.
 * @param expressions the values of Terraform's expressions in it, for example of `data.aws_partition.partition.partition`.
 * @throws Error where another expression is in it.
 */
export function policyDocument(
  { statement }: { readonly statement: readonly DocumentStatement[] },
  expressions: Readonly<Record<string, string>> = {},
): PolicyDocument {
  const document = {
    Version: "2012-10-17",
    Statement: statement.map(({ sid, effect = "Allow", actions, resources, principals, condition = [] }) => ({
      Sid: sid,
      Effect: effect,
      Action: actions,
      ...(resources === undefined ? {} : { Resource: resources }),
      ...(principals === undefined
        ? {}
        : { Principal: Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers])) }),
      ...(condition.length === 0 ? {} : { Condition: conditionsIn(condition) }),
    })),
  };
  return JSON.parse(
    JSON.stringify(document).replace(/\$\{([^}]*)\}/g, (_, expression: string) => {
      const value = expressions[expression];
      if (value === undefined) throw new Error(`The value of ${expression} is not known here.`);
      return value;
    }),
  ) as PolicyDocument;
}

function conditionsIn(conditions: NonNullable<DocumentStatement["condition"]>): object {
  const tests: Record<string, Record<string, readonly string[]>> = {};
  for (const { test, variable, values } of conditions) (tests[test] ??= {})[variable] = values;
  return tests;
}
