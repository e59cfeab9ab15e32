import * as z from "zod";
import { type Edition } from "../../../handler/notifications/editions";
import { type Template, renderTemplate } from "../../../stacks/templates/render";
import { toTemplateData } from "../../../handler/contract/template-data";
import { TemplateError } from "../../../stacks/templates/load";
import { templateOfFiles } from "../../support/template-files";

const content = z.object({ name: z.string(), rows: z.array(z.object({ name: z.string() })) });
const value = { name: "Ada & Bob", rows: [{ name: "<tea>" }] };
const locales: [string, ...string[]] = ["en", "fr", "fr-CA"];
const variants = { a: { weight: 1 }, b: { weight: 1 } };
const subject = '{{t "subject"}}';

type Files = Readonly<Record<string, string>>;
const texts = (file: object) => JSON.stringify(file, null, 2);

/** A notification in two languages whose body is shared. */
const shared: Files = {
  "body.html": '<html lang="en"><body><p>{{t "thanks"}}</p>{{#each rows}}<i>{{t "row"}}</i>{{/each}}</body></html>',
  "messages.en.json": texts({ subject: "For {{name}}", thanks: "Thank you & goodbye, {{name}}", row: "One {{name}}" }),
  "messages.fr.json": texts({ subject: "Pour {{name}}", thanks: "Merci <b> {{name}}", row: "Un {{name}}" }),
};

const load = (files: Files, edition: Edition, changes: object = {}) =>
  templateOfFiles({ id: "example", subject, content, locales, ...changes }, files, edition);

function mail(files: Files, edition: Edition, changes: object = {}): Template {
  const template = load(files, edition, changes);
  return renderTemplate(template, { ...toTemplateData(value, template.reads) });
}

