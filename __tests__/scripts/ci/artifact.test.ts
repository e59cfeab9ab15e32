import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Manifest, readManifest, unpackStack, writeArtifact } from "../../../scripts/ci/artifact";
import { checkPackages } from "../../../scripts/ci/package-check";
import { readSource } from "../../../scripts/ci/source";
import { type Plan } from "../../../scripts/ci/terraform";
import { projectRoot } from "../../support/documents";

let folder: string;
let artifact: string;
let stack: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ci-artifact-"));
  artifact = join(folder, "artifact");
  stack = join(folder, "stack");
  mkdirSync(join(stack, "assets"), { recursive: true });
  mkdirSync(join(stack, ".terraform/providers"), { recursive: true });
  writeFileSync(join(stack, "cdk.tf.json"), "{}");
  writeFileSync(join(stack, "plan.tfplan"), "plan");
  writeFileSync(join(stack, ".terraform.lock.hcl"), "locked");
  writeFileSync(join(stack, "assets/code.zip"), "zip");
  writeFileSync(join(stack, ".terraform/providers/aws"), "hundreds of megabytes");
  const manifest = {
    stage: "dev",
    stack: "notification-dev",
    commit: "c",
    tree: "t",
    state: { lineage: "l", serial: 3 },
    settings: { STAGE: "dev" },
  };
  await writeArtifact(artifact, stack, { manifest, summary: "new" }, process.env);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const unpack = () => unpackStack(artifact, join(folder, "clean"), process.env);

/** Packs the stack's folder anew, as a damaged artifact would have it, behind the manifest's back. */
function repack(): void {
  execFileSync("tar", ["-c", "-f", join(artifact, "stack.tar"), "--exclude=./.terraform/providers/aws", "."], {
    cwd: stack,
  });
}

it("brings every file of the stack, Terraform's lock file too, and leaves out the providers", async () => {
  await unpack();
  expect(Object.keys(readManifest(artifact).files)).toEqual([
    ".terraform.lock.hcl",
    "assets/code.zip",
    "cdk.tf.json",
    "plan.tfplan",
  ]);
  expect(readFileSync(join(folder, "clean/.terraform.lock.hcl"), "utf8")).toBe("locked");
  expect(() => readFileSync(join(folder, "clean/.terraform/providers/aws"))).toThrow("ENOENT");
});

it.each([
  [
    "missing",
    "assets/code.zip is missing",
    () => {
      rmSync(join(stack, "assets/code.zip"));
    },
  ],
  [
    "another one",
    "assets/code.zip is another file",
    () => {
      writeFileSync(join(stack, "assets/code.zip"), "other");
    },
  ],
  [
    "added",
    "override.tf.json was added",
    () => {
      writeFileSync(join(stack, "override.tf.json"), "{}");
    },
  ],
  [
    "added where the providers are, which Terraform would run",
    ".terraform/providers/evil was added",
    () => {
      writeFileSync(join(stack, ".terraform/providers/evil"), "code");
    },
  ],
  [
    "a link",
    "assets/link is no file",
    () => {
      symlinkSync("/etc/hostname", join(stack, "assets/link"));
    },
  ],
])("refuses an artifact in which a file is %s", async (_, problem, damage) => {
  damage();
  repack();
  await expect(unpack()).rejects.toThrow(`The artifact is damaged (${problem})`);
});

