import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const root = join(__dirname, "..", "..", "..");
const name = "event-driven-email-producer";

/** A program of a producer that has installed the package as it is published, and nothing else of this project. */
let producer: string;

beforeAll(() => {
  producer = temporaryFolder();
  const copy = join(producer, "packages", "producer");
  cpSync(join(root, "packages", "producer"), copy, { recursive: true, filter: (path) => !path.endsWith("dist") });
  const modules = join(producer, "node_modules");
  mkdirSync(join(modules, name), { recursive: true });
  for (const each of ["@aws-sdk", "@smithy", "@types", "@aws", "tslib", "typescript"]) {
    symlinkSync(join(root, "node_modules", each), join(modules, each));
  }
  const tsc = join(root, "node_modules", ".bin");
  const env = { ...process.env, PATH: `${tsc}:${process.env.PATH ?? ""}` };
  const output = execFileSync("npm", ["pack", "--json", "--pack-destination", producer], {
    cwd: copy,
    env,
    encoding: "utf8",
  });
  const [{ filename }] = JSON.parse(output.slice(output.indexOf("["))) as [{ filename: string }];
  execFileSync("tar", ["xzf", join(producer, filename), "--strip-components=1", "-C", join(modules, name)]);
});

function run(file: string, text: string): string {
  writeFiles(producer, { [file]: text });
  return execFileSync(process.execPath, [file], { cwd: producer, encoding: "utf8" });
}

const use = "console.log(typeof Producer, typeof putEmailRequest, emailRequestNotification.rule);";

it.each([
  ["an ES module", "put.mjs", `import { Producer, putEmailRequest, emailRequestNotification } from "${name}"; ${use}`],
  ["CommonJS", "put.cjs", `const { Producer, putEmailRequest, emailRequestNotification } = require("${name}"); ${use}`],
])("the packed package works in %s", (_, file, text) => {
  expect(run(file, text)).toBe("function function email-rule\n");
});

it("the packed package has its schemas, and types that a producer's compiler takes", () => {
  expect(run("schema.cjs", `console.log(require("${name}/schemas/email-request.json").type)`)).toBe("object\n");
  const settings = { strict: true, noEmit: true, module: "node16", moduleResolution: "node16", types: ["node"] };
  cpSync(join(root, "packages", "producer", "examples", "put.ts"), join(producer, "put.ts"));
  const wrong = `import { Producer, putPriorityAlert } from "${name}";
    void putPriorityAlert(new Producer({ eventBusName: "x" }), { emailConfig: { recipient: "a@example.com" }, priority: "low" });`;
  const readme = readFileSync(join(root, "packages", "producer", "README.md"), "utf8");
  writeFiles(producer, {
    "wrong.ts": wrong,
    "readme.mts": /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "It has no example",
    "tsconfig.json": JSON.stringify({
      compilerOptions: { ...settings, skipLibCheck: true },
      files: ["put.ts", "readme.mts", "wrong.ts"],
    }),
  });
  let problems = "";
  try {
    execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], { cwd: producer, encoding: "utf8" });
  } catch (error) {
    problems = (error as { stdout: string }).stdout;
  }
  expect(problems).toMatch(/^wrong\.ts\(2,\d+\): error TS2322: Type '"low"' is not assignable to type .*\n$/);
});
