import { join } from "node:path";
import { writeFiles, temporaryFolder } from "aws-emulator/testing/temporary";
import { type Program } from "../../../operations/command";
import { runOperation } from "../../support/operations-command";
import { devEnvironment } from "../../support/stack";

const fixture = join(__dirname, "..", "..", "fixtures", "plan.json");
const summary = (...words: readonly string[]) => ["plan", "--summary", ...words];

/** Runs the command with programs that end with these codes, in their order; `show` answers with `json`. */
async function planned(codes: readonly number[], json: string, words: readonly string[] = []) {
  const started: Program[] = [];
  const result = await runOperation(summary(...words), devEnvironment, {
    runProgram: (program) => {
      started.push(program);
      return Promise.resolve({ code: codes[started.length - 1] ?? 0, output: program.answers ? json : "" });
    },
  });
  return { ...result, started };
}

describe("npm run plan -- --summary", () => {
  it("reads a plan of Terraform without a stage, and writes nothing but the page", async () => {
    const { code, output, errors } = await runOperation(summary("--from", fixture), {});
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(output).toMatch(/^## Plan of the stage `sandbox`/);
  });

  it("takes a heading", async () => {
    const { output } = await runOperation(summary("--from", fixture, "--title", "Plan of `dev`"), {});
    expect(output.split("\n")[0]).toBe("## Plan of &#96;dev&#96;");
  });

  it.each([
    [["--from", "nowhere.json"], "--from nowhere.json can't be read: "],
    [
      ["--from", join(writeFiles(temporaryFolder(), { "a.json": "[]" }), "a.json")],
      "it is not a plan of terraform show -json",
    ],
    [["--from", fixture, "state-backend"], "leave out the stack state-backend"],
    [["--refresh-only"], "unknown option '--refresh-only'"],
  ])("refuses %j", async (words, sentence) => {
    const { code, output, errors } = await runOperation(summary(...words), {});
    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toContain(sentence);
  });

  it("synthesizes, and plans the stage's stack with Terraform", async () => {
    const { code, output, errors, started } = await planned([], '{"format_version":"1.2"}');
    expect({ code, errors }).toEqual({
      code: 0,
      errors: "AWS account 123456789012, region eu-west-1, stage dev: plan of notification-dev\n",
    });
    expect(output).toContain("**No changes**");
    expect(started.map(({ words: [, first], answers }) => [first, answers])).toEqual([
      ["--import", false],
      ["init", false],
      ["plan", false],
      ["show", true],
    ]);
    for (const { directory } of started.slice(1)) expect(directory).toMatch(/stacks[\\/]notification-dev$/);
  });

  it("plans another stack where one is named", async () => {
    const { started } = await planned([], '{"format_version":"1.2"}', ["state-backend"]);
    expect(started.at(-1)?.directory).toMatch(/stacks[\\/]state-backend$/);
  });

  it.each([
    [[1], 1, 1],
    [[0, 0, 1], 1, 3],
    [[0, 130], 130, 2],
    [[0, 0, 0, 1], 1, 4],
  ])("ends where a program ends with %j, and writes no page", async (codes, code, count) => {
    const result = await planned(codes, "");
    expect({ code: result.code, output: result.output, count: result.started.length }).toEqual({
      code,
      output: "",
      count,
    });
  });

  it("does not go to AWS for the stage sandbox", async () => {
    const { code, errors } = await runOperation(summary(), { STAGE: "sandbox" });
    expect(code).toBe(2);
    expect(errors).toContain("AWS_ENDPOINT_URL");
  });
});
