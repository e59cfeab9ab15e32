import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const run = promisify(execFile);
const root = join(__dirname, "..", "..", "..");

it("npm run docs -- --check names a stale document and the command that mends it, and changes nothing", async () => {
  const folder = temporaryFolder();
  cpSync(join(root, "docs"), folder, { recursive: true, filter: (path) => !path.endsWith("generator") });
  const producer = join(temporaryFolder(), "producer");
  cpSync(join(root, "packages/producer"), producer, { recursive: true });
  writeFileSync(join(producer, "schemas/gone.json"), "{}");
  const schema = join(producer, "schemas/email-request.json");
  writeFileSync(schema, readFileSync(schema, "utf8").replace("998", "999"));
  const file = join(folder, "iam.md");
  const stale = readFileSync(file, "utf8").replace("ci-plan", "ci-planner");
  writeFileSync(file, stale);
  const words = [folder, "--check", "--producer", producer];
  const check = run(process.execPath, ["--import", "tsx", "docs/generator/docs.ts", ...words], { cwd: root });
  const { code, stderr } = (await check.catch((error: unknown) => error)) as { code: number; stderr: string };
  expect(code).toBe(1);
  expect(stderr).toContain("Run `npm run docs`, and commit what it changes.");
  for (const path of [file, schema, join(producer, "schemas/gone.json")]) expect(stderr).toContain(`\n  ${path}\n`);
  expect(stderr).not.toContain("costs.md");
  expect(stderr).not.toContain("priority-alert.json");
  expect(readFileSync(file, "utf8")).toBe(stale);
}, 120_000);

it("npm run docs fails where a picture is missing and there is no browser to take it", async () => {
  const folder = temporaryFolder();
  cpSync(join(root, "docs"), folder, { recursive: true, filter: (path) => !path.endsWith("generator") });
  const [picture = ""] = readdirSync(join(folder, "images/notifications"));
  writeFileSync(join(folder, "images/notifications", picture), "");
  const env = { ...process.env, CHROMIUM: join(folder, "chromium") };
  const producer = join(folder, "producer");
  writeFiles(producer, { "schemas/gone.json": "{}", "examples/put.ts": "// by hand" });
  const words = [folder, "--producer", producer];
  const docs = run(process.execPath, ["--import", "tsx", "docs/generator/docs.ts", ...words], { cwd: root, env });
  const { code, stderr } = (await docs.catch((error: unknown) => error)) as { code: number; stderr: string };
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^The pictures of [\w-]+ are missing\. CHROMIUM=".*" names no program.*run `npm run docs` again\.\n$/,
  );
  // All else is written, and what was generated for a notification that is gone is removed.
  const written = readdirSync(join(producer, "schemas"));
  expect(written).toContain("email-request.json");
  expect(written).not.toContain("gone.json");
  expect(readdirSync(join(producer, "examples"))).toEqual(expect.arrayContaining(["email-request.json", "put.ts"]));
}, 120_000);
