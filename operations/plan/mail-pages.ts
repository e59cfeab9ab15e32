import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { escapeExpression as escape } from "handlebars";
import { plain, visible } from "./markdown";
import { Naming } from "./naming";
import { withoutSecrets } from "./secrets";
import { type Mail, type TemplateChange, templateChanges } from "./templates";
import { type TerraformPlan } from "./terraform-json";

/**
 * Pages that show the mails of the templates that a plan changes, before and after. Whoever opens a pull request has
 * written the templates, and a reviewer opens the page from a disk: so nothing on it runs, and nothing is loaded.
 */

/**
 * Writes a page for each template that the plan makes, changes or removes. Where there is none, it makes no folder.
 * @param folder new, or empty.
 */
export function writeMailPages(folder: string, made: TerraformPlan): void {
  const plan = withoutSecrets(made);
  for (const change of templateChanges(plan, new Naming(plan))) {
    if (change.page === undefined) continue;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, change.page), mailPage(change), { flag: "wx" });
  }
}

/** Holds for the page, and for the mails in it. The mail's own frame gets it once more, for a browser that hands none on. */
const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'"><meta http-equiv="x-dns-prefetch-control" content="off"><meta name="referrer" content="no-referrer">`;

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 1.5rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; } h3 { font-size: 1rem; }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
section { min-width: 0; }
iframe { background: #fff; border: 1px solid #888; box-sizing: border-box; height: 36rem; resize: vertical; width: 100%; }
pre { border: 1px solid #888; overflow-wrap: anywhere; padding: 0.75rem; white-space: pre-wrap; }
.subject { font-weight: 600; overflow-wrap: anywhere; }
.problem { border-left: 0.25rem solid #c60; padding-left: 0.75rem; }
`;

function mailPage({ name, before, after, differing }: TemplateChange): string {
  const title = plain(name);
  const what =
    before === undefined
      ? "The template is new."
      : after === undefined
        ? "The template is removed."
        : `What changes in the template: ${differing.join(", ")}.`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${policy}
<meta name="viewport" content="width=device-width">
<title>${title}: the mail before and after</title>
<style>${style}</style>
</head>
<body>
<h1>Template <code>${title}</code></h1>
<p>${what} The mails are filled with the notification's sample. Links do not work here, and pictures from elsewhere are not loaded.</p>
<main>
${mailSection("Before", before)}
${mailSection("After", after)}
</main>
</body>
</html>
`;
}

function mailSection(title: string, mail: Mail | undefined): string {
  if (mail === undefined) return `<section><h2>${title}</h2><p>There is none.</p></section>`;
  const { filled, template } = mail;
  const isFilled = !("problem" in filled);
  const { subject, html, text } = isFilled ? filled : template;
  const problem = isFilled
    ? ""
    : `<p class="problem">It can't be filled with a sample: <code>${plain(filled.problem)}</code>. Here is the template as it is stored.</p>\n`;
  return `<section>
<h2>${title}</h2>
${problem}<p class="subject">Subject: <bdi>${plain(subject, Number.POSITIVE_INFINITY)}</bdi></p>
<iframe sandbox title="${title}: the HTML part" srcdoc="${escape(`<!doctype html><meta charset="utf-8">${policy}${html}`)}"></iframe>
<h3>Text part</h3>
<pre><bdi>${element(text)}</bdi></pre>
</section>`;
}

const element = (text: string): string => escape(visible(text.replace(/\r\n?/g, "\n"), /[\n\t]/));
