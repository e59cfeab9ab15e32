/** Writes numbers, money and times as readers of a language expect them. `map` gets it. */
export interface Formatters {
  /** BCP 47 tag of the mail's language. */
  readonly locale: string;
  /** Name of the time zone that times are written in, as in the IANA database. */
  readonly timeZone: string;
  number(value: number, options?: Intl.NumberFormatOptions): string;
  /**
   * @param amount in the currency's own unit: 12.5 is twelve and a half euros.
   * @param currency ISO 4217 code, such as `EUR`.
   */
  money(amount: number, currency: string): string;
  /**
   * @param time ISO 8601 text, or a date.
   * @param options as those of `Intl.DateTimeFormat`. @default the date, such as `November 27, 2026`
   * @throws RangeError for a text that is no time.
   */
  date(time: string | Date, options?: Intl.DateTimeFormatOptions): string;
}

export function createFormatters(locale: string, timeZone: string): Formatters {
  return {
    locale,
    timeZone,
    number: (value, options) => new Intl.NumberFormat(locale, options).format(value),
    money: (amount, currency) => new Intl.NumberFormat(locale, { style: "currency", currency }).format(amount),
    date: (time, options = { dateStyle: "long" }) =>
      new Intl.DateTimeFormat(locale, { timeZone, ...options }).format(new Date(time)),
  };
}
