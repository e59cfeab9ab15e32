import { type Notification } from "../../handler/notifications/define";

/** One locale and variant of a notification's template. */
export interface Edition {
  /** BCP 47. */
  readonly locale: string;
  readonly variant?: string;
}

/** What a definition is going to have. */
interface Declared {
  readonly locales?: readonly string[];
  readonly variants?: Readonly<Record<string, unknown>>;
}

/** The editions of a notification; the first is the default. */
export function editionsOf(notification: Notification): readonly Edition[] {
  const { locales = ["en"], variants = {} } = notification as Declared;
  const names = Object.keys(variants);
  return locales.flatMap((locale): Edition[] =>
    names.length === 0 ? [{ locale }] : names.map((variant) => ({ locale, variant })),
  );
}
