import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasRemoteContent, mailDocument } from "aws-emulator/mail-frame";
import { escapeExpression as escape } from "handlebars";
import { type PreviewedEdition, type PreviewedMail, type Previews } from "./previews";

/**
 * A page that shows every mail of the catalogue. It is one file that needs no server. A mail stands in a frame that runs
 * no script, and the page's policy, which the frames inherit, loads nothing and runs the page's own script alone.
 */

/**
 * Gmail shows the first 102 KB of a mail's HTML, and hides the rest behind "View entire message". Google does not
 * document it; senders have measured it (https://github.com/hteumeuleu/email-bugs/issues/41).
 */
export const gmailClipsAt = 102 * 1024;

/** The part of `gmailClipsAt` from which on the gallery warns: SES adds to a mail where opens and clicks are counted. */
const nearlyClipped = 0.9;

export interface GalleryOptions {
  /**
   * The version of what is shown, on a server that tells the newest one at `changes`. The page then reloads itself.
   * @default the page stays as it is
   */
  readonly version?: string;
  /** A link beside the title, to where the page is shown from. */
  readonly home?: { readonly address: string; readonly title: string };
}

/** Writes the page as `index.html`. @param folder is made where it is missing. */
export function writeGallery(folder: string, previews: Previews, options: GalleryOptions = {}): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "index.html");
  writeFileSync(file, galleryPage(previews, options));
  return file;
}

const style = readFileSync(join(__dirname, "page.css"), "utf8");
const script = readFileSync(join(__dirname, "page.js"), "utf8");

