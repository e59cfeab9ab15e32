/** A stand-in for the module of the same name that is being built: every notification has one edition. */
export interface Edition {
  readonly locale: string;
  readonly variant?: string;
}

export interface Editions {
  readonly id?: string;
  readonly locales?: readonly string[] | undefined;
}

export function editionsOf({ locales: [locale = "en"] = [] }: Editions): readonly [Edition, ...Edition[]] {
  return [{ locale }];
}
