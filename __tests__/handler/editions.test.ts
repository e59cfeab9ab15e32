import { createHash } from "node:crypto";
import {
  editionKey,
  editionProblems,
  type Editions,
  editionsOf,
  lookUpLocale,
  variantByWeight,
} from "../../handler/notifications/editions";

describe("the locale for a reader", () => {
  it.each<[string, string | string[] | null | undefined, [string, ...string[]], string]>([
    ["is the one that is asked for", "fr", ["en", "fr"], "fr"],
    ["is the closest one of a region", "fr-CA", ["en", "fr", "fr-CA"], "fr-CA"],
    ["is that of the language where the region has none", "fr-CA", ["en", "fr"], "fr"],
    ["is written in any case", "FR-ca", ["en", "fr-CA"], "fr-CA"],
    ["may be asked for as POSIX writes it", "de_AT.UTF-8", ["en", "de"], "de"],
    ["leaves extensions aside", "fr-u-ca-gregory", ["en", "fr"], "fr"],
    ["leaves variants aside", "de-1901", ["en", "de"], "de"],
    ["is in the reader's script", "zh-TW", ["zh", "zh-Hant"], "zh-Hant"],
    ["is in the reader's script, with the region", "zh-HK", ["zh-Hans", "zh-Hant-HK"], "zh-Hant-HK"],
    ["is of another region where there is no other", "de-AT", ["en", "de-DE"], "de-DE"],
    ["is of a region where none is asked for", "pt", ["en", "pt-BR"], "pt-BR"],
    ["is of the language's most likely region where none is asked for", "pt", ["en", "pt-PT", "pt-BR"], "pt-BR"],
    ["is in the reader's script where the region has no other sign of it", "zh-Hant-TW", ["zh", "zh-TW"], "zh-TW"],
    ["is of the language alone where nothing else fits", "zh-TW", ["en", "zh"], "zh"],
    ["is Norwegian by either name", "no-NO", ["en", "nb"], "nb"],
    ["is Norwegian by the other name", "nb", ["en", "no"], "no"],
    ["is the first where the language is undetermined", "und", ["fr", "en"], "fr"],
    ["is not in another script", "sr-Latn", ["en", "sr-Cyrl"], "en"],
    ["is the first where the reader's is not there", "ja", ["en", "fr"], "en"],
    ["is the first where none is known", undefined, ["fr", "en"], "fr"],
    ["is the first where the event says null", null, ["fr", "en"], "fr"],
    ["is the first where the text is empty", "", ["fr", "en"], "fr"],
    ["is the first where the text is no tag", "français", ["en", "fr"], "en"],
    ["is the first preference that there is", ["ja", "fr-CA", "en"], ["en", "fr"], "fr"],
    ["passes over what is no tag", ["*", "fr"], ["en", "fr"], "fr"],
  ])("%s", (_, wanted, locales, found) => {
    expect(lookUpLocale(wanted, { locales })).toBe(found);
  });

  it("is found without reading more than readers send", () => {
    const variants = Array.from({ length: 40_000 }, (_, at) => `a${String(at).padStart(5, "0")}`);
    expect(lookUpLocale(`fr-${variants.join("-")}`, { locales: ["en", "fr"] })).toBe("en");
    expect(lookUpLocale([...variants, "fr"], { locales: ["en", "fr"] })).toBe("en");
  });

  it("is English where the notification names none", () => {
    expect(lookUpLocale("fr", {})).toBe("en");
  });

  it("does not fail at what the schema let pass", () => {
    expect(lookUpLocale([7, null] as unknown as string[], { locales: ["en", "fr"] })).toBe("en");
  });
});