const policyFor = (isLive: boolean): string =>
  [
    "default-src 'none'",
    `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    ...(isLive ? ["connect-src 'self'"] : []),
    "form-action 'none'",
    "base-uri 'none'",
  ].join("; ");

/** @returns the page as HTML. */
export function galleryPage({ editions, problems }: Previews, { version, home }: GalleryOptions = {}): string {
  const isLive = version !== undefined;
  return `<!doctype html>
<html lang="en"${isLive ? ` data-version="${escape(version)}"` : ""}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyFor(isLive)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Mail preview</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect x='2' y='6' width='28' height='20' rx='5' fill='%230d6b58'/%3E%3Cpath d='m7 12 9 7 9-7' fill='none' stroke='%23fff' stroke-width='2.6' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E">
<style>${style}</style>
</head>
<body>
<header class="bar">
<h1><svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3 5.5h14v9.5H3zM3.5 6l6.5 5 6.5-5"/></svg>Mail preview</h1>
${home === undefined ? "" : `<a class="home" href="${escape(home.address)}">${escape(home.title)}</a>`}
${isLive ? `<p class="live" id="live" role="status" data-state="connecting">Connecting</p>` : ""}
${toggles("Width", "width", { both: "Both", desktop: "Desktop", phone: "Phone" })}
${toggles("Client", "paper", { light: "Light", dark: "Dark" })}
</header>
<nav aria-label="Mails">
<input type="search" id="filter" placeholder="Filter" aria-label="Filter the mails" autocomplete="off" spellcheck="false" hidden>
<ul>
${grouped(editions).map(navigationItem).join("\n")}
</ul>
</nav>
<main>
${problems.length === 0 ? "" : problemsOf("The synth refuses the catalogue.", problems)}
${editions.map(articleOf).join("\n")}
${editions.length === 0 && problems.length === 0 ? `<p class="empty">The catalogue has no notification.</p>` : ""}
</main>
<script>${script}</script>
</body>
</html>
`;
}

/** Buttons of which one is pressed. The script shows them, because without it they do nothing. */
function toggles(title: string, name: string, choices: Readonly<Record<string, string>>): string {
  const buttons = Object.entries(choices).map(
    ([value, label], at) =>
      `<button type="button" data-set="${name}" data-value="${value}" aria-pressed="${String(at === 0)}">${label}</button>`,
  );
  return `<div class="toggles" role="group" aria-label="${title}" hidden>${buttons.join("")}</div>`;
}

/** The editions of each notification, in the catalogue's order. */
function grouped(editions: readonly PreviewedEdition[]): readonly [PreviewedEdition, ...PreviewedEdition[]][] {
  const groups = new Map<string, [PreviewedEdition, ...PreviewedEdition[]]>();
  for (const edition of editions) {
    const group = groups.get(edition.notification);
    if (group === undefined) groups.set(edition.notification, [edition]);
    else group.push(edition);
  }
  return [...groups.values()];
}

const nameOf = ({ notification, locale, variant }: PreviewedEdition): string =>
  [notification, locale, ...(variant === undefined ? [] : [variant])].join("/");

const labelOf = ({ locale, variant }: PreviewedEdition): string =>
  variant === undefined ? locale : `${locale}, variant ${variant}`;

const linkTo = (edition: PreviewedEdition): string => `href="#${escape(encodeURI(nameOf(edition)))}"`;

const isRefused = ({ problems, mail }: PreviewedEdition): boolean => problems.length > 0 || mail === undefined;

function navigationItem(editions: readonly [PreviewedEdition, ...PreviewedEdition[]]): string {
  const [first] = editions;
  const mark = editions.some(isRefused) ? `<span class="mark">Error</span>` : "";
  const subject = editions.find(({ mail }) => mail !== undefined)?.mail?.subject ?? "No mail";
  const more =
    editions.length === 1
      ? ""
      : `<ul class="editions" aria-label="Editions of ${escape(first.notification)}">${editions
          .map(
            (each) =>
              `<li><a ${linkTo(each)}${isRefused(each) ? ` class="refused"` : ""}>${escape(labelOf(each))}</a></li>`,
          )
          .join("")}</ul>`;
  return `<li><a class="mail" ${linkTo(first)}><span class="name">${escape(first.notification)}${mark}</span><bdi class="subject">${escape(subject)}</bdi></a>${more}</li>`;
}

function articleOf(edition: PreviewedEdition): string {
  const { notification, description, mail, cause, to, problems } = edition;
  const name = escape(nameOf(edition));
  return `<article id="${name}" aria-labelledby="${name}-title">
<header>
<p class="of"><strong>${escape(notification)}</strong><span class="chip">${escape(labelOf(edition))}</span><span class="about">${escape(description)}</span></p>
<h2 id="${name}-title" tabindex="-1"><bdi>${escape(mail?.subject ?? "No mail")}</bdi></h2>
<dl>
<div><dt>Caused by</dt><dd>${escape(cause)}</dd></div>
${to.length === 0 ? "" : `<div><dt>Sample to</dt><dd>${escape(to.join(", "))}</dd></div>`}
${mail === undefined ? "" : `<div><dt>HTML</dt><dd>${sizeOf(mail.html)}</dd></div>`}
</dl>
</header>
${problems.length === 0 ? "" : problemsOf(mail === undefined ? "There is no mail." : "The synth refuses it.", problems)}
${mail === undefined ? "" : partsOf(mail, nameOf(edition))}
</article>`;
}

function sizeOf(html: string): string {
  const bytes = Buffer.byteLength(html);
  const share = bytes / gmailClipsAt;
  const state = share > 1 ? "over" : share > nearlyClipped ? "near" : "well";
  const said = { over: "over Gmail's clip of", near: "close to Gmail's clip of", well: "Gmail clips at" }[state];
  const percent = Math.min(100, share * 100).toFixed(1);
  return `<span class="size" data-state="${state}"><span class="gauge" aria-hidden="true"><span style="width:${percent}%"></span></span>${kilobytes(bytes)} KB, ${said} ${kilobytes(gmailClipsAt)} KB</span>`;
}

const kilobytes = (bytes: number): string =>
  (bytes / 1024).toLocaleString("en-US", { maximumFractionDigits: bytes < 102_400 ? 1 : 0 });

function problemsOf(title: string, problems: readonly string[]): string {
  const items = problems.map((problem) => `<li><pre>${escape(problem)}</pre></li>`).join("");
  return `<div class="problems" role="alert"><h3>${title}</h3><ul>${items}</ul></div>`;
}

function partsOf({ html, text, data }: PreviewedMail, name: string): string {
  const notes = [
    ...(hasRemoteContent(html)
      ? [`<p class="note">Pictures and styles from elsewhere are not loaded here. Recipients may see them.</p>`]
      : []),
    ...(html.includes("prefers-color-scheme")
      ? []
      : [
          `<p class="note of-dark">This mail has no styles for a dark scheme. Clients keep its colors, or change them by rules of their own.</p>`,
        ]),
  ];
  return `<div class="frames">
<figure class="desktop"><figcaption>Desktop</figcaption><div class="paper" tabindex="0" role="region" aria-label="Desktop"><iframe sandbox loading="lazy" title="The mail ${escape(name)} on a desktop" srcdoc="${escape(mailDocument(html, "scheme"))}"></iframe></div></figure>
</div>
${notes.join("")}<div class="parts">
<section><h3>Text part</h3><pre class="text" tabindex="0" role="region" aria-label="Text part" dir="auto">${escape(text.trimEnd())}</pre></section>
<section><h3>Template data</h3><pre tabindex="0" role="region" aria-label="Template data">${escape(JSON.stringify(data, null, 2))}</pre></section>
</div>`;
}
