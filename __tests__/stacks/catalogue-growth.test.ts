import { Testing } from "cdktf";
import { emailRequest } from "../../handler/notifications/email-request";
import { type Notification } from "../../handler/notifications/define";
import { seedCatalogue } from "../../handler/notifications/seed";
import { type Config } from "../../stacks/config";
import { NotificationStack } from "../../stacks/notification-stack";
import { nameLimits } from "../../stacks/policy/synthesized";
import { defaultQuotas } from "../../stacks/stages";
import { loadTemplate } from "../../stacks/templates/load";
import { largeCatalogue, notificationNamed } from "../support/catalogue";
import { configOf, synthesized } from "../support/stack";

function createStack(notifications: readonly Notification[], changes: Partial<Config> = {}) {
  return new NotificationStack(
    Testing.app(),
    "notification",
    { ...configOf({ STAGE: "prod" }), ...changes },
    notifications,
    () => loadTemplate(emailRequest),
  );
}

const synth = (...stackOf: Parameters<typeof createStack>) => synthesized(createStack(...stackOf));

describe("300 notifications", () => {
  it("fit every limit that the synth knows, at AWS's own quotas", () => {
    const stack = synth(largeCatalogue(300));
    expect(stack.resources("aws_ses_template")).toHaveLength(300);
    expect(stack.resources("aws_lambda_permission")).toHaveLength(2);
    const functions = stack.resources("aws_lambda_function");
    expect(functions.map(({ depends_on: before }) => (before as string[]).length)).toEqual([302, 302]);
  });

  it("are what AWS's own quotas let a bus and a pattern hold, and fewer in two regions", () => {
    expect(defaultQuotas("eu-west-1")).toMatchObject({ rulesPerBus: 300, eventPatternCharacters: 2048 });
    for (const region of ["af-south-1", "eu-south-1"]) expect(defaultQuotas(region).rulesPerBus).toBe(100);
  });
});

describe("a catalogue that outgrows a quota", () => {
  const notifications = Array.from({ length: 30 }, (_, at) => notificationNamed(`n${at}`));

  it("is refused where it has more rules than a bus takes, with the count and the quota", () => {
    expect(() => synth(notifications, { quotas: { rulesPerBus: 31 } })).toThrow(
      /counts-fit: aws_cloudwatch_event_bus\.event-bus\S+ has 32 rules, and AWS takes 31\. .*quotas\.rulesPerBus/,
    );
    expect(() => synth(notifications, { quotas: { rulesPerBus: 32 } })).not.toThrow();
  });

  it("is said to be counted by its beginnings, where a source has more detail-types than a pattern holds", () => {
    const warnings = (eventPatternCharacters: number) =>
      createStack(notifications, { quotas: { eventPatternCharacters } })
        .node.findAll()
        .flatMap(({ node }) => node.metadata)
        .filter(({ type }) => type === "@cdktf/warn")
        .map(({ data }) => data as string);
    expect(warnings(300)).toEqual([
      expect.stringMatching(
        /^The source "shop" has more detail-types than an event pattern of 300 characters .* "Event n|: Event n/,
      ),
    ]);
    expect(warnings(2048)).toEqual([]);
  });
});

