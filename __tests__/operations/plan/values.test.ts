import { differingLines } from "../../../operations/plan/values";

const lines = (count: number, text: string) => Array.from({ length: count }, (_, at) => `${text} ${at}\n`).join("");

describe("the lines that differ", () => {
  it("are shown with three around them", () => {
    const before = lines(2000, "same");
    expect(differingLines(before, before.replace("same 1000\n", "other\n")).split("\n")).toEqual([
      "@@ -998,7 +998,7 @@",
      ...[997, 998, 999].map((at) => ` same ${at}`),
      "-same 1000",
      "+other",
      ...[1001, 1002, 1003].map((at) => ` same ${at}`),
    ]);
  });

  it("are the whole of both texts where a search for them would take too long", () => {
    // Of 500 KB, the most that SES takes for a template.
    const found = differingLines(lines(20_000, "the old text, line"), lines(20_000, "the new text, line")).split("\n");
    expect(found[0]).toBe("@@ -1,20000 +1,20000 @@ more than 1,000 lines differ");
    expect(found).toHaveLength(40_001);
    expect([found[1], found[40_000]]).toEqual(["-the old text, line 0", "+the new text, line 19999"]);
  });
});