it("refuses an artifact without its manifest or its tar, or with an unreadable one", async () => {
  const manifest = readFileSync(join(artifact, "manifest.json"), "utf8");
  writeFileSync(join(artifact, "manifest.json"), manifest.replace('"version": 1', '"version": 2'));
  await expect(unpack()).rejects.toThrow(/manifest.json can't be used \(version: .*\): make a new plan/);
  writeFileSync(join(artifact, "manifest.json"), manifest.slice(1));
  await expect(unpack()).rejects.toThrow("manifest.json can't be read: make a new plan");
  rmSync(join(artifact, "manifest.json"));
  await expect(unpack()).rejects.toThrow("manifest.json is not there");
  writeFileSync(join(artifact, "manifest.json"), manifest);
  rmSync(join(artifact, "stack.tar"));
  await expect(unpack()).rejects.toThrow("stack.tar is not there");
});

it("refuses the manifest of another stage, of another stage's stack, and of no files", () => {
  expect(() => readManifest(artifact, "prod")).toThrow('is of a plan for the stage "dev", and not for "prod"');
  const manifest = readManifest(artifact, "dev");
  forge({ stack: "notification-prod" });
  expect(() => readManifest(artifact)).toThrow("the stack notification-prod is not that of the stage dev");
  writeFileSync(join(artifact, "manifest.json"), JSON.stringify({ ...manifest, files: {} }));
  expect(() => readManifest(artifact)).toThrow(
    "(files: cdk.tf.json is missing; files: plan.tfplan is missing; files: .terraform.lock.hcl is missing)",
  );
});

/** Changes the manifest as somebody would who has changed the tar, too. */
function forge(change: Partial<Record<keyof Manifest, unknown>>): void {
  const file = join(artifact, "manifest.json");
  writeFileSync(file, JSON.stringify({ ...readManifest(artifact), ...change }));
}

// Terraform, or a program that it starts, would run or obey each of them.
it.each([
  ".terraform/providers/registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64/terraform-provider-aws",
  ".terraform/environment",
  ".terraformrc",
  "terraform.rc",
  "terraform.tfvars",
  "x.auto.tfvars",
  "x.auto.tfvars.json",
  "x_override.tf.json",
  "override.tf.json",
  "main.tf",
  "terraform.tfstate",
  ".env",
  ".netrc",
  "node_modules/x/index.js",
  "assets",
  "assets/x/main.tf",
  "assets/x/main.tf.json",
  "assets/.hidden",
  "assets/../main.tf",
  "../evil",
  "/etc/evil",
  "assets//evil",
  "cdk.tf.json/evil",
  "cdk.tf.json\n",
])("refuses %j, although the manifest lists it", async (path) => {
  const { files } = readManifest(artifact);
  const digest = createHash("sha256").update("code").digest("hex");
  forge({ files: { ...files, [path]: digest } });
  if (!path.startsWith("/") && !path.startsWith("..") && !/[\n]|cdk/.test(path) && path !== "assets") {
    mkdirSync(dirname(join(stack, path)), { recursive: true });
    writeFileSync(join(stack, path), "code");
  }
  repack();
  await expect(unpack()).rejects.toThrow(`(${path} is no file of a plan): make a new plan`);
});

it("takes what a plan's folder has", async () => {
  for (const path of ["assets/bundle_source_E3FC4619/CB45/index.cjs", "assets/bundle/CB45.zip"]) {
    mkdirSync(dirname(join(stack, path)), { recursive: true });
    writeFileSync(join(stack, path), path);
  }
  const { version: _, files: __, ...manifest } = readManifest(artifact);
  await writeArtifact(artifact, stack, { manifest, summary: "new" }, process.env);
  await unpack();
  expect(Object.keys(readManifest(artifact).files)).toHaveLength(6);
});

it("hands on no other file", async () => {
  writeFileSync(join(stack, "x.auto.tfvars"), "");
  const { version: _, files: __, ...manifest } = readManifest(artifact);
  await expect(writeArtifact(artifact, stack, { manifest, summary: "new" }, process.env)).rejects.toThrow(
    "This plan can't be handed on: x.auto.tfvars is no file of a plan.",
  );
});

describe("the settings of a plan", () => {
  it.each([
    "NODE_OPTIONS",
    "PATH",
    "LD_PRELOAD",
    "BASH_ENV",
    "TF_CLI_ARGS",
    "AWS_ENDPOINT_URL",
    "NPM_CONFIG_PREFIX",
    "x",
  ])("are no variable that the configuration does not read, such as %s", (name) => {
    forge({ settings: { STAGE: "dev", [name]: "/evil" } });
    expect(() => readManifest(artifact)).toThrow(`can't be used (settings: Unrecognized key: "${name}"): make a new`);
  });

  it.each([
    ["of another stage", { STAGE: "prod" }, "the settings are those of another stage"],
    ["of two lines", { EMAIL_SENDER: "a\nPATH=/evil" }, "settings.EMAIL_SENDER: has more than one line"],
    ["of two lines, by another character", { EMAIL_SENDER: "a\rb" }, "settings.EMAIL_SENDER: has more than one line"],
  ])("are not those %s", (_, settings, problem) => {
    forge({ settings });
    expect(() => readManifest(artifact)).toThrow(problem);
  });
});

describe("the packages of functions", () => {
  const hash = createHash("sha256").update("zip").digest("base64");
  const planOf = (actions: string[], after: Record<string, unknown>): Plan => ({
    terraform_version: "1.11.4",
    resource_drift: [],
    output_changes: {},
    resource_changes: [
      { address: "aws_lambda_function.a", mode: "managed", type: "aws_lambda_function", change: { actions, after } },
    ],
  });

  it("are those that the plan names", () => {
    checkPackages(planOf(["create"], { filename: "assets/code.zip", source_code_hash: hash }), stack);
  });

  it("are refused where one is missing or is another one", () => {
    const gone = planOf(["create"], { filename: "assets/gone.zip", source_code_hash: hash });
    expect(() => {
      checkPackages(gone, stack);
    }).toThrow("assets/gone.zip, did not come with the plan. Nothing was changed");
    const other = planOf(["update"], { filename: "assets/code.zip", source_code_hash: "planned=" });
    expect(() => {
      checkPackages(other, stack);
    }).toThrow(`has the hash ${hash}, and planned= was planned. Nothing was changed`);
  });

  it("are not needed where the function stays", () => {
    checkPackages(planOf(["no-op"], { filename: "assets/gone.zip", source_code_hash: hash }), stack);
    checkPackages(planOf(["delete"], {}), stack);
  });
});

it("names the files of a checkout by their tree, and refuses one with changes", async () => {
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.example", ...words], {
      cwd: stack,
      encoding: "utf8",
    }).trim();
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "first");
  const first = await readSource(stack, process.env);
  git("commit", "-q", "--amend", "-m", "the same files, as a squash merge has them");
  const second = await readSource(stack, process.env);
  expect(second.tree).toBe(first.tree);
  expect(second.commit).not.toBe(first.commit);
  writeFileSync(join(stack, "cdk.tf.json"), "{ }");
  await expect(readSource(stack, process.env)).rejects.toThrow(/The checkout has changes.*cdk\.tf\.json/s);
});

