import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "aws-emulator/testing/temporary";

const run = promisify(execFile);
const root = join(__dirname, "..", "..", "..");

it("npm run docs -- --check names a stale document and the command that mends it, and changes nothing", async () => {
  const folder = temporaryFolder();
  cpSync(join(root, "docs"), folder, { recursive: true, filter: (path) => !path.endsWith("generator") });
  const file = join(folder, "iam.md");
  const stale = readFileSync(file, "utf8").replace("ci-plan", "ci-planner");
  writeFileSync(file, stale);
  const check = run(process.execPath, ["--import", "tsx", "docs/generator/docs.ts", folder, "--check"], { cwd: root });
  const { code, stderr } = (await check.catch((error: unknown) => error)) as { code: number; stderr: string };
  expect(code).toBe(1);
  expect(stderr).toContain("Run `npm run docs`, and commit what it changes.");
  expect(stderr).toContain(`\n  ${file}\n`);
  expect(stderr).not.toContain("costs.md");
  expect(readFileSync(file, "utf8")).toBe(stale);
}, 120_000);

it("npm run docs fails where a picture is missing and there is no browser to take it", async () => {
  const folder = temporaryFolder();
  cpSync(join(root, "docs"), folder, { recursive: true, filter: (path) => !path.endsWith("generator") });
  const [picture = ""] = readdirSync(join(folder, "images/notifications"));
  writeFileSync(join(folder, "images/notifications", picture), "");
  const env = { ...process.env, CHROMIUM: join(folder, "chromium") };
  const docs = run(process.execPath, ["--import", "tsx", "docs/generator/docs.ts", folder], { cwd: root, env });
  const { code, stderr } = (await docs.catch((error: unknown) => error)) as { code: number; stderr: string };
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^The pictures of [\w-]+ are missing\. CHROMIUM=".*" names no program.*run `npm run docs` again\.\n$/,
  );
}, 120_000);
