import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTools, MissingToolsError, platform } from "../../sandbox/tools";

function folder(): string {
  return mkdtempSync(join(tmpdir(), "tools-"));
}

/** A machine with what is named and nothing else. */
function machineWith(programs: Readonly<Record<string, string>>): string {
  const bin = folder();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

const terraform = (version: string) => `echo '{"terraform_version": "${version}"}'`;

it("names everything that is missing, and how to get it", () => {
  const find = () => findTools({ PATH: machineWith({}) });
  expect(find).toThrow(MissingToolsError);
  expect(find).toThrow(/Terraform 1\.10 or newer is missing[\s\S]*moto's server is missing: pip install/);
});

it("refuses a Terraform without lock files", () => {
  const PATH = machineWith({ terraform: terraform("1.9.8"), moto_server: "exit 0" });
  expect(() => findTools({ PATH })).toThrow(/too old .*1\.9/);
});

it("prefers the environment's programs, and says so", () => {
  const PATH = machineWith({ terraform: terraform("1.11.4"), moto_server: "exit 0" });
  const own = machineWith({ tofu: terraform("1.12.0"), server: "exit 0" });
  expect(findTools({ PATH })).toMatchObject({
    terraform: { value: "terraform", by: "PATH" },
    moto: { value: ["moto_server"], by: "PATH" },
  });
  expect(findTools({ PATH, TERRAFORM_BINARY_NAME: join(own, "tofu"), MOTO_SERVER: join(own, "server") })).toMatchObject(
    { terraform: { by: "TERRAFORM_BINARY_NAME" }, moto: { by: "MOTO_SERVER" } },
  );
});

it.each([
  ["TF_PROVIDER_MIRROR", "TF_PROVIDER_MIRROR", []],
  ["XDG_DATA_HOME", "implied mirror", ["terraform", "plugins"]],
])("finds a provider for this platform in the mirror that %s names", (variable, by, below) => {
  const PATH = machineWith({ terraform: terraform("1.11.4"), moto_server: "exit 0" });
  const base = folder();
  const mirror = join(base, ...below);
  mkdirSync(join(mirror, "registry.example.com", "hashicorp", "archive", "2.7.1", platform()), { recursive: true });
  expect(findTools({ PATH, [variable]: base }).archiveProvider).toEqual({
    value: { folder: mirror, host: "registry.example.com" },
    by,
  });
});
