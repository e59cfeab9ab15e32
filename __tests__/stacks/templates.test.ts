import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Testing } from "cdktf";
import { catalogue } from "../../handler/notifications";
import { seedCatalogue } from "../../handler/notifications/seed";
import { NotificationStack } from "../../stacks/notification-stack";
import { escapeForTerraform, loadTemplate, storedTemplateName, templateHash } from "../../stacks/templates/load";
import { configOf } from "../support/stack";

function check(html: string, text = "{{title}}", subject = "{{title}}") {
  const folder = mkdtempSync(join(tmpdir(), "template-"));
  writeFileSync(join(folder, "index.ts"), `defineNotification({\n  id: "example",\n  subject: "${subject}",\n});\n`);
  writeFileSync(join(folder, "body.html"), html);
  writeFileSync(join(folder, "body.txt"), text);
  return () => loadTemplate({ id: "example", subject, variables: ["title"] }, folder);
}

it.each(catalogue.map((notification) => [notification.id, notification] as const))(
  "accepts the template of %s",
  (_, notification) => {
    expect(loadTemplate(notification).subject).toBe(notification.subject);
  },
);

it("names file, line and variable that the mapping does not supply", () => {
  expect(check("<p>\n{{nothing}}</p>")).toThrow(/body\.html:2: \{\{nothing\}\} is not supplied by the mapping/);
});

it("names the variable that was meant, where only the case differs", () => {
  expect(check("<p>{{titlehtml}}</p>")).toThrow(/did you mean \{\{titleHtml\}\}\?/);
});

it("refuses a raw variable in an HTML body", () => {
  expect(check("<p>{{title}}</p>")).toThrow(/not escaped; an HTML body reads \{\{titleHtml\}\}/);
});

it("names the line of a template that can't be parsed", () => {
  expect(check("<p>\n\n{{#if titleHtml}}")).toThrow(/body\.html:3/);
});

it("looks into blocks", () => {
  expect(check("{{#if titleHtml}}{{missing}}{{/if}}")).toThrow(/\{\{missing\}\}/);
});

it.each([
  ["a block's condition", "{{#if missing}}x{{/if}}"],
  ["the other branch", "{{#if titleHtml}}x{{else}}{{missing}}{{/if}}"],
  ["a list", "{{#each missing}}x{{/each}}"],
  ["three braces", "{{{missing}}}"],
  ["a name in quotation marks", '{{"missing"}}'],
  ["a nested call", "{{#if (missing titleHtml)}}x{{/if}}"],
  ["a named parameter", "{{#if titleHtml key=missing}}x{{/if}}"],
])("finds a variable that is not supplied in %s", (_, html) => {
  expect(check(html)).toThrow(/body\.html:1: \{\{missing\}\} is not supplied/);
});

it.each(["{{@root.missing}}", "{{@root.title}}"])("refuses %s, which goes round the names", (html) => {
  expect(check(html)).toThrow(/body\.html:1: \{\{@root\.\w+\}\} is not supplied/);
});

it("takes a list's position, which Handlebars brings", () => {
  expect(check("{{#each titleHtml}}{{@index}}{{/each}}")).not.toThrow();
});

// JavaScript objects or Handlebars' helpers have these names, but SES looks for them in the data.
it.each(["constructor", "toString", "__proto__", "log", "lookup", "if", "each"])(
  "refuses {{%s}} as any other variable that is not supplied",
  (name) => {
    expect(check(`<p>{{${name}}}</p>`)).toThrow(`body.html:1: {{${name}}} is not supplied by the mapping`);
  },
);

it("names the subject's line in the definition", () => {
  expect(check("{{titleHtml}}", "{{title}}", "Hello {{name}}")).toThrow(
    /index\.ts:3: \{\{name\}\} is not supplied by the mapping; supplied are title, titleHtml/,
  );
});

it("refuses a raw variable in quotation marks", () => {
  expect(check('<p>{{"title"}}</p>')).toThrow(/not escaped/);
});

it.each(["{{title}}\r\nBcc: eve@example.com", "Invoice \u202efdp.exe"])("refuses the subject %j", (subject) => {
  expect(check("{{titleHtml}}", "{{title}}", subject)).toThrow(
    "index.ts:3: the subject has a line break or another character that no header takes",
  );
});

it("fails the synth, and names all problems of the template at once", () => {
  const [first] = seedCatalogue;
  if (first === undefined) throw new Error("The catalogue is empty");
  const { subject, variables } = first;
  try {
    Object.assign(first, { subject: "{{Subject}}", variables: ["title", "message", "source"] });
    expect(() => new NotificationStack(Testing.app(), "notification", configOf(), seedCatalogue)).toThrow(
      /^The catalogue has 3 problems; nothing was synthesized\.\n[\s\S]*email-request\/index\.ts:\d+: \{\{Subject\}\}[\s\S]*email-request\/body\.html:8: \{\{timestampHtml\}\}[\s\S]*email-request\/body\.txt:5: \{\{timestamp\}\}/,
    );
  } finally {
    Object.assign(first, { subject, variables });
  }
});

describe("the hash of a template", () => {
  const template = { subject: "{{subject}}", html: "<p>{{titleHtml}}</p>", text: "{{title}}" };

  it.each(["subject", "html", "text"] as const)("is another one where the %s is", (part) => {
    expect(templateHash({ ...template, [part]: `${template[part]} ` })).not.toBe(templateHash(template));
  });

  it("is another one where a text has moved from part to part", () => {
    expect(templateHash({ ...template, html: template.text, text: template.html })).not.toBe(templateHash(template));
  });

  it.each([
    ["Windows", "\r\n"],
    ["old Macs", "\r"],
  ])("is the same with the line ends of %s", (_, lineEnd) => {
    const lines = (end: string) => check(["<p>", "{{titleHtml}}</p>", ""].join(end), ["{{title}}", ""].join(end))();
    expect(lines(lineEnd)).toEqual(lines("\n"));
    expect(templateHash(lines(lineEnd))).toBe(templateHash(lines("\n")));
  });

  it("is a part of the stored name, behind project, stage and id", () => {
    expect(storedTemplateName("shop-dev", { id: "mail", subject: "", variables: [] }, () => template)).toBe(
      `shop-dev-mail-${templateHash(template)}`,
    );
    expect(templateHash(template)).toMatch(/^[0-9a-f]{8}$/);
  });
});

it("keeps Terraform from interpolating", () => {
  expect(escapeForTerraform("${a} %{b} $x")).toBe("$${a} %%{b} $x");
});
