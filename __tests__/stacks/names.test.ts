import { nameLimits } from "../../stacks/policy/synthesized";
import { synthNotificationStack, type Synthesized } from "../support/stack";

/**
 * Stages, projects and regions share an account, and no name. The names are not listed here: every attribute of every
 * resource is looked at, and what two stages have in common has to be explained.
 */

/** Every text of a resource or of a policy document, by its type and the path of its attribute. */
function textsOf(stack: Synthesized, belongs: (type: string) => boolean = () => true): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const visit = (path: string, value: unknown): void => {
    if (typeof value === "string") found.set(path, (found.get(path) ?? new Set()).add(value));
    else if (Array.isArray(value)) for (const each of value) visit(path, each);
    else if (typeof value === "object" && value !== null) {
      for (const [name, each] of Object.entries(value)) visit(`${path}.${name}`, each);
    }
  };
  for (const [type, resources] of stack.everything) {
    if (belongs(type)) for (const attributes of resources) visit(type, attributes);
  }
  return found;
}

/** A reference to another resource of the stack, which has a name of its own. */
const isReference = (text: string) => /^\$\{[^}]*\}$/.test(text);

/** Attributes that end like one that names something. */
const namesSomething = /(?:name|identity|bucket|alias|_id|prefix|namespace)$/;

/** Attributes that end so and name nothing in the account: parts of a resource, or what AWS itself has named. */
const noNames = [
  // The columns of a table.
  "aws_dynamodb_table.attribute.name",
  "aws_dynamodb_table.ttl.attribute_name",
  // Metrics in a namespace that is the stage's own, or in one of AWS's.
  "aws_cloudwatch_log_metric_filter.metric_transformation.name",
  "aws_cloudwatch_metric_alarm.metric_name",
  "aws_cloudwatch_metric_alarm.metric_query.metric.metric_name",
  "aws_cloudwatch_metric_alarm.metric_query.metric.namespace",
  "aws_cloudwatch_metric_alarm.namespace",
  // Targets of one rule.
  "aws_cloudwatch_event_target.target_id",
];

const here = { PROJECT_NAME: "shop", STAGE: "dev", EMAIL_SENDER: "a@a.example", EMAIL_RECIPIENT: "b@a.example" };
const elsewhere = { EMAIL_SENDER: "a@b.example", EMAIL_RECIPIENT: "b@b.example" };
const stack = synthNotificationStack(here);

describe.each([
  ["another stage of the project", { ...elsewhere, PROJECT_NAME: "shop", STAGE: "prod" }],
  ["a stage whose name begins alike", { ...elsewhere, PROJECT_NAME: "shop", STAGE: "staging" }],
  ["another project", { ...elsewhere, PROJECT_NAME: "till", STAGE: "dev" }],
  ["a project whose name begins alike", { ...elsewhere, PROJECT_NAME: "shop-b", STAGE: "dev" }],
  ["a project that is called like the stage", { ...elsewhere, PROJECT_NAME: "dev", STAGE: "dev" }],
])("%s in the account", (_, environment) => {
  const other = synthNotificationStack(environment);
  const [mine, theirs] = [textsOf(stack), textsOf(other)];
  const prefixes = [`${here.PROJECT_NAME}-${here.STAGE}`, `${environment.PROJECT_NAME}-${environment.STAGE}`] as const;

  it("shares no name", () => {
    const shared = [...mine]
      .filter(([path]) => namesSomething.test(path))
      .filter(([path, texts]) => [...texts].some((text) => !isReference(text) && theirs.get(path)?.has(text)))
      .map(([path]) => path);
    expect(shared.filter((path) => !noNames.includes(path))).toEqual([]);
  });

  it("has no name that a wildcard of this stage takes in, nor the other way round", () => {
    const names = (texts: ReadonlyMap<string, ReadonlySet<string>>, prefix: string) =>
      [...texts.values()].flatMap((all) => [...all].filter((text) => text.includes(prefix)));
    const beginnings = (texts: ReadonlyMap<string, ReadonlySet<string>>, prefix: string) =>
      names(texts, prefix).flatMap((text) => [...text.matchAll(/([\w/-]+)\*/g)].map(([, beginning = ""]) => beginning));
    for (const [one, ownPrefix, two, otherPrefix] of [
      [mine, prefixes[0], theirs, prefixes[1]],
      [theirs, prefixes[1], mine, prefixes[0]],
    ] as const) {
      const wildcards = [...new Set(beginnings(one, ownPrefix))];
      expect(wildcards.length).toBeGreaterThan(0);
      const taken = names(two, otherPrefix).filter((name) =>
        wildcards.some((beginning) => new RegExp(`(?<![\\w/-])${beginning}`).test(name)),
      );
      expect(taken).toEqual([]);
    }
  });
});

it("would show a wildcard that takes in another project's names: so such a project is refused", () => {
  const named = { ...elsewhere, PROJECT_NAME: "shop-dev", STAGE: "prod" };
  expect(() => synthNotificationStack(named)).toThrow('PROJECT_NAME="shop-dev" has "-dev" in it');
});

describe("one stage in two regions of an account", () => {
  /** Types of resources that belong to no region: IAM, and dashboards ("global, not region-specific": API_PutDashboard). */
  const isGlobal = (type: string) => /^aws_(?:iam_|cloudwatch_dashboard$|s3_bucket$|route53_)/.test(type);
  const [one, two] = ["eu-west-1", "eu-central-1"].map((AWS_REGION) =>
    textsOf(synthNotificationStack({ ...here, AWS_REGION }), isGlobal),
  );

  it("shares no name of what an account has once", () => {
    const shared = [...(one ?? [])]
      .filter(([path]) => namesSomething.test(path))
      .filter(([path, texts]) => [...texts].some((text) => !isReference(text) && two?.get(path)?.has(text)))
      .map(([path]) => path);
    expect([...(one ?? [])].filter(([path]) => namesSomething.test(path)).length).toBeGreaterThan(2);
    expect(shared).toEqual([]);
  });
});

it("knows the attribute with the name of every resource that has one", () => {
  const named = [...textsOf(stack)]
    .filter(([, texts]) => [...texts].some((text) => text.startsWith("shop-dev-")))
    .map(([path]) => path.split("."))
    .filter(
      ([type = "", attribute, ...deeper]) =>
        /^aws_(?!.*_document$)/.test(type) && deeper.length === 0 && attribute !== undefined,
    );
  const unknown = named.filter(([type = "", attribute]) => {
    const isOfItself = ["name", "statement_id"].some((ending) => attribute?.endsWith(ending));
    return isOfItself && nameLimits[type]?.attribute !== attribute;
  });
  expect(unknown.map((path) => path.join("."))).toEqual([]);
});

it("gives a function its new role before the old one goes, where the role's name changes", () => {
  for (const type of ["aws_iam_role", "aws_iam_role_policy"]) {
    for (const { lifecycle } of stack.resources(type)) expect(lifecycle).toEqual({ create_before_destroy: true });
  }
});
