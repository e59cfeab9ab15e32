import * as z from "zod/mini";
import { SafeHtml } from "./safe-html";

/** The two types of content that a template may use where escaping alone does not make a text safe. */

/** Longest address, in characters: what every server has to take (RFC 9110, section 4.1, in octets). */
const longestLink = 8000;

const linkForm = /^(?:https:\/\/[^\s/?#@]+(?:[/?#]|$)|mailto:[^\s@]+@[^\s@]+$)/i;

const hasLinkForm = z.refine<string>(
  (text) => text.length <= longestLink && linkForm.test(text) && URL.canParse(text) && !/[\s\\\p{C}]/u.test(text),
  {
    error: `has to be an address of at most ${longestLink} characters that begins with https:// or mailto:, without blanks`,
  },
);

/**
 * Address of a link or of a picture: `https:` or `mailto:`, the only ones that a template may have in `href` and `src`.
 * It is checked when the mail is made; an event that would make another is parked as `InvalidEvent`.
 */
export function link(): z.ZodMiniString {
  return z.string().check(hasLinkForm);
}

/** Whether `link()` made the schema, also where it has further checks or a description. */
export function isLink(schema: z.core.$ZodType): boolean {
  return schema._zod.def.checks?.includes(hasLinkForm) ?? false;
}

const isMarkup = (value: unknown): boolean => value instanceof SafeHtml;

/** Markup that the tag `html` made. A template shows it with `{{{name}}}`. */
export function safeHtml(): z.ZodMiniType<SafeHtml> {
  return z.custom<SafeHtml>(isMarkup, { error: "has to be made by the tag html`..`" });
}

/** Whether `safeHtml()` made the schema, also where it has further checks or a description. */
export function isSafeHtml(schema: z.core.$ZodType): boolean {
  const { def } = schema._zod;
  return "fn" in def && def.fn === isMarkup;
}
