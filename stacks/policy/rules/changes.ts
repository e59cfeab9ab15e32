import { keptKinds } from "../data-kinds";
import { missing, problems } from "../findings";
import { keyBehind, keysOf } from "../keys";
import { type Rule } from "../rule";
import { all, type Attributes, block, strings, type SynthesizedStack } from "../synthesized";

/** Rules on what a deployment replaces or destroys. */
export const changeRules: readonly Rule[] = [
  {
    id: "deletion-protected",
    checks:
      "In a stage with deletionProtection, whatever holds data (the keptKinds of stacks/policy/data-kinds.ts: tables, queues, archives, identities, buckets, streams and more) has `prevent_destroy`, and so has the key that encrypts it; a table refuses its deletion.",
    why: "The stage has deletionProtection. A lost claim means a second mail, a lost queue or archive means mail that nobody gets, and a lost identity means no mail at all.",
    check: (stack, _, { deletionProtection }) =>
      deletionProtection
        ? [
            ...keptKinds.flatMap((type) => missing(stack, type, "may be destroyed", isKept)),
            ...missing(
              stack,
              "aws_kms_key",
              "may be destroyed, and encrypts what has to be kept",
              (key, id) => isKept(key) || !keysOfKept(stack).includes(`aws_kms_key.${id}`),
            ),
            ...missing(
              stack,
              "aws_dynamodb_table",
              "may be deleted outside of Terraform",
              (table) => table.deletion_protection_enabled === true,
            ),
          ]
        : [],
  },
  {
    id: "template-versions",
    checks:
      "Each stored template is created before its old version is destroyed, and each function that mails depends on each template.",
    why: "A function whose template is changed or gone mails nothing, and SES reports that late. A new version of a template is therefore created before the function changes, and the old one is destroyed after it (docs/decisions/0014).",
    check: (stack) => [
      ...missing(
        stack,
        "aws_ses_template",
        "is not created before its old version is destroyed",
        ({ lifecycle }) => block(lifecycle).create_before_destroy === true,
      ),
      ...problems(stack, "aws_lambda_function", (fn) =>
        all(mails(fn) ? stack.resource : {}, "aws_ses_template")
          .filter(([template]) => !strings(fn.depends_on).includes(`aws_ses_template.${template}`))
          .map(([template]) => `does not depend on aws_ses_template.${template}`),
      ),
    ],
  },
];

const mails = ({ environment }: Attributes): boolean => "TEMPLATE_NAME_PREFIX" in block(block(environment).variables);

const isKept = ({ lifecycle }: Attributes): boolean => block(lifecycle).prevent_destroy === true;

/** Terraform's addresses of the keys that the kept resources name. */
function keysOfKept(stack: SynthesizedStack): string[] {
  return keptKinds
    .flatMap((type) => all(stack.resource, type))
    .flatMap(([, resource]) => keysOf(resource))
    .flatMap((key) => keyBehind(stack, key)?.address ?? []);
}
