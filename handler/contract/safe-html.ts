import { escapeHtml } from "./text";

/**
 * Markup that is safe to mail. Only the tag `html` makes it, and it escapes every text that is put in; so a template may
 * show it as it is, with `{{{name}}}`.
 */
export class SafeHtml {
  private constructor(private readonly markup: string) {}

  /** Called by `html`; its own texts come from the source code, and not from an event. */
  static of(texts: readonly string[], values: readonly HtmlValue[]): SafeHtml {
    return new SafeHtml(texts.map((text, at) => text + (at < values.length ? markupOf(values[at]) : "")).join(""));
  }

  toString(): string {
    return this.markup;
  }

  toJSON(): string {
    return this.markup;
  }
}

/** What `html` takes: a text is escaped, safe markup stays, a list is joined. */
export type HtmlValue = string | number | SafeHtml | readonly HtmlValue[] | undefined;

/**
 * Makes safe markup: `` html`<b>${name}</b>` `` has the name escaped. Values belong into text and into quoted attributes
 * that hold plain text (`title`, `alt`), and not into `href`, `style` or a tag's name.
 */
export function html(texts: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  return SafeHtml.of(texts, values);
}

function markupOf(value: HtmlValue): string {
  if (value === undefined) return "";
  if (value instanceof SafeHtml) return value.toString();
  if (typeof value === "object") return value.map(markupOf).join("");
  return escapeHtml(String(value).toWellFormed());
}
