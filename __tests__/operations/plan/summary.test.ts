import { readFileSync } from "node:fs";
import { join } from "node:path";
import MarkdownIt from "markdown-it";
import { summarize, type SummaryOptions } from "../../../operations/plan/summary";
import { readPlan, type TerraformPlan } from "../../../operations/plan/terraform-json";

/**
 * The plan is one of Terraform 1.11.4 and the AWS provider 5.100.0 against the sandbox, without the resources that stay
 * as they are, and with values cut where nothing reads them.
 */
const recorded = readFileSync(join(__dirname, "..", "..", "fixtures", "plan.json"), "utf8");

/** The recorded plan, with a part of it changed. */
function plan(change: (json: RecordedPlan) => void = () => undefined): TerraformPlan {
  const json = JSON.parse(recorded) as RecordedPlan;
  change(json);
  return readPlan(JSON.stringify(json));
}
interface RecordedChange {
  address: string;
  type: string;
  mode: string;
  action_reason?: string;
  change: {
    actions: string[];
    before: Attributes;
    after: Attributes;
    after_unknown?: unknown;
    before_sensitive?: unknown;
    after_sensitive?: unknown;
    importing?: unknown;
  };
}
type Attributes = Record<string, unknown> | null;
interface RecordedPlan {
  resource_changes: RecordedChange[];
  resource_drift: RecordedChange[];
  output_changes: Record<string, object>;
  planned_values: { root_module: { resources: { address: string; mode: string; type: string; values: object }[] } };
  configuration: { root_module: { resources: unknown[] } };
  complete?: boolean;
  errored?: boolean;
}

const nothing = (json: RecordedPlan) => {
  json.resource_changes = [];
  json.resource_drift = [];
  json.output_changes = {};
};
const only = (...changes: readonly RecordedChange[]) =>
  plan((json) => {
    nothing(json);
    json.resource_changes = [...changes];
  });
const change = (
  type: string,
  before: Attributes,
  after: Attributes,
  others: Partial<RecordedChange["change"]> = {},
): RecordedChange => ({
  address: `${type}.one`,
  type,
  mode: "managed",
  change: {
    actions: before === null ? ["create"] : after === null ? ["delete"] : ["update"],
    before,
    after,
    ...others,
  },
});

const markdown = new MarkdownIt({ html: true });
const summary = (of: TerraformPlan = plan(), options?: SummaryOptions) => summarize(of, options);
/** The lines of one section. */
function sectionOf(text: string, title: string): string[] {
  const [, rest = ""] = text.split(`\n### ${title}\n\n`);
  return (rest.split("\n### ")[0] ?? "").split("\n");
}
const lineWith = (text: string, part: string) => text.split("\n").find((line) => line.includes(part)) ?? "";

