/**
 * One of the templates of a notification: that of a locale, and of a variant where the notification has variants.
 */
export interface Edition {
  /** One of the notification's locales. */
  readonly locale: string;
  /** One of the notification's variants; absent where it has none. */
  readonly variant?: string;
}

/** How often a variant is chosen. */
export interface Variant {
  /** Share of the mails, against the weights of the other variants. A variant of weight 0 is for `template` only. */
  readonly weight: number;
}

/** The locale of a notification that names none. */
const ownLocale = "en";

/** What of a definition says which editions it has. */
export interface Editions {
  readonly locales?: readonly string[] | undefined;
  readonly variants?: Readonly<Record<string, Variant>> | undefined;
}

/** Lists every edition; the first is the default one. */
export function editionsOf({ locales = [ownLocale], variants = {} }: Editions): readonly [Edition, ...Edition[]] {
  const names = Object.keys(variants);
  const editions = locales.flatMap((locale): Edition[] =>
    names.length === 0 ? [{ locale }] : names.map((variant) => ({ locale, variant })),
  );
  const [first, ...others] = editions;
  return first === undefined ? [{ locale: ownLocale }] : [first, ...others];
}

/** The first locale, which is that of a reader whose language is not known. */
export const defaultLocale = ({ locales = [ownLocale] }: Editions): string => locales[0] ?? ownLocale;

/** `fr_b` or the like: what tells an edition from the default one; empty for the default edition. */
export function editionSuffix(editions: Editions, { locale, variant }: Edition): string {
  const [first] = editionsOf(editions);
  if (locale === first.locale && variant === first.variant) return "";
  return variant === undefined ? locale : `${locale}_${variant}`;
}

/** The name of an edition's template among all of a stack: `invoice-paid`, `invoice-paid_fr`. Ids have no underscore. */
export function editionKey(notification: Editions & { readonly id: string }, edition: Edition): string {
  const suffix = editionSuffix(notification, edition);
  return suffix === "" ? notification.id : `${notification.id}_${suffix}`;
}

/**
 * Finds the locale for a reader, as BCP 47 looks one up (RFC 4647, 3.4): `fr-CA` is served by `fr-CA`, or else by `fr`.
 * Scripts count, so that `zh-TW` is served by `zh-Hant` and not by `zh`. Where that finds nothing, a locale of the same
 * language and script serves, such as `de-DE` for `de-AT`.
 * @param wanted one tag, or several with the preferred one first. What is no tag is passed over.
 * @returns one of `locales`, and the first where none fits.
 */
export function lookUpLocale(wanted: string | readonly string[] | null | undefined, editions: Editions): string {
  const locales = editions.locales ?? [ownLocale];
  const tags = [wanted ?? []].flat().slice(0, mostTags);
  const serving = tags.flatMap((tag) => toLocale(tag) ?? []).flatMap((tag) => servingLocale(tag, locales) ?? []);
  return serving[0] ?? defaultLocale(editions);
}

/** Most tags of a reader that are looked up. A browser sends fewer than ten. */
const mostTags = 20;

/** Most characters of a tag. The longest that RFC 5646 (4.4.1) foresees has 35. */
const longestTag = 100;

function servingLocale(tag: Intl.Locale, locales: readonly string[]): string | undefined {
  if (isUndetermined(tag)) return undefined;
  const ranges = rangesOf(tag);
  const near = locales.filter((locale) => isSameWriting(locale, tag.baseName));
  const { region } = tag.maximize();
  return (
    ranges.find((range) => near.includes(range)) ??
    near.find((locale) => new Intl.Locale(locale).maximize().region === region) ??
    near[0] ??
    ranges.find((range) => locales.includes(range))
  );
}

/** `und` is the tag of a language that is not known. */
const isUndetermined = ({ baseName }: Intl.Locale): boolean => /^und\b/.test(baseName);

/** Reads a tag, also one as POSIX writes it: `de_AT.UTF-8`. */
function toLocale(tag: unknown): Intl.Locale | undefined {
  if (typeof tag !== "string" || tag.length > longestTag) return undefined;
  try {
    const [name = ""] = tag.trim().split(/[.@]/, 1);
    return new Intl.Locale(name.replaceAll("_", "-"));
  } catch {
    return undefined;
  }
}

