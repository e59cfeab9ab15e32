import { render } from "../../../src/services/ses/render";

describe("rendering", () => {
  it("supports what SES documents: conditions, loops, dotted names", () => {
    const template = {
      subject: "{{a.b}}",
      html: "{{#each list}}<i>{{this}}</i>{{/each}}",
      text: "{{#if on}}yes{{else}}no{{/if}}",
    };
    expect(render(template, { a: { b: 1 }, list: ["x", "&"], on: false })).toEqual({
      subject: "1",
      html: "<i>x</i><i>&</i>",
      text: "no",
    });
  });

  it("fails for a template that is malformed, and says which part", () => {
    expect(() => render({ subject: "ok", html: "{{#if}}", text: "" }, {})).toThrow(/the HTML part cannot be rendered/);
  });
});