/** The problems, without the folder of the test's files. */
function problemsOf(files: Files, edition: Edition, changes: object = {}): string[] {
  try {
    load(files, edition, changes);
    return [];
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return error.problems.map((problem) =>
      problem.replaceAll(/[^\s"]*\/(?=[\w.-]+\.(?:json|html|txt|ts|mjml)\b)/g, ""),
    );
  }
}

describe("a text of the messages file", () => {
  it("is escaped in the HTML, raw in the text, and takes its values from where it stands", () => {
    expect(mail(shared, { locale: "en" })).toMatchObject({
      subject: "For Ada & Bob",
      html: expect.stringContaining("Thank you &amp; goodbye, Ada &amp; Bob</p><i>One &lt;tea&gt;</i>") as string,
      text: expect.stringContaining("Thank you & goodbye, Ada & Bob") as string,
    });
    expect(mail(shared, { locale: "fr" })).toMatchObject({
      subject: "Pour Ada & Bob",
      html: expect.stringContaining("Merci &lt;b&gt; Ada &amp; Bob</p><i>Un &lt;tea&gt;</i>") as string,
      text: expect.stringContaining("Merci <b> Ada & Bob") as string,
    });
  });

  it("is that of the language where the region has none, and the region's own otherwise", () => {
    expect(mail(shared, { locale: "fr-CA" }).subject).toBe("Pour Ada & Bob");
    const files = { ...shared, "messages.fr-CA.json": texts({ subject: "Pour vous, {{name}}" }) };
    expect(mail(files, { locale: "fr-CA" })).toMatchObject({
      subject: "Pour vous, Ada & Bob",
      html: expect.stringContaining("Merci") as string,
    });
  });

  it("is not that of the language in another script", () => {
    const { "messages.fr.json": _, ...english } = shared;
    const withoutFrench = { ...english, "messages.zh.json": texts({ subject: "简", thanks: "简", row: "简" }) };
    expect(problemsOf(withoutFrench, { locale: "zh-TW" }, { locales: ["en", "zh", "zh-TW"] })).toContain(
      'body.html:1:26: {{t "thanks"}} has no text in "zh-TW": write one into messages.zh-TW.json',
    );
    expect(mail(withoutFrench, { locale: "zh-CN" }, { locales: ["en", "zh", "zh-CN"] }).subject).toBe("简");
  });

  it("is that of the variant where it has one", () => {
    const files = { ...shared, "messages.en.b.json": texts({ subject: "Hello {{name}}" }) };
    expect(mail(files, { locale: "en", variant: "b" }, { variants }).subject).toBe("Hello Ada & Bob");
    expect(mail(files, { locale: "en", variant: "a" }, { variants }).subject).toBe("For Ada & Bob");
  });

  it("is refused where one file has the variant and the other a closer language", () => {
    const files = {
      ...shared,
      "messages.fr.b.json": texts({ thanks: "B", row: "Deux" }),
      "messages.fr-CA.json": texts({ thanks: "CA" }),
    };
    expect(problemsOf(files, { locale: "fr-CA", variant: "b" }, { variants })).toEqual([
      'messages.fr.b.json:2: messages.fr-CA.json has a closer language for "thanks", and this file the variant: write it into messages.fr-CA.b.json.',
    ]);
    const both = { ...files, "messages.fr-CA.b.json": texts({ thanks: "CA & B" }) };
    expect(mail(both, { locale: "fr-CA", variant: "b" }, { variants }).html).toContain("CA &amp; B");
  });

  it("may begin with the mark that editors on Windows write, as may a body", () => {
    const marked = Object.fromEntries(Object.entries(shared).map(([name, text]) => [name, `\ufeff${text}`]));
    expect(mail(marked, { locale: "fr" })).toEqual(mail(shared, { locale: "fr" }));
  });

  it("is markup of the author's with three braces", () => {
    const files = {
      ...shared,
      "body.html": '<p>{{{t "thanks"}}}</p>',
      "messages.en.json": texts({ subject: "S", thanks: "<b>{{name}}</b>" }),
    };
    const { html, text } = mail(files, { locale: "en" });
    expect(html).toContain("<b>Ada &amp; Bob</b>");
    expect(text).toBe("Ada & Bob\n");
  });

  it("may be given to a partial, stand in an attribute, be in a group, and take blanks away", () => {
    const files = {
      "body.html": `{{#* inline "label"}}<b>{{text}}</b>{{/inline}}<i title="{{t "nav.a"}}">{{> label text=(t "nav.a")}} {{~t "b"~}} x</i>`,
      "messages.en.json": texts({ subject: "S", nav: { a: 'A & "b"' }, b: "-" }),
      "messages.fr.json": texts({ subject: "S", nav: { a: "C" }, b: "-" }),
    };
    expect(mail(files, { locale: "en" }).html).toContain(
      '<i title="A &amp; &quot;b&quot;"><b>A &amp; &quot;b&quot;</b>-x</i>',
    );
  });

  it("is escaped also where it has a partial of its own", () => {
    const files = {
      ...shared,
      "messages.en.json": texts({ subject: "S", row: "r", thanks: '{{#* inline "q"}}<b>{{name}}{{/inline}}{{> q}}' }),
    };
    expect(mail(files, { locale: "en" }).html).toContain("&lt;b&gt;Ada &amp; Bob</p>");
  });

  it("may show another one", () => {
    const files = { ...shared, "messages.en.json": texts({ subject: '{{t "thanks"}}!', thanks: "Thanks", row: "r" }) };
    expect(mail(files, { locale: "en" }).subject).toBe("Thanks!");
  });

  it.each<[string, Files, string[]]>([
    [
      "is missing in a language",
      { "messages.fr.json": texts({ subject: "Pour", row: "Un", thank: "Merci" }) },
      ['body.html:1:26: {{t "thanks"}} has no text in "fr": write one into messages.fr.json; did you mean "thank"?'],
    ],
    [
      "reads what is not supplied",
      { "messages.fr.json": '{\n  "subject": "Pour",\n  "thanks": "Merci {{nam}}",\n  "row": "Un"\n}' },
      ["messages.fr.json:3:1: {{nam}} is not supplied by the mapping; did you mean {{name}}?"],
    ],
    [
      "is no template",
      { "messages.fr.json": texts({ subject: "Pour", thanks: "{{#if}", row: "Un" }) },
      [expect.stringMatching(/^messages\.fr\.json:3:1: .* has no end/) as string],
    ],
    [
      "shows itself",
      { "messages.fr.json": texts({ subject: "Pour", thanks: '{{t "row"}}', row: '{{t "thanks"}}' }) },
      [
        'messages.fr.json:4:1: the text "thanks" is written out within itself: {{t "thanks"}} > {{t "row"}} > {{t "thanks"}}',
        'messages.fr.json:3:1: the text "row" is written out within itself: {{t "row"}} > {{t "thanks"}} > {{t "row"}}',
      ],
    ],
    [
      "is no text",
      { "messages.fr.json": texts({ subject: 7 }) },
      ['messages.fr.json:2: "subject" is no text: write an object of texts.'],
    ],
    ["is in no JSON", { "messages.fr.json": "{" }, ["messages.fr.json:1: it is no JSON: CloseBraceExpected."]],
    [
      "is beside no other one",
      { "messages.fr.json": '"Merci"' },
      ["messages.fr.json:1: it is no text: write an object of texts."],
    ],
    [
      "is there twice",
      {
        "messages.fr.json":
          '{\n  "nav": { "thanks": "A" },\n  "thanks": "B",\n  "thanks": "C",\n  "nav.thanks": "D"\n}',
      },
      [
        'messages.fr.json:4: "thanks" has two texts: keep one.',
        'messages.fr.json:5: "nav.thanks" has two texts: keep one.',
      ],
    ],
    [
      "is not translated yet",
      { "messages.fr.json": texts({ subject: "", thanks: " ", row: "Un" }) },
      [
        'messages.fr.json:2: "subject" is blank: write its text, or {{!}} where a reader is to see nothing.',
        'messages.fr.json:3: "thanks" is blank: write its text, or {{!}} where a reader is to see nothing.',
      ],
    ],
    [
      "is on the line of another with the same last name",
      {
        "body.html": '<p>{{t "b.x"}}</p>',
        "messages.fr.json": '{\n  "a": { "x": "A" },\n  "b": {\n    "x" : "{{nam}}"\n  }\n}',
      },
      ["messages.fr.json:4:1: {{nam}} is not supplied by the mapping; did you mean {{name}}?"],
    ],
    [
      "makes a comment, or takes braces away, together with another one",
      {
        "body.html": '<p>{{t "thanks"}}{{t "row"}}</p>',
        "body.txt": '{{t "thanks"}}{{name}}{{t "end"}}',
        "messages.fr.json": texts({ subject: "S", thanks: "{", row: "{! gone }}", end: "}" }),
      },
      [
        "body.html: the HTML has braces that SES would read as an expression: write {{ in another way, for example with a blank.",
        "body.txt: the text has braces that SES would read as an expression: write {{ in another way, for example with a blank.",
      ],
    ],
    [
      "turns the direction of a subject",
      { "messages.fr.json": texts({ subject: "Facture \u202efdp.exe", thanks: "M", row: "Un" }) },
      ["messages.fr.json:2:1: the subject has a line break or another character that no header takes"],
    ],
    [
      "has no quotation marks around it",
      { "body.html": '<p title={{t "row"}}>{{t "row"}}</p>' },
      ['messages.fr.json:4:1: {{t "row"}} has no quotation marks around it: write title="{{t "row"}}"'],
    ],
    [
      "stands among the attributes",
      { "body.html": '<p {{t "row"}}>{{t "row"}}</p>' },
      ['messages.fr.json:4:1: {{t "row"}} stands in the tag <p> itself: write it as the value of an attribute'],
    ],
    [
      "is named by a value",
      { "body.html": "<p>{{t name}}</p>" },
      ['body.html:1:4: a text is named by a constant, {{t "key"}}, and takes its values from where it stands'],
    ],
  ])("is refused where it %s", (_, files, problems) => {
    expect(problemsOf({ ...shared, ...files }, { locale: "fr" })).toEqual(expect.arrayContaining(problems));
  });
});

describe("a body", () => {
  const own: Files = {
    "body.html": "<p>Hello {{name}}</p>",
    "body.fr.html": "<p>Bonjour {{name}}</p>",
    "messages.en.json": texts({ subject: "S" }),
    "messages.fr.json": texts({ subject: "T" }),
  };

  it("is that of the locale, and its language is set, whatever a shared body says", () => {
    expect(mail(own, { locale: "fr" })).toMatchObject({
      html: expect.stringContaining("Bonjour") as string,
      text: "Bonjour Ada & Bob\n",
    });
    expect(mail(own, { locale: "fr-CA" }).html).toContain("Bonjour");
    expect(mail(own, { locale: "en" }).html).toContain("Hello");
    expect(mail(shared, { locale: "fr" }).html).toMatch(/^<html lang="fr" dir="auto">/);
  });

  it.each(["body.html", "body.mjml"])("has the mail's language and direction where %s has that of another", (name) => {
    const page = name.endsWith("html")
      ? '<html lang = "en" dir="ltr"><body lang=en><p>{{t "thanks"}}</p></body></html>'
      : '<mjml lang="en" dir="ltr"><mj-body><mj-section><mj-column><mj-text>{{t "thanks"}}</mj-text></mj-column></mj-section></mj-body></mjml>';
    const { "body.html": _, ...messages } = shared;
    const { html } = mail({ ...messages, [name]: page }, { locale: "fr" });
    expect(new Set(html.match(/\b(?:lang|dir)=[^\s>]*/g))).toEqual(new Set(['lang="fr"', 'dir="auto"']));
  });

  it("has the direction that the author has set where it is of one language", () => {
    const files = { ...own, "body.fr.html": '<html lang="ar" dir="rtl"><body><p>{{name}}</p></body></html>' };
    expect(mail(files, { locale: "fr" }).html).toMatch(/^<html lang="fr" dir="rtl">/);
  });

  it("is that of the variant", () => {
    const files = { ...shared, "body.b.html": '<h1>{{t "thanks"}}</h1>' };
    expect(mail(files, { locale: "fr", variant: "b" }, { variants }).html).toContain(
      "Merci &lt;b&gt; Ada &amp; Bob</h1>",
    );
    expect(mail(files, { locale: "fr", variant: "a" }, { variants }).html).toContain("</p>");
  });

  it("is that of both where there is one", () => {
    const files = { ...own, "body.b.html": '<p>B {{t "subject"}}</p>', "body.fr.b.html": "<p>Salut {{name}}</p>" };
    expect(mail(files, { locale: "fr", variant: "b" }, { variants }).html).toContain("Salut");
    expect(mail(files, { locale: "fr", variant: "a" }, { variants }).html).toContain("Bonjour");
  });

  it.each<[string, Files, Edition, string[]]>([
    [
      "one has the language and one the variant",
      { ...own, "body.b.html": '<p>{{t "subject"}}</p>' },
      { locale: "fr", variant: "b" },
      [
        "body.fr.b.html: it is missing: body.fr.html has the language and body.b.html the variant, and a mail is made of one file.",
        "body.fr-CA.b.html: it is missing: body.fr.html has the language and body.b.html the variant, and a mail is made of one file.",
      ],
    ],
    [
      "it is of no locale",
      { ...own, "body.de.html": "x" },
      { locale: "en", variant: "a" },
      [
        'body.de.html: "de" is no locale and no variant of the notification: declare it in index.ts, or rename the file.',
      ],
    ],
    [
      "the names are in the other order",
      { ...own, "body.b.fr.txt": "x" },
      { locale: "en", variant: "a" },
      ["body.b.fr.txt: the locale comes first: name it body.fr.b.txt."],
    ],
    [
      "messages are of no locale",
      { ...own, "messages.json": "{}" },
      { locale: "en", variant: "a" },
      ["messages.json: it belongs to no locale: name it messages.en.json."],
    ],
    [
      "its words are those of two languages",
      { ...shared, "body.html": "<p>Hello {{name}}</p>" },
      { locale: "fr", variant: "a" },
      [
        'body.html: it says the same in en and fr and fr-CA: write its words as {{t "key"}}, with the text in messages.fr.json, or write body.fr.html.',
      ],
    ],
    [
      "its words are those of two languages, and its layout's are not",
      {
        ...shared,
        "body.mjml":
          "{{#> message timestamp=name source=name title=name}}<mj-text>Hello {{name}}</mj-text>{{/message}}",
      },
      { locale: "fr", variant: "a" },
      [
        'body.mjml: it says the same in en and fr and fr-CA: write its words as {{t "key"}}, with the text in messages.fr.json, or write body.fr.mjml.',
      ],
    ],
    [
      "a partial is given words of its own",
      { ...shared, "body.html": '<p>{{name}}</p>{{> button label="Pay now" address="https://example.com/"}}' },
      { locale: "fr", variant: "a" },
      [
        'button.html: it says the same in en and fr and fr-CA: write its words, and those that it is given, as {{t "key"}}, with the text in messages.fr.json.',
      ],
    ],
    [
      "a text is forgotten beside it",
      { ...own, "body.txt": "Hello {{name}}" },
      { locale: "fr", variant: "a" },
      [
        'body.txt: it says the same in en and fr and fr-CA: write its words as {{t "key"}}, with the text in messages.fr.json, or write body.fr.txt.',
      ],
    ],
  ])("is refused where %s", (_, files, edition, problems) => {
    expect(problemsOf(files, edition, { variants })).toEqual(problems);
  });

  it("may give a partial a text of the messages file", () => {
    const files = {
      ...shared,
      "body.html": '<p>{{name}}</p>{{> button label=(t "row") address="https://example.com/"}}',
    };
    const within = '{{> button label="Payer" address="https://example.com/"}}';
    for (const [body, row] of [
      [files["body.html"], "Payer"],
      ['<p>{{t "row"}}</p>', within],
    ] as const) {
      const messages = { "body.html": body, "messages.fr.json": texts({ subject: "S", row }) };
      expect(problemsOf({ ...files, ...messages }, { locale: "fr" })).toEqual([]);
    }
  });

  it("may have no words of its own", () => {
    const files = { "body.html": '<p title="x">{{name}}</p>', "body.txt": "{{name}}: 100 %" };
    expect(problemsOf(files, { locale: "fr" }, { subject: "{{name}}" })).toEqual([]);
  });

  it("is refused with a subject that is the same in two languages", () => {
    expect(problemsOf(shared, { locale: "fr" }, { subject: "For {{name}}" })).toEqual([
      'index.ts:3: the subject says the same in en and fr and fr-CA: write its words as {{t "key"}}, with the text in messages.fr.json.',
    ]);
  });
});