describe("scripts/ci/smoke.sh", () => {
  /** Runs it with a stand-in for npm, which prints the settings of a stage, and then takes the test's place. */
  function smoke(test: string) {
    const npm = join(folder, "npm");
    const settings = "printf '%s\\n' STAGE=dev 'EMAIL_SENDER=\"A B\" <a@b.example>' 'A=$(exit 9)'";
    writeFileSync(npm, `#!/bin/sh\ncase "$*" in\n*settings*) ${settings} ;;\n"run smoke") ${test} ;;\nesac\n`, {
      mode: 0o755,
    });
    return spawnSync("bash", [join(projectRoot, "scripts/ci/smoke.sh"), artifact], {
      encoding: "utf8",
      env: { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH ?? ""}` },
    });
  }

  it("runs the acceptance test with the configuration of the plan, word for word", () => {
    const { status, stdout } = smoke('echo "$STAGE, $EMAIL_SENDER, $A"');
    expect([status, stdout]).toEqual([0, 'dev, "A B" <a@b.example>, $(exit 9)\n']);
  });

  it("fails where the test fails, or the plan has no configuration", () => {
    expect(smoke("exit 1").status).toBe(1);
    rmSync(join(artifact, "manifest.json"));
    const { status, stderr } = spawnSync("bash", ["scripts/ci/smoke.sh", artifact], {
      cwd: projectRoot,
      encoding: "utf8",
    });
    expect([status === 0, stderr]).toEqual([false, expect.stringContaining("manifest.json is not there")]);
  });
});
