import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { environmentScript, ownerOf } from "../../sandbox/environment-script";
import { thisMachine } from "../../sandbox/tools";
import { executablesOf } from "../../sandbox/tools/executables";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const script = (changes: Readonly<Record<string, string>> = {}) =>
  environmentScript(
    {
      AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
      AWS_REGION: "us-east-1",
      TF_CLI_CONFIG_FILE: "/tmp/it's here/terraform.rc",
      STAGE: "sandbox",
      SANDBOX_PORT: "4566",
      PATH: "/nowhere",
      GITHUB_TOKEN: "a secret",
      ...changes,
    },
    { pid: 4711, port: 4566 },
  );

/** Variables that the user's shell has beforehand, with values that a careless script would lose. */
const ofUser = {
  OWN: "kept",
  AWS_PROFILE: "production",
  AWS_ENDPOINT_URL_S3: "https://s3.example",
  AWS_REGION: " eu-west-1 'a' \"b\" $HOME \\ *",
  AWS_NOTE: "two\nAWS_FORGED=lines\n",
  TF_CLI_CONFIG_FILE: "",
};

const ofSandbox = {
  OWN: "kept",
  AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
  AWS_REGION: "us-east-1",
  TF_CLI_CONFIG_FILE: "/tmp/it's here/terraform.rc",
  STAGE: "sandbox",
  SANDBOX_PORT: "4566",
};

/** A command that prints the environment of a program that the shell starts. */
const show = `${process.execPath} -e 'console.log(JSON.stringify(process.env))'`;

/**
 * Runs commands in which $ENVIRONMENT is the script's file.
 * @returns the environments that `show` printed.
 */
function run(shell: readonly string[], commands: readonly string[], text = script()) {
  const folder = writeFiles(temporaryFolder(), { "environment.sh": text, "commands.sh": commands.join("\n") });
  const [program = "", ...words] = shell;
  const result = spawnSync(program, [...words, join(folder, "commands.sh")], {
    encoding: "utf8",
    env: { ...ofUser, PATH: process.env.PATH, ENVIRONMENT: join(folder, "environment.sh") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const own = /^(?:AWS_|TF_|OWN$|STAGE$|SANDBOX_PORT$|GITHUB_|_SANDBOX|_sandbox)/;
  const lines = result.stdout.split("\n").filter((line) => line !== "");
  return {
    stderr: result.stderr,
    status: result.status,
    texts: lines.filter((line) => !line.startsWith("{")),
    environments: lines
      .filter((line) => line.startsWith("{"))
      .map((line) => Object.entries(JSON.parse(line) as Record<string, string>).filter(([name]) => own.test(name)))
      .map((entries) => Object.fromEntries(entries)),
  };
}

const shells = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "busybox"].flatMap((name) => {
  const [path] = executablesOf(name, thisMachine());
  if (path !== undefined) return [[name, name === "busybox" ? [path, "sh"] : [path]] as const];
  process.stderr.write(`Not tested in ${name}: it is not on PATH.\n`);
  return [];
});

describe.each(shells)("in %s, the script", (_, shell) => {
  it("leaves the sandbox's settings alone of AWS's, and everything else that the shell had", () => {
    const { environments, stderr } = run(shell, [". $ENVIRONMENT", show]);
    expect(environments).toEqual([ofSandbox]);
    expect(stderr).toBe("");
  });

  it("is undone by deactivate, which then is gone itself", () => {
    const commands = [
      ". $ENVIRONMENT",
      "deactivate",
      show,
      "set | grep -i ^_sandbox_",
      '[ "$(command -v deactivate)" = deactivate ] || echo no deactivate',
      "command -v sandbox_deactivate || echo no sandbox_deactivate",
    ];
    const { environments, texts, stderr } = run(shell, commands);
    expect(environments).toEqual([ofUser]);
    expect(texts).toEqual(["no deactivate", "no sandbox_deactivate"]);
    expect(stderr).toBe("");
  });

  it("can be sourced twice, and that of another sandbox after it, and the first values come back", () => {
    const other = script({ AWS_ENDPOINT_URL: "http://127.0.0.1:4600", SANDBOX_PORT: "4600", TF_LOG: "trace" });
    const file = join(writeFiles(temporaryFolder(), { "other.sh": other }), "other.sh");
    const commands = [
      ". $ENVIRONMENT",
      ". $ENVIRONMENT",
      `. ${file}`,
      show,
      ". $ENVIRONMENT",
      show,
      "deactivate",
      show,
    ];
    const { environments, stderr } = run(shell, commands);
    expect(environments).toEqual([
      { ...ofSandbox, AWS_ENDPOINT_URL: "http://127.0.0.1:4600", SANDBOX_PORT: "4600", TF_LOG: "trace" },
      ofSandbox,
      ofUser,
    ]);
    expect(stderr).toBe("");
  });

  it("gives back a variable that the shell had not exported, and leaves it so", () => {
    const commands = ["STAGE='of the shell'", ". $ENVIRONMENT", "deactivate", show, 'echo "$STAGE"'];
    const { environments, texts } = run(shell, commands);
    expect(environments).toEqual([ofUser]);
    expect(texts).toEqual(["of the shell"]);
  });

  it("works where the shell ends at an unset variable or at a failed command", () => {
    const { environments, status, stderr } = run(shell, ["set -eu", ". $ENVIRONMENT", show, "deactivate", show]);
    expect({ environments, status, stderr }).toEqual({ environments: [ofSandbox, ofUser], status: 0, stderr: "" });
  });

  it("leaves the deactivate of a Python environment alone, and says what its own is called", () => {
    const commands = ["deactivate() { echo of Python; }", ". $ENVIRONMENT", "deactivate", "sandbox_deactivate", show];
    const { environments, texts, stderr } = run(shell, [...commands, "deactivate"]);
    expect(texts).toEqual(["of Python", "of Python"]);
    expect(environments).toEqual([ofUser]);
    expect(stderr).toContain('leave the sandbox with "sandbox_deactivate"');
  });

  it("leaves the deactivate of a Python environment alone that was activated later", () => {
    const activate = "VIRTUAL_ENV=/venv; deactivate() { echo of Python; }";
    const { texts } = run(shell, [". $ENVIRONMENT", activate, "sandbox_deactivate", "deactivate"]);
    expect(texts).toEqual(["of Python"]);
  });
});

it("names its owner, and another text names none", () => {
  expect(ownerOf(script())).toEqual({ pid: 4711, port: 4566 });
  expect(ownerOf("export AWS_REGION='us-east-1'\n")).toBeUndefined();
});