describe("the summary of a recorded plan", () => {
  const text = summary();

  it("says stage, account and region, and counts", () => {
    const [title, , counts] = text.split("\n");
    expect(title).toBe("## Plan of the stage `sandbox`: account `123456789012`, region `us-east-1`");
    expect(counts).toContain("**2 to create, 8 to change, 4 to replace, 1 to destroy, 1 to forget, 1 moved.**");
  });

  it("has what is destroyed and replaced first, what loses data before the rest, and then permissions", () => {
    expect(text.match(/^### .+$/gm)).toEqual([
      "### Destroyed and replaced",
      "### Permissions",
      "### Alarms",
      "### Templates",
      "### Everything else",
      "### Moved, forgotten and imported",
      "### Outputs",
      "### Changed outside Terraform",
      "### Cost at rest",
    ]);
    expect(sectionOf(text, "Destroyed and replaced")[0]).toBe(
      "- **Replaced:** queue `retries`, because `name` can't be changed; the new one is made before the old one is destroyed. ⚠️ **The messages in it are lost.**",
    );
  });

  it("tells permissions in words, without ARNs of the stage, and what is wider first", () => {
    const lines = sectionOf(text, "Permissions").filter((line) => line !== "");
    const wider = lines.filter((line) => line.startsWith("- ⚠️ **Wider**"));
    expect(lines.slice(0, wider.length)).toEqual(wider);
    expect(lines.join("\n")).not.toContain("arn:");
    expect(lines).toEqual(
      expect.arrayContaining([
        "- ⚠️ **Wider** (every action of a pattern): Function `priority-email-processor` **may now** `dynamodb:*` on table `claims`.",
        "- ⚠️ **Wider** (a denial is gone): Everyone **is no longer denied** `sqs:*` on queue `dead-letters` if `aws:SecureTransport` `Bool` `false`.",
        "- ⚠️ **Wider** (a service on anybody's behalf): The service `s3.amazonaws.com` **may now** `lambda:InvokeFunction` on function `priority-email-processor`.",
        "- Function `priority-email-processor` **may now** `dynamodb:DeleteItem` on table `claims`.",
        "- Function `email-processor` **may no longer** `sqs:DeleteMessage`, `sqs:GetQueueAttributes`, `sqs:ReceiveMessage` on queue `retries`.",
      ]),
    );
    expect(lineWith(text, "the condition is gone")).toMatch(
      /Function `email-processor` may still `ses:SendTemplatedEmail` .+ now \*\*without a condition\*\* \(before: if `ses:FromAddress` `StringEquals` `notifications@example\.com`\)\.$/,
    );
  });

  it("reads a policy that only the apply knows from its data source, and names the new resource", () => {
    expect(sectionOf(text, "Permissions")).toContain(
      "- Function `email-processor` **may now** `sqs:DeleteMessage`, `sqs:GetQueueAttributes`, `sqs:ReceiveMessage` on new queue `retries-2`.",
    );
    const without = summary(plan((json) => (json.configuration.root_module.resources = [])));
    expect(without).toContain(
      "⚠️ **Wider** (not known yet): The policy of function `email-processor` is known only after the apply.",
    );
  });

  it("has alarms with what makes them ring", () => {
    expect(sectionOf(text, "Alarms")).toEqual(
      expect.arrayContaining([
        "- New alarm `new-alarm`: rings where the `Maximum` of `AWS/SQS ApproximateNumberOfMessagesVisible` is ≥ `1` within 5 m.",
        "- ⚠️ The alarm `daily-report-failed-invocations` is removed. It rang where the `Sum` of `AWS/Events FailedInvocations` is ≥ `1` within 5 m.",
        "  - `threshold`: `1` → `7`",
      ]),
    );
  });

  it("has a template's differing lines, and the mail before and after", () => {
    const lines = sectionOf(text, "Templates");
    expect(lines).toEqual(
      expect.arrayContaining([
        "- Template `email-request` changes: subject, html.",
        "-{{subject.subject}}",
        "+Changed: {{subject.subject}}",
      ]),
    );
    expect(lines).toEqual(
      expect.arrayContaining(["Subject: `Your export is ready`", "Subject: `Changed: Your export is ready`"]),
    );
  });

  it("says what is unknown, and never a sensitive value", () => {
    expect(text).toContain("- `new_queue`: nothing → (known after apply)");
    expect(text).toContain("  - `environment[0].variables.API_KEY`: nothing → (sensitive)");
    expect(recorded).toContain("s3cr3t-value");
    expect(text).not.toContain("s3cr3t-value");
  });

  it("has what moved, what is forgotten, and what was changed outside Terraform", () => {
    expect(text).toContain(
      "- Moved: `aws_kms_alias.monitoring_alarm-topic_key-alias_9A2C0E56` is now `aws_kms_alias.renamed`.",
    );
    expect(text).toContain(
      "- ⚠️ Forgotten: `aws_cloudwatch_log_metric_filter.delivery-feedback_metric-Bounces_B1940A0B`",
    );
    const drifted = sectionOf(text, "Changed outside Terraform");
    expect(drifted.slice(0, 2)).toEqual([
      "- ⚠️ `aws_sqs_queue.dead-letters_queue_20205199` was changed (the plan changes this resource, see above):",
      "  - `message_retention_seconds`: `1209600` → `600`",
    ]);
    // The bus has drifted from no tags to empty ones, which is nothing; the topic's policy is set by another resource.
    expect(drifted.join("\n")).not.toContain("aws_cloudwatch_event_bus");
    expect(lineWith(text, "`aws_sns_topic.monitoring_alarm-topic_EAF15B41`: `policy`")).not.toBe("");
  });

  it("is the same page for the same plan", () => {
    expect(summary()).toBe(text);
  });
});

