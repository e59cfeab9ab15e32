import { all, type Attributes, objects, resourceBehind, strings, type SynthesizedStack } from "./synthesized";

/** What is ours: this account, what the stack makes in it, and its principals. */

/** The statements that allow something, with the address of their document. */
export function allowing(stack: SynthesizedStack): { readonly address: string; readonly statement: Attributes }[] {
  return all(stack.data, "aws_iam_policy_document").flatMap(([id, document]) =>
    objects(document.statement)
      .filter((statement) => statement.effect !== "Deny")
      .map((statement) => ({ address: `data.aws_iam_policy_document.${id}`, statement })),
  );
}

/** The account in an ARN: "" where the ARN has none, as a bucket's, and undefined where the text is no ARN. */
export function accountIn(text: string): string | undefined {
  return /^arn:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(text)?.[1];
}

/** Whether the text is the account of the providers, an expression that reads it, or an ARN in it. */
export function isOwnAccount(stack: SynthesizedStack, text: string): boolean {
  const account = accountIn(text) ?? text;
  const own = objects(stack.provider?.aws).flatMap(({ allowed_account_ids: ids }) => strings(ids));
  return own.includes(account) || /^\$\{data\.aws_caller_identity\.[\w-]+\.account_id\}$/.test(account);
}

/** Whether the principal is this account, or a role of this stack. */
export function isOwnPrincipal(stack: SynthesizedStack, text: string): boolean {
  return isOwnAccount(stack, text) || resourceBehind(stack, text)?.type === "aws_iam_role";
}

/** Whether what a service acts for is this account, a resource of this stack, or an ARN without an account. */
export function isOwnSource(stack: SynthesizedStack, text: string): boolean {
  return accountIn(text) === "" || isOwnAccount(stack, text) || resourceBehind(stack, text) !== undefined;
}
