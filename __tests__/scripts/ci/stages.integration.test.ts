import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { projectRoot } from "../../support/documents";

/** What a team does with the stages: a copy of the project has `qa` in place of `staging`, with a job in deploy.yml. */

const folder = temporaryFolder();
const git = (...words: string[]) => execFileSync("git", words, { cwd: projectRoot, encoding: "utf8" });
const change = (path: string, edit: (text: string) => string) => {
  const file = join(folder, path);
  const text = readFileSync(file, "utf8");
  const edited = edit(text);
  if (edited === text) throw new Error(`${path} has not changed.`);
  writeFileSync(file, edited);
};
const runs = promisify(execFile);
const environment = (CI_STAGES: string) => ({ cwd: folder, env: { ...process.env, CI_STAGES } });
const ci = (stages: string) => runs("npm", ["run", "--silent", "ci", "--", "stages"], environment(stages));

beforeAll(() => {
  const files = git("ls-files", "--cached", "--others", "--exclude-standard").trim().split("\n");
  for (const file of files.filter((path) => existsSync(join(projectRoot, path)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(folder, file));
  }
  symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
  execFileSync("git", ["init", "-q"], { cwd: folder });
  execFileSync("git", ["add", "--all"], { cwd: folder });
  change("stacks/stages.ts", (text) => text.replace("\n  staging: {", "\n  qa: {"));
});

it("refuses a stage without a job, with the fix", async () => {
  await expect(ci("dev qa prod")).rejects.toMatchObject({
    stderr: expect.stringMatching(/^The stage qa has no job in .*deploy\.yml: copy the one of dev/) as string,
  });
  expect((await ci("dev prod")).stdout).toBe('["dev","prod"]\n');
});

it("has green tests once the stage has its job, and those of the stage that is gone may stay or go", async () => {
  change(".github/workflows/deploy.yml", (text) => text.replace(/staging/g, "qa"));
  expect((await ci("prod qa dev")).stdout).toBe('["dev","qa","prod"]\n');
  const tests = ["workflows", "texts"].map((name) => `__tests__/scripts/ci/${name}.test.ts`);
  const { stderr } = await runs("npx", ["jest", "--runInBand", ...tests], environment(""));
  expect(stderr).toMatch(/Test Suites: 2 passed/);
});