describe("the variant of a mail", () => {
  const claims = Array.from({ length: 4000 }, (_, at) => createHash("sha256").update(`${at}`).digest("hex"));
  const share = (variants: NonNullable<Editions["variants"]>, name: string) =>
    claims.filter((claim) => variantByWeight({ variants }, claim) === name).length / claims.length;

  it("is chosen as often as its weight says", () => {
    const variants = { a: { weight: 3 }, b: { weight: 1 }, c: { weight: 0 } };
    expect(share(variants, "a")).toBeCloseTo(0.75, 1);
    expect(share(variants, "b")).toBeCloseTo(0.25, 1);
    expect(share(variants, "c")).toBe(0);
  });

  it("is the same for each try of the mail", () => {
    const variants = { a: { weight: 1 }, b: { weight: 1 } };
    const chosen = claims.map((claim) => variantByWeight({ variants }, claim));
    expect(claims.map((claim) => variantByWeight({ variants }, claim))).toEqual(chosen);
    expect(new Set(chosen)).toEqual(new Set(["a", "b"]));
  });

  it.each(["0".repeat(64), "f".repeat(64)])("is one that has a weight, for the claim %s", (claim) => {
    const variants = { x: { weight: 0 }, a: { weight: 0.1 }, b: { weight: 0.2 }, z: { weight: 0 } };
    expect(["a", "b"]).toContain(variantByWeight({ variants }, claim));
  });

  it("is none where there are none", () => {
    expect(variantByWeight({}, "f".repeat(64))).toBeUndefined();
  });
});

describe("the editions", () => {
  const id = "invoice-paid";
  const editions: Editions = { locales: ["en", "fr-CA"], variants: { a: { weight: 1 }, b: { weight: 1 } } };

  it("are each variant in each locale, and the first has the plain name", () => {
    expect(editionsOf(editions).map((edition) => editionKey({ id, ...editions }, edition))).toEqual([
      "invoice-paid",
      "invoice-paid_en_b",
      "invoice-paid_fr-CA_a",
      "invoice-paid_fr-CA_b",
    ]);
  });

  it("are one where the notification declares none", () => {
    expect(editionsOf({}).map((edition) => [edition, editionKey({ id }, edition)])).toEqual([[{ locale: "en" }, id]]);
  });

  it("are well declared", () => {
    expect(editionProblems(editions)).toEqual([]);
    expect(editionProblems({})).toEqual([]);
  });

  it.each<[object, string]>([
    [{ locales: [] }, 'locales have to be a list of tags: ["en", "fr"].'],
    [{ locales: "en" }, 'locales have to be a list of tags: ["en", "fr"].'],
    [{ locales: ["en", "fr_CA"] }, 'locale "fr_CA" is written "fr-CA".'],
    [{ locales: ["EN"] }, 'locale "EN" is written "en".'],
    [{ locales: ["english!"] }, 'locale "english!" is no tag of BCP 47: write one such as "fr" or "pt-BR".'],
    [{ locales: ["en", 7] }, 'locale 7 is no tag of BCP 47: write one such as "fr" or "pt-BR".'],
    [
      { locales: ["en", "english"] },
      'locale "english" has no language that is known: write a tag such as "fr" or "pt-BR".',
    ],
    [{ locales: ["jp"] }, 'locale "jp" has no language that is known: write a tag such as "fr" or "pt-BR".'],
    [{ locales: ["und"] }, 'locale "und" has no language that is known: write a tag such as "fr" or "pt-BR".'],
    [{ locales: ["en", "fr", "en"] }, 'locales name "en" twice.'],
    [{ variants: {} }, "variants have to be an object with a weight for each: { a: { weight: 1 }, b: { weight: 1 } }."],
    [
      { variants: { "A b": { weight: 1 } } },
      'variant "A b" is a part of files\' names: use small letters, digits and single hyphens.',
    ],
    [
      { locales: ["fr"], variants: { fr: { weight: 1 } } },
      'variant "fr" is the name of a locale, too: choose another.',
    ],
    [
      { locales: ["en", "fr-CA"], variants: { fr: { weight: 1 } } },
      'variant "fr" is the name of a locale, too: choose another.',
    ],
    [
      { locales: ["fr-CA"], variants: { "fr-ca": { weight: 1 } } },
      'variant "fr-ca" is the name of a locale, too: choose another.',
    ],
    [{ variants: { en: { weight: 1 } } }, 'variant "en" is the name of a locale, too: choose another.'],
    [{ variants: { a: { weight: -1 } } }, 'variant "a" has the weight -1: give a number of 0 or more.'],
    [{ variants: { a: { weight: "1" } } }, 'variant "a" has the weight "1": give a number of 0 or more.'],
    [{ variants: { a: null } }, 'variant "a" has the weight undefined: give a number of 0 or more.'],
    [{ variants: { a: { weight: 0 } } }, "variants all have the weight 0: give one a share of the mails."],
  ])("are refused: %j", (declared, problem) => {
    expect(editionProblems(declared)).toEqual([problem]);
  });
});
