import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import {
  type Edition,
  type Editions,
  editionsOf,
  isSameWriting,
  truncated,
} from "../../handler/notifications/editions";
import { type Partials, type Source } from "./pieces";

const projectRoot = join(__dirname, "..", "..");

/** The folder that has one folder for each notification, named by its id. */
export const notificationsFolder = join(projectRoot, "handler", "notifications");

/** Folders below `notificationsFolder` that hold no notification, but what notifications share. */
export const sharedFolders = ["layouts", "partials"] as const;

/** The path as messages name it: relative to the project's root, and with `/` on Windows, too. */
export function shown(file: string): string {
  return relative(projectRoot, file).replaceAll("\\", "/");
}

/**
 * Reads a file as every computer would: with `\n` as its line ends, and without the byte order mark that editors on
 * Windows write.
 */
export function readSource(file: string): Source | undefined {
  if (!existsSync(file)) return undefined;
  return {
    file,
    text: readFileSync(file, "utf8")
      .replace(/^\ufeff/, "")
      .replace(/\r\n?/g, "\n"),
  };
}

/**
 * The locales whose files serve a locale, the closest first: `fr-CA`, `fr`. Those of another script do not: `zh` is for
 * no reader of `zh-Hant`.
 */
export const servingLocales = (locale: string): readonly string[] =>
  truncated(locale).filter((each) => isSameWriting(each, locale));

/** A body of an edition. */
export interface Body extends Source {
  /** Whether the body is of the locale alone. Any other body serves each locale that has none of its own. */
  readonly isOfLocale: boolean;
}

/** The files `body.*` of a notification, of which each edition has one for HTML, and perhaps one for the text. */
export class Bodies {
  constructor(
    private readonly folder: string,
    private readonly editions: Editions,
  ) {}

  /**
   * Finds the body of an edition: `body.fr.b.html`, or else the one of `body.fr.html`, `body.b.html` and `body.html`
   * that is there.
   * @param extensions the first is preferred.
   */
  find(extensions: readonly string[], { locale, variant }: Edition): Body | undefined {
    const locales = servingLocales(locale);
    const named = variant === undefined ? [] : locales.map((each) => `.${each}.${variant}`);
    const own = this.read([...named, ...locales.map((each) => `.${each}`)], extensions);
    if (own !== undefined) return { ...own, isOfLocale: true };
    const shared = this.read(variant === undefined ? [""] : [`.${variant}`, ""], extensions);
    return shared === undefined ? undefined : { ...shared, isOfLocale: false };
  }

  /** Reports what leaves open which body an edition has, and files that belong to no edition. */
  problems(): string[] {
    return [...this.ambiguous(), ...this.unused()];
  }

  private ambiguous(): string[] {
    return editionsOf(this.editions).flatMap(({ locale, variant }) =>
      [[".mjml", ".html"], [".txt"]].flatMap((extensions) => {
        if (variant === undefined) return [];
        const locales = servingLocales(locale);
        const both = locales.map((each) => `.${each}.${variant}`);
        if (this.read(both, extensions) !== undefined) return [];
        const ofLocale = this.read(
          locales.map((each) => `.${each}`),
          extensions,
        );
        const ofVariant = this.read([`.${variant}`], extensions);
        if (ofLocale === undefined || ofVariant === undefined) return [];
        const wanted = `body.${locale}.${variant}${extname(ofVariant.file)}`;
        return [
          `${shown(join(this.folder, wanted))}: it is missing: ${nameOf(ofLocale.file)} has the language and ${nameOf(ofVariant.file)} the variant, and a mail is made of one file.`,
        ];
      }),
    );
  }

  private unused(): string[] {
    const editions = editionsOf(this.editions);
    const locales = editions.flatMap(({ locale }) => servingLocales(locale));
    const variants = editions.flatMap(({ variant }) => variant ?? []);
    return readdirSync(this.folder).flatMap((name) => {
      const [, kind, middle = "", extension] = /^(body|messages)\.(?:(.+)\.)?(mjml|html|txt|json)$/.exec(name) ?? [];
      if (kind === undefined || (kind === "body") === (extension === "json")) return [];
      const words = middle === "" ? [] : middle.split(".");
      const isVariant = words.length === 1 && variants.includes(middle);
      const [locale, variant, ...more]: readonly (string | undefined)[] = isVariant ? [undefined, middle] : words;
      const refuse = (problem: string) => [`${shown(join(this.folder, name))}: ${problem}`];
      if (kind === "messages" && locale === undefined)
        return refuse(`it belongs to no locale: name it messages.${editions[0].locale}.json.`);
      const strange =
        more[0] ??
        (locale === undefined || locales.includes(locale) ? undefined : locale) ??
        (variant === undefined || variants.includes(variant) ? undefined : variant);
      if (strange === undefined) return [];
      if (locale !== undefined && variant !== undefined && variants.includes(locale) && locales.includes(variant))
        return refuse(`the locale comes first: name it ${kind}.${variant}.${locale}.${extension ?? ""}.`);
      return refuse(
        `"${strange}" is no locale and no variant of the notification: declare it in index.ts, or rename the file.`,
      );
    });
  }

  private read(middles: readonly string[], extensions: readonly string[]): Source | undefined {
    return middles
      .flatMap((middle) => extensions.map((extension) => join(this.folder, `body${middle}${extension}`)))
      .map(readSource)
      .find((source) => source !== undefined);
  }
}

/** The layouts and partials that a file with this extension may name. */
export function partialsFor(extension: string): Partials {
  // The subject stands in index.ts, and takes what a text takes.
  const kinds = extension === ".ts" ? [".txt"] : extension === ".mjml" ? [".mjml", ".html"] : [extension];
  const folders = sharedFolders.map((name) => join(notificationsFolder, name)).filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const stemOf = (file: string) => nameOf(file).replace(/\.[^.]*$/, "");
  return {
    names: files.filter((file) => kinds.includes(extname(file))).map((file) => stemOf(file)),
    read: (name) =>
      kinds
        .flatMap((kind) => files.filter((file) => extname(file) === kind && stemOf(file) === name))
        .map(readSource)
        .find((source) => source !== undefined),
  };
}

function nameOf(file: string): string {
  return file.replace(/^.*[\\/]/, "");
}