describe("a plan without changes", () => {
  it("is one line", () => {
    expect(summary(plan(nothing)).trim().split("\n").slice(1)).toEqual([
      "",
      "**No changes** of resources: what is deployed is what the code says.",
    ]);
  });

  it("still has what was changed outside Terraform", () => {
    const drifted = plan((json) => {
      const { resource_drift } = json;
      nothing(json);
      json.resource_drift = resource_drift;
    });
    expect(summary(drifted)).toContain("**No changes** of resources");
    expect(sectionOf(summary(drifted), "Changed outside Terraform")[0]).toContain("(the plan leaves it so)");
  });

  it("may be one of outputs alone", () => {
    const outputs = plan((json) => {
      const { output_changes } = json;
      nothing(json);
      json.output_changes = output_changes;
    });
    expect(summary(outputs)).toContain("**No changes** of resources, only of outputs.");
  });
});

describe("what is lost", () => {
  it.each([
    ["aws_sqs_queue", "The messages in it are lost."],
    ["aws_dynamodb_table", "The claims in it are lost"],
    ["aws_sesv2_email_identity", "before it is verified again"],
    ["aws_cloudwatch_event_archive", "can't be replayed"],
  ])("with %s is said", (type, loss) => {
    for (const actions of [["delete"], ["delete", "create"], ["create", "delete"]]) {
      const gone = change(type, { name: "email-automation-sandbox-x" }, actions.length === 1 ? null : { name: "y" }, {
        actions,
      });
      expect(sectionOf(summary(only(gone)), "Destroyed and replaced")[0]).toContain(loss);
    }
  });
});

describe("values", () => {
  it("that are sensitive are shown on neither side, where one side alone says so", () => {
    const secret = change(
      "aws_lambda_function",
      { description: "before-secret" },
      { description: "after-secret" },
      { before_sensitive: { description: true }, after_sensitive: {} },
    );
    const text = summary(only(secret));
    expect(text).toContain("its sensitive value changes");
    expect(text).not.toMatch(/before-secret|after-secret/);
  });

  it("that are sensitive are not shown of a new resource, of a policy, and of an output", () => {
    const made = change(
      "aws_lambda_function",
      null,
      { description: "a-secret", tags: { deep: "a-secret" } },
      { after_sensitive: { description: true, tags: true } },
    );
    const policy = change(
      "aws_sns_topic_policy",
      { policy: "{}" },
      { policy: '{"Statement":{"Effect":"Allow","Action":"a-secret","Resource":"*"}}' },
      { after_sensitive: { policy: true } },
    );
    const text = summary(
      plan((json) => {
        nothing(json);
        json.resource_changes = [made, policy];
        json.output_changes = {
          key: {
            actions: ["create"],
            before: null,
            after: "a-secret",
            after_unknown: false,
            before_sensitive: false,
            after_sensitive: true,
          },
        };
      }),
    );
    expect(text).toContain("description = (sensitive)");
    expect(text).toContain("is sensitive, so its change is not shown.");
    expect(text).toContain("- `key`: nothing → (sensitive)");
    expect(text).not.toContain("a-secret");
  });

  it("that are long are folded, line by line", () => {
    const long = (end: string) => JSON.stringify({ widgets: Array.from({ length: 40 }, (_, n) => ({ n })), end });
    const text = summary(
      only(change("aws_cloudwatch_dashboard", { dashboard_body: long("a") }, { dashboard_body: long("b") })),
    );
    expect(text).toContain("  - `dashboard_body`: see below");
    expect(text).toMatch(/^-\s+"end": "a",$/m);
    expect(text.split("\n").filter((line) => line.includes('"n":')).length).toBeLessThan(4);
  });
});

