import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startChild, stopChild } from "aws-emulator/processes";
import { findTools, resolveProviders, thisMachine } from "../../sandbox/tools";
import { emptyMachine } from "../support/machine";
import { programs, temporaryFolder } from "aws-emulator/testing/temporary";
import { until } from "aws-emulator/testing/until";

const secrets = { GITHUB_TOKEN: "a secret", AWS_SECRET_ACCESS_KEY: "a secret", NPM_CONFIG__AUTH: "a secret" };

/** A program that writes its environment to a file, and then runs the script. */
const confesses = (file: string, script = "") => `#!/bin/sh\n/usr/bin/env >> ${file}\n${script}\n`;

function expectNoSecret(file: string): void {
  const text = readFileSync(file, "utf8");
  expect(text).toMatch(/^PATH=/m);
  expect(text).not.toContain("a secret");
}

describe("a child of the sandbox knows none of the user's tokens and keys", () => {
  it("who looks after the others, and outlives the sandbox", async () => {
    const file = join(temporaryFolder(), "environment");
    const before = process.env.PATH;
    Object.assign(process.env, secrets, {
      PATH: `${programs({ cat: confesses(file, "exec /bin/cat") })}:${before ?? ""}`,
    });
    try {
      const child = startChild(["/bin/sleep", "60"], { directory: "/", environment: {}, stdio: "ignore" });
      await until("the watchdog waits", () => (existsSync(file) ? true : undefined));
      await stopChild(child);
    } finally {
      process.env.PATH = before;
      for (const name of Object.keys(secrets)) Reflect.deleteProperty(process.env, name);
    }
    expectNoSecret(file);
  });

  it("a Terraform and a Python that are asked for their version", () => {
    const [terraform, python] = [join(temporaryFolder(), "terraform"), join(temporaryFolder(), "python")];
    const PATH = programs({
      terraform: confesses(terraform, `echo '{"terraform_version": "1.11.4"}'`),
      python3: confesses(python, "echo 5.2.1"),
    });
    findTools(emptyMachine({ environment: { PATH, ...secrets } }));
    expectNoSecret(terraform);
    expectNoSecret(python);
  });

  it("a Terraform that tries whether its registry can be reached", () => {
    const file = join(temporaryFolder(), "init");
    const terraform = join(programs({ terraform: confesses(file) }), "terraform");
    const machine = emptyMachine({ environment: { PATH: process.env.PATH, ...secrets } });
    resolveProviders({
      terraform,
      awsMirror: undefined,
      archiveMirror: undefined,
      workDirectory: temporaryFolder(),
      machine,
    });
    expectNoSecret(file);
  });

  it("and each that the sandbox's code may start: none inherits by default", () => {
    const files = ["sandbox", "packages/aws-emulator/src"].flatMap((folder) => {
      const root = join(thisMachine().directory, folder);
      return readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => join(root, name));
    });
    const calls = files.flatMap((file) => {
      const source = readFileSync(file, "utf8");
      expect({ file, spreads: /\.\.\.(?:process\.env|machine\.environment)\b/.test(source) }).toMatchObject({
        spreads: false,
      });
      const starts = /(?<![.\w])(?:spawn|spawnSync|exec|execSync|execFile|execFileSync|fork)\((?!\))[\s\S]*?\n\s*\}\)/g;
      return /from "node:child_process"/.test(source)
        ? [...source.matchAll(starts)].map(([call]) => ({ file, call }))
        : [];
    });
    expect(calls.length).toBeGreaterThanOrEqual(5);
    for (const { file, call } of calls)
      expect({ file, call }).toMatchObject({ call: expect.stringMatching(/\benv: /) as string });
  });
});
