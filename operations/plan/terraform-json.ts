import * as z from "zod";

/**
 * The part of Terraform's plan in its JSON form (`terraform show -json <plan>`) that the summary reads
 * (https://developer.hashicorp.com/terraform/internals/json-format). Members that it does not read are left out.
 */

const values = z.record(z.string(), z.unknown());

const changeSchema = z.object({
  actions: z.array(z.enum(["no-op", "create", "read", "update", "delete", "forget", "open", "renew", "close"])),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  /** Has `true` where the value is known only after the apply. */
  after_unknown: z.unknown().optional(),
  /** Have `true` where the value is sensitive. */
  before_sensitive: z.unknown().optional(),
  after_sensitive: z.unknown().optional(),
  /** The attributes that force the replacement, as paths. */
  replace_paths: z.array(z.array(z.union([z.string(), z.number()]))).optional(),
  importing: z.unknown().optional(),
});
export type Change = z.output<typeof changeSchema>;

const resourceChangeSchema = z.object({
  address: z.string(),
  /** Where the resource had another address before. */
  previous_address: z.string().optional(),
  mode: z.enum(["managed", "data", "ephemeral"]).catch("managed"),
  type: z.string(),
  action_reason: z.string().optional(),
  change: changeSchema,
});
export type ResourceChange = z.output<typeof resourceChangeSchema>;

const resourceSchema = z.object({
  address: z.string(),
  mode: z.string().optional(),
  type: z.string(),
  values: values.nullish(),
});

/** A module of a state, with the modules that it calls. */
interface Module {
  readonly resources?: readonly z.output<typeof resourceSchema>[] | undefined;
  readonly child_modules?: readonly Module[] | undefined;
}
const moduleSchema: z.ZodType<Module> = z.object({
  resources: z.array(resourceSchema).optional(),
  get child_modules() {
    return z.array(moduleSchema).optional();
  },
});

const configuredSchema = z.object({ address: z.string(), expressions: values.optional() });
const providerSchema = z.object({ full_name: z.string().optional(), expressions: values.optional() });

const planSchema = z.object({
  format_version: z.string().regex(/^1\./, "is of a form that this version does not know: 1.x is needed"),
  terraform_version: z.string().optional(),
  resource_changes: z.array(resourceChangeSchema).default([]),
  resource_drift: z.array(resourceChangeSchema).default([]),
  output_changes: z.record(z.string(), changeSchema).default({}),
  planned_values: z.object({ root_module: moduleSchema.optional() }).optional(),
  prior_state: z.object({ values: z.object({ root_module: moduleSchema.optional() }).optional() }).optional(),
  configuration: z
    .object({
      provider_config: z.record(z.string(), providerSchema).optional(),
      root_module: z.object({ resources: z.array(configuredSchema).optional() }).optional(),
    })
    .optional(),
  /** Whether the plan covers the whole configuration. Absent before Terraform 1.8. */
  complete: z.boolean().optional(),
  errored: z.boolean().optional(),
});
export type TerraformPlan = z.output<typeof planSchema>;

/** A resource of a state. */
export interface StateResource {
  readonly address: string;
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads a plan.
 * @throws Error that says what is wrong, without the plan's values.
 */
export function readPlan(text: string): TerraformPlan {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    // The message leaves out the parser's own, which has a part of the text: that may be a secret.
    throw new Error("it is not JSON: make it with terraform show -json <plan file>", { cause });
  }
  const parsed = planSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [problem] = parsed.error.issues;
  const where = problem === undefined || problem.path.length === 0 ? "it" : problem.path.map(String).join(".");
  throw new Error(
    `it is not a plan of terraform show -json <plan file> (${where}: ${problem?.message ?? "unknown problem"})`,
  );
}

/** The managed resources of a module, and of the modules in it. */
export function resourcesIn(module: Module | undefined): StateResource[] {
  if (module === undefined) return [];
  const own = (module.resources ?? [])
    .filter(({ mode }) => mode === undefined || mode === "managed")
    .map((resource) => ({ address: resource.address, type: resource.type, values: resource.values ?? {} }));
  return [...own, ...(module.child_modules ?? []).flatMap(resourcesIn)];
}
