import { readPlan, type TerraformPlan } from "../../operations/plan/terraform-json";

export interface PlannedTemplate {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly after_sensitive?: unknown;
  readonly after_unknown?: unknown;
}

/** A plan of the project `shop` and the stage `dev` that changes nothing but templates. */
export function templatePlan(...changes: readonly PlannedTemplate[]): TerraformPlan {
  return readPlan(
    JSON.stringify({
      format_version: "1.2",
      configuration: {
        provider_config: {
          aws: { expressions: { default_tags: [{ tags: { constant_value: { project: "shop", stage: "dev" } } }] } },
        },
        root_module: {},
      },
      resource_changes: changes.map((change, at) => ({
        address: `aws_ses_template.t${at}`,
        mode: "managed",
        type: "aws_ses_template",
        name: `t${at}`,
        change: {
          actions: [change.before === null ? "create" : change.after === null ? "delete" : "update"],
          ...change,
        },
      })),
    }),
  );
}
