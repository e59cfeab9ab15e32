import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalogue } from "../../handler/notifications";
import { escapeForTerraform, loadTemplate } from "../../stacks/templates";

function check(html: string, text = "{{title}}") {
  const folder = mkdtempSync(join(tmpdir(), "template-"));
  writeFileSync(join(folder, "body.html"), html);
  writeFileSync(join(folder, "body.txt"), text);
  return () => loadTemplate({ id: "example", subject: "{{title}}", variables: ["title"] }, folder);
}

it.each(catalogue.map((notification) => [notification.id, notification] as const))(
  "accepts the template of %s",
  (_, notification) => {
    expect(loadTemplate(notification).html).toContain("Html}}");
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

it("keeps Terraform from interpolating", () => {
  expect(escapeForTerraform("${a} %{b} $x")).toBe("$${a} %%{b} $x");
});