describe("foreign texts", () => {
  const hostile = [
    "@octo-org/team please #1 octo-org/octo#2 <!-- hidden",
    "`` ` ``` ```` `@octo-org/team` `",
    "</code></summary></details><img src=x onerror=alert(1)><script>",
    "a | b\n\n# heading\n- item\n<details>\n```\n~~~\n[link](https://evil.example) **bold**",
    "\u202egnirts\u2028\u0007 \u200b",
    "${jndi} {{subject}} &lt;b&gt; \\` \\",
  ];
  const everywhere = (text: string) =>
    plan((json) => {
      const hurt = (value: unknown): unknown => {
        if (typeof value === "string") return value.startsWith("{") ? value : `${value}${text}`;
        if (Array.isArray(value)) return value.map(hurt);
        if (typeof value !== "object" || value === null) return value;
        return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hurt(each)]));
      };
      for (const each of [...json.resource_changes, ...json.resource_drift]) {
        each.address += text;
        each.change.before = hurt(each.change.before) as Attributes;
        each.change.after = hurt(each.change.after) as Attributes;
        if (each.type === "aws_ses_template" && each.change.after !== null)
          each.change.after.name = "email-automation-sandbox-email-request-0badcafe";
      }
      json.output_changes = { [`name${text}`]: { actions: ["update"], before: text, after: `${text}!` } };
      const policy = JSON.stringify({
        Statement: {
          Effect: "Allow",
          Principal: { AWS: text },
          Action: text,
          Resource: text,
          Condition: { [text]: { [text]: text } },
        },
      });
      json.resource_changes.push({
        ...change("aws_sns_topic_policy", { policy: "{}" }, { policy }),
        address: `aws_sns_topic_policy.${text}`,
      });
      json.resource_changes.push({
        ...change(`aws_${text}`, null, { name: text, [text]: text }),
        address: `aws_x.${text}`,
      });
    });

  it.each(hostile)("stay inert: %j", (text) => {
    const page = summary(everywhere(text));
    const tokens = markdown.parse(page, {});
    const flat = tokens.flatMap((token) => [token, ...(token.children ?? [])]);
    // Outside of code, nothing of the text is there for GitHub to read.
    const open = flat
      .filter(({ type }) => ["text", "html_block", "html_inline"].includes(type))
      .map(({ content }) => content.replace(/<code>[^<]*<\/code>/g, ""))
      .join("\n");
    expect(open).not.toMatch(/@octo|octo-org|#1\b|onerror|alert|evil\.example|gnirts|jndi|hidden|\u202e|\u200b/);
    expect(flat.filter(({ type }) => ["link_open", "image"].includes(type))).toEqual([]);
    expect(flat.filter(({ type }) => type === "heading_open").map(({ tag }) => tag)).toEqual([
      "h2",
      ...(page.match(/^### [A-Z]/gm) ?? []).map(() => "h3"),
    ]);
    const htmlTags = flat
      .filter(({ type }) => type.startsWith("html"))
      .flatMap(({ content }) => content.match(/<[^>]*>?/g) ?? []);
    expect([...new Set(htmlTags)].sort()).toEqual([
      "</code>",
      "</details>",
      "</summary>",
      "<code>",
      "<details>",
      "<summary>",
    ]);
    for (const sign of ["\u202e", "\u2028", "\u0007", "\u200b"]) expect(page).not.toContain(sign);
    const count = (tag: string) => htmlTags.filter((each) => each === tag).length;
    expect(count("<details>")).toBe(count("</details>"));
  });

  it("stay inert in a heading and in the last sentence", () => {
    const [text = ""] = hostile;
    const page = summary(plan(), { title: text, whole: text, limit: 3000 });
    expect(page).not.toMatch(/@octo|<!--|#1 /);
  });
});

describe("a page that is too long", () => {
  const bulky = plan((json) => {
    for (let at = 0; at < 900; at += 1) {
      const made = change("aws_lambda_function", null, { function_name: `f${at}`, description: "x".repeat(400) });
      json.resource_changes.push({ ...made, address: `aws_lambda_function.f${at}` });
      json.resource_changes.push({
        ...change("aws_sqs_queue", { name: `q${at}` }, null),
        address: `aws_sqs_queue.q${at}`,
      });
    }
  });

  it("is cut to what a comment of GitHub takes, whole pieces at a time, and says where the whole is", () => {
    const text = summary(bulky, { whole: "the artifact plan-dev" });
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text.trim().split("\n").at(-1)).toBe(
      "**This page is cut**, because it would be longer than 65,536 characters. The whole: the artifact plan&#45;dev.",
    );
    const count = (part: string) => text.split(part).length;
    expect(count("<details>")).toBe(count("</details>"));
    expect(text.split("\n").filter((line) => line.startsWith("```")).length % 2).toBe(0);
    // Nobody can push a permission out of sight with a long list of other things.
    expect(sectionOf(text, "Permissions")).toEqual(sectionOf(summary(), "Permissions"));
    expect(lineWith(text, "more entries of this section are left out")).toMatch(/^- \*\*\d/);
    expect(text).toContain("### Cost at rest");
  });

  it("is whole where there is no limit", () => {
    const text = summary(bulky, { limit: Number.POSITIVE_INFINITY });
    expect(text.length).toBeGreaterThan(65_536);
    expect(text).not.toContain("This page is cut");
  });
});

describe("costs", () => {
  it("have the lines that differ, and the difference", () => {
    const dearer = plan((json) => {
      nothing(json);
      json.resource_changes = [change("aws_kms_key", null, { description: "x" })];
      json.planned_values.root_module.resources.push({
        address: "aws_kms_key.one",
        mode: "managed",
        type: "aws_kms_key",
        values: { description: "x" },
      });
    });
    const lines = sectionOf(summary(dearer), "Cost at rest");
    expect(lines[0]).toMatch(/ a month, \+\$\d/);
    expect(lines.filter((line) => line.startsWith("| KMS keys"))).toEqual([
      "| KMS keys | – | 1 × $1.00 for key a month = $1.00 |",
    ]);
  });

  it("name a kind without a price", () => {
    const unknown = plan((json) =>
      json.planned_values.root_module.resources.push({
        address: "aws_nat_gateway.one",
        mode: "managed",
        type: "aws_nat_gateway",
        values: { name: "x" },
      }),
    );
    expect(summary(unknown)).toContain("⚠️ No price is known for `aws_nat_gateway`.");
  });
});

describe("what Terraform says of the plan itself", () => {
  it("is passed on", () => {
    expect(summary(plan((json) => (json.errored = true)))).toContain("⚠️ **Terraform met an error**");
    expect(summary(plan((json) => (json.complete = false)))).toContain("⚠️ **The plan is incomplete**");
    expect(summary()).not.toMatch(/met an error|is incomplete/);
  });
});

describe("readPlan", () => {
  it.each([
    ["no JSON", "secret {", "it is not JSON"],
    ["a state", "{}", "format_version"],
    ["another form", '{"format_version":"2.0"}', "1.x is needed"],
  ])("refuses %s without its values", (_, text, problem) => {
    expect(() => readPlan(text)).toThrow(problem);
    expect(() => readPlan(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") as string }) as Error,
    );
  });

  it("takes a plan of which nothing is there yet", () => {
    expect(summary(readPlan('{"format_version":"1.2"}'))).toContain("**No changes**");
  });
});