/** The tags that serve a reader, the closest first: `zh-TW`, `zh-Hant-TW`, `zh-Hant`, `zh`. */
function rangesOf(locale: Intl.Locale): string[] {
  return [...truncated(locale.baseName).slice(0, -1), ...truncated(locale.maximize().baseName)];
}

/** `fr-Latn-CA`, `fr-Latn`, `fr`. */
export const truncated = (tag: string): string[] =>
  tag.split("-").map((_, at, parts) => parts.slice(0, parts.length - at).join("-"));

/** Whether who reads the one locale reads the other: both have the same language and script. */
export function isSameWriting(locale: string, other: string): boolean {
  const [one, two] = [locale, other].map((tag) => {
    const { language, script } = new Intl.Locale(tag).maximize();
    // Bokmål is what `no` means, and systems write either.
    return `${language === "nb" ? "no" : language} ${script ?? ""}`;
  });
  return one === two;
}

/**
 * Chooses a variant by the mail's claim, so that each try of the mail chooses the same one.
 * @param claimId hexadecimal hash, made by `claimId`.
 * @returns `undefined` where there are no variants.
 */
export function variantByWeight({ variants = {} }: Editions, claimId: string): string | undefined {
  const weighted = Object.entries(variants).filter(([, { weight }]) => weight > 0);
  const total = weighted.reduce((sum, [, { weight }]) => sum + weight, 0);
  // 48 bits of the hash, as a share of 1.
  let rest = (Number.parseInt(claimId.slice(0, 12), 16) / 2 ** 48) * total;
  return weighted.find(([, { weight }]) => (rest -= weight) < 0)?.[0] ?? weighted.at(-1)?.[0];
}

/** Lists what is wrong with the locales and variants of a definition, each problem as a sentence behind "its". */
export function editionProblems({ locales, variants }: Editions): string[] {
  const wrong = localeProblems(locales);
  return [...wrong, ...variantProblems(variants, wrong.length > 0 ? [] : (locales ?? [ownLocale]))];
}

function localeProblems(locales: unknown): string[] {
  if (locales === undefined) return [];
  if (!Array.isArray(locales) || locales.length === 0) return ['locales have to be a list of tags: ["en", "fr"].'];
  return locales.flatMap((locale: unknown, at): string[] => {
    const known = toLocale(locale);
    const tag = known?.baseName;
    if (known === undefined || tag === undefined)
      return [`locale ${JSON.stringify(locale)} is no tag of BCP 47: write one such as "fr" or "pt-BR".`];
    // Unicode's data has a script for each language, and none for a word such as "english" or a country such as "jp".
    if (isUndetermined(known) || known.maximize().script === undefined)
      return [`locale "${tag}" has no language that is known: write a tag such as "fr" or "pt-BR".`];
    if (tag !== locale) return [`locale ${JSON.stringify(locale)} is written "${tag}".`];
    return locales.indexOf(locale) < at ? [`locales name "${tag}" twice.`] : [];
  });
}

/** Whether a file of the variant could be one of the locale: `fr` beside `fr-CA`, and where no capital letters count. */
const isPartOfLocale = (name: string, locales: readonly string[]): boolean =>
  locales.some((locale) => `${locale}-`.toLowerCase().startsWith(`${name}-`));

function variantProblems(variants: unknown, locales: readonly string[]): string[] {
  if (variants === undefined) return [];
  if (typeof variants !== "object" || variants === null || Object.keys(variants).length === 0)
    return ["variants have to be an object with a weight for each: { a: { weight: 1 }, b: { weight: 1 } }."];
  const entries = Object.entries(variants as Readonly<Record<string, { readonly weight?: unknown } | null>>);
  const problems = entries.flatMap(([name, variant]) => {
    const weight = variant?.weight;
    return [
      ...(/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)
        ? []
        : [`variant "${name}" is a part of files' names: use small letters, digits and single hyphens.`]),
      ...(isPartOfLocale(name, locales) ? [`variant "${name}" is the name of a locale, too: choose another.`] : []),
      ...(typeof weight === "number" && Number.isFinite(weight) && weight >= 0
        ? []
        : [`variant "${name}" has the weight ${JSON.stringify(weight)}: give a number of 0 or more.`]),
    ];
  });
  if (problems.length > 0 || entries.some(([, variant]) => Number(variant?.weight) > 0)) return problems;
  return ["variants all have the weight 0: give one a share of the mails."];
}