describe("a notification whose id is changed, and whose rule's name is kept", () => {
  /** The logical id of everything that has a physical name, by this name. */
  function addresses(notifications: readonly Notification[], environment: Parameters<typeof configOf>[0] = {}) {
    const stack = synthesized(
      new NotificationStack(Testing.app(), "notification", configOf(environment), notifications, () =>
        loadTemplate(emailRequest),
      ),
    );
    const { resource } = JSON.parse(stack.text) as {
      resource: Record<string, Record<string, Record<string, unknown>>>;
    };
    return new Map(
      Object.entries(resource).flatMap(([type, resources]) =>
        Object.entries(resources).map(([id, attributes]) => [`${type} ${physicalNameOf(type, attributes)}`, id]),
      ),
    );
  }

  /** The name by which the provider finds the resource. */
  function physicalNameOf(type: string, attributes: Record<string, unknown>): string {
    if (type === "aws_cloudwatch_event_target") {
      return [attributes.event_bus_name, attributes.rule, attributes.target_id].map(String).join(" ");
    }
    if (type === "aws_sesv2_email_identity") return String(attributes.email_identity);
    const name = attributes[nameLimits[type]?.attribute ?? ""];
    return typeof name === "string" ? name : JSON.stringify(attributes);
  }

  function movesOf(before: Map<string, string>, after: Map<string, string>) {
    return [...after].filter(([physical, id]) => before.has(physical) && before.get(physical) !== id);
  }

  it("keeps the address of everything that keeps its name", () => {
    const before = addresses(seedCatalogue);
    const after = addresses(
      seedCatalogue.map((each) => (each.id === "email-request" ? { ...each, id: "mail" } : each)),
    );
    expect(movesOf(before, after)).toEqual([]);
    expect([...before.keys()].filter((physical) => !after.has(physical))).toEqual([
      expect.stringMatching(/^aws_ses_template shop-dev-email-request-/),
    ]);
  });

  it("keeps it for two notifications that change ids with one another", () => {
    const [first, second] = [
      notificationNamed("a", { ruleName: "b-rule" }),
      notificationNamed("b", { ruleName: "a-rule" }),
    ];
    const renamed = [
      { ...first, id: "b" },
      { ...second, id: "a" },
    ];
    expect(movesOf(addresses([first, second]), addresses(renamed))).toEqual([]);
  });

  it("keeps the identity of a recipient that becomes the sender", () => {
    const before = addresses(seedCatalogue, { EMAIL_SENDER: "a@example.com", EMAIL_RECIPIENT: "b@example.com" });
    const after = addresses(seedCatalogue, { EMAIL_SENDER: "b@example.com", EMAIL_RECIPIENT: "a@example.com" });
    expect(movesOf(before, after)).toEqual([]);
  });
});

it("lets no rule be without a target while its notification changes lanes", () => {
  const targets = synth(seedCatalogue).resources("aws_cloudwatch_event_target");
  expect(targets.map(({ lifecycle }) => lifecycle)).toEqual(targets.map(() => ({ create_before_destroy: true })));
});

describe("what a notification says", () => {
  const synthOf = (changes: Partial<Notification>) => synth([notificationNamed("n", changes)]);

  it("is no expression of Terraform's, in the description, the pattern and the detail-type", () => {
    const stack = synthOf({
      description: "Costs ${price} %{if}",
      trigger: { kind: "event", source: "shop", detailType: "Price of ${x}", detailPattern: { kind: ["%{y}"] } },
    });
    const rule = stack.resources("aws_cloudwatch_event_rule").find(({ name }) => name === "shop-prod-n-rule");
    expect(rule?.description).toBe("Costs $${price} %%{if}");
    expect(rule?.event_pattern).toBe(
      '{"source":["shop"],"detail-type":["Price of $${x}"],"detail":{"kind":["%%{y}"]}}',
    );
    for (const name of ["unmatched-rule", "unrouted-rule"]) {
      const complement = stack.resources("aws_cloudwatch_event_rule").find((each) => each.name === `shop-prod-${name}`);
      expect(complement?.event_pattern).toContain("Price of $${x}");
    }
  });

  it("is refused where it is longer than AWS takes", () => {
    expect(() => synthOf({ description: "a".repeat(513) })).toThrow(
      /texts-fit: aws_cloudwatch_event_rule\.\S+ has 513 characters of description, and AWS takes 512/,
    );
    const detailPattern = { order: Array.from({ length: 200 }, (_, at) => `order-${1000 + at}`) };
    expect(() => synthOf({ trigger: { kind: "event", source: "shop", detailType: "Order", detailPattern } })).toThrow(
      /texts-fit: \S+ has \d+ characters of event_pattern, and AWS takes 2048/,
    );
  });
});
