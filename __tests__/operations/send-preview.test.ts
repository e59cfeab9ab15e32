import { priorityAlert } from "../../handler/notifications/priority-alert";
import { type Notification } from "../../handler/notifications/define";
import { type CheckedEvent, checkedEvent } from "../../operations/send/event";
import { type MailPreview, previewOf } from "../../operations/send/preview";
import { type Config } from "../../stacks/config";
import { type Edition } from "../../handler/notifications/editions";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
import { runOperation } from "../support/operations-command";

const detail = JSON.stringify({
  priority: "critical",
  emailConfig: { recipient: ["ada@example.com", "jane@example.com"], subject: "Disk & network" },
  title: "Disk <full>",
  message: "No space.",
});
const words = ["send", "priority-alert", "--detail", detail, "--preview"];

it("prints what would go out, and needs neither a stage nor AWS", async () => {
  const { code, output, errors } = await runOperation(words);
  expect({ code, errors }).toEqual({
    code: 0,
    errors: "Nothing is put. The sender is that of the stage sandbox.\n",
  });
  for (const line of [
    /^From: +\S+@\S+$/m,
    /^To: +ada@example\.com, jane@example\.com$/m,
    /^Subject: +Disk & network$/m,
    /^Locale: +en$/m,
    /^\[critical\] Disk <full>$/m,
    /^Template data:$/m,
    /"title": "Disk &lt;full&gt;"/,
  ]) {
    expect(output).toMatch(line);
  }
  expect(output).not.toMatch(/^Variant:/m);
});

it("prints the HTML alone, and one JSON document", async () => {
  const { output: html } = await runOperation([...words, "--html"]);
  expect(html).toMatch(/^<!doctype html>/i);
  expect(html).toContain("Disk &lt;full&gt;");
  const { output } = await runOperation([...words, "--json"]);
  expect(JSON.parse(output) as MailPreview).toMatchObject({
    notification: "priority-alert",
    locale: "en",
    to: ["ada@example.com", "jane@example.com"],
    subject: "Disk & network",
    text: expect.stringContaining("[critical] Disk <full>") as string,
    html: html,
    templateData: { text: { title: "Disk <full>" } },
  });
});

it("takes sender and reply address of the stage that is configured", async () => {
  const { code, output, errors } = await runOperation(words, {
    STAGE: "dev",
    PROJECT_NAME: "shop",
    AWS_REGION: "eu-west-1",
    AWS_ACCOUNT_ID: "123456789012",
    EMAIL_SENDER: "shop@mail.example",
    EMAIL_RECIPIENT: "team@mail.example",
    EMAIL_REPLY_TO: "help@mail.example",
  });
  expect({ code, errors }).toMatchObject({ code: 0, errors: expect.stringContaining("stage dev") as string });
  expect(output).toMatch(/^From: +shop@mail\.example$/m);
  expect(output).toMatch(/^Reply-To: +help@mail\.example$/m);
});

it.each([
  [["--locale", "fr"], '--locale: "priority-alert" has no locale "fr": use one of en.'],
  [["--variant", "b"], '--variant: "priority-alert" has no variants. Leave it out.'],
])("names the declared editions: %j", async (option, problem) => {
  expect(await runOperation([...words, ...option])).toEqual({ code: 2, output: "", errors: `${problem}\n` });
});

it("has these options for a preview alone", async () => {
  const { code, errors } = await runOperation(["send", "priority-alert", "--sandbox", "--locale", "en", "--html"]);
  expect({ code, errors }).toEqual({ code: 2, errors: "--locale and --html: only with --preview.\n" });
});

describe("of several editions", () => {
  const declared: Pick<Notification, "locales" | "variants"> = {
    locales: ["en", "fr"],
    variants: { a: { weight: 1 }, b: { weight: 0 } },
  };
  const notification: Notification = { ...priorityAlert, ...declared };
  const { event } = checkedEvent("priority-alert", { sandbox: true });
  const checked = { notification, event } as CheckedEvent;
  const stage: Pick<Config, "senders" | "replyTo" | "stage"> = {
    senders: [{ name: "default", address: "shop@mail.example", identity: { kind: "domain", value: "mail.example" } }],
    replyTo: [],
    stage: "dev",
  };
  const asked: (Edition | undefined)[] = [];
  const templateOf: TemplateReader = (_, edition) => {
    asked.push(edition);
    return loadTemplate(priorityAlert);
  };

  it.each([
    [{}, { locale: "en", variant: "a" }],
    [{ locale: "fr" }, { locale: "fr", variant: "a" }],
    [{ variant: "b" }, { locale: "en", variant: "b" }],
    [
      { locale: "fr", variant: "b" },
      { locale: "fr", variant: "b" },
    ],
  ])("%j is %j", (options, edition) => {
    asked.length = 0;
    expect(previewOf(checked, stage, options, templateOf)).toMatchObject({ from: "shop@mail.example", ...edition });
    expect(asked).toEqual([edition]);
  });

  it("without a choice, the language and the variant are those of the event's reader", () => {
    const french: Notification = {
      ...notification,
      prepare: (each) => ({ ...notification.prepare(each), localeOf: () => "fr" }),
      chosenVariant: () => "b",
    };
    const preview = previewOf({ ...checked, notification: french } as CheckedEvent, stage, {}, templateOf);
    expect(preview).toMatchObject({ locale: "fr", variant: "b" });
  });

  it("a locale and a variant that are none are told with those there are", () => {
    expect(() => previewOf(checked, stage, { locale: "de" }, templateOf)).toThrow("use one of en, fr.");
    expect(() => previewOf(checked, stage, { variant: "c" }, templateOf)).toThrow("use one of a, b.");
  });

  it("a sender that the stage lacks is told", () => {
    const other = { ...checked, notification: { ...notification, sender: "billing" } } as CheckedEvent;
    expect(() => previewOf(other, stage, {}, templateOf)).toThrow('The stage dev has no sender "billing"');
  });
});
