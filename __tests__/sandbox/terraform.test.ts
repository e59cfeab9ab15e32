import { existsSync } from "node:fs";
import { join } from "node:path";
import { baseEnvironment, errorsOf, Progress, Terraform, type TerraformOptions } from "../../sandbox/terraform";
import { failure } from "../support/terraform-failure";
import { programs, temporaryFolder } from "aws-emulator/testing/temporary";

/** A Terraform that is a shell script. */
function terraform(script: string, options: Partial<TerraformOptions> = {}): Terraform {
  return new Terraform({
    binary: join(programs({ terraform: script }), "terraform"),
    directory: temporaryFolder(),
    environment: { PATH: process.env.PATH ?? "" },
    ...options,
  });
}

/** Prints "started" and waits. An interrupt runs the given command. */
const waits = (onInterrupt: string) => `trap '${onInterrupt}' INT; echo started; while :; do sleep 0.02; done`;

describe("what Terraform prints", () => {
  it("arrives line by line, however it is cut", async () => {
    const lines: string[] = [];
    await terraform("printf 'one tw'; sleep 0.2; printf 'o\\n\\n  three\\nfour'").init((line) => lines.push(line));
    expect(lines).toEqual(["one two", "three", "four"]);
  });

  it("tells that a plan of nothing is through", () => {
    const progress = new Progress();
    progress.take("Plan: 0 to add, 0 to change, 0 to destroy.");
    expect([progress.toString(), progress.quarters, progress.isThrough]).toEqual(["0 of 0 done", 4, true]);
  });

  it("tells how far an apply is", () => {
    const progress = new Progress();
    const lines = [
      "aws_sqs_queue.a: Creating...",
      "aws_sqs_queue.a: Creation complete after 25s [id=a]",
      "Plan: 2 to add, 1 to change, 1 to destroy.",
      "aws_sqs_queue.b: Destruction complete after 0s",
      "aws_sqs_queue.c: Modifications complete after 1s [id=c]",
      "Apply complete! Resources: 1 added, 1 changed, 1 destroyed.",
    ];
    expect(lines.map((line) => [progress.take(line), progress.toString(), progress.quarters])).toEqual([
      [false, "0 done", 0],
      [true, "1 done", 0],
      [true, "1 of 4 done", 1],
      [true, "2 of 4 done", 2],
      [true, "3 of 4 done", 3],
      [false, "3 of 4 done", 3],
    ]);
    expect(progress.isThrough).toBe(false);
    progress.take("aws_sqs_queue.d: Creation complete after 1s [id=d]");
    expect([progress.quarters, progress.isThrough]).toEqual([4, true]);
  });
});

describe("a plan", () => {
  it.each([
    [0, false],
    [2, true],
  ])("that ends with %d has changes: %s", async (code, changes) => {
    await expect(terraform(`echo "the plan"; exit ${code}`).plan()).resolves.toEqual({ changes, text: "the plan" });
  });

  it("that ends with 1 has failed", async () => {
    await expect(terraform("exit 1").plan()).rejects.toThrow(
      "terraform plan -detailed-exitcode failed with exit code 1.",
    );
  });
});

describe("a failure", () => {
  it("carries the command, its exit code and Terraform's own error blocks without their frames", async () => {
    const script = `echo progress
      printf '╷\\n│ Warning: old\\n╵\\n╷\\n│ Error: No bucket\\n│ \\n│   on main.tf line 1\\n╵\\n╷\\n│ Error: No queue\\n╵\\n' >&2
      exit 1`;
    const error = await failure(terraform(script).apply());
    expect(error).toMatchObject({
      command: "terraform apply -auto-approve",
      exitCode: 1,
      detail: "Error: No bucket\n\n  on main.tf line 1\nError: No queue",
    });
    expect(error.message).toBe(`terraform apply -auto-approve failed with exit code 1:\n${error.detail}`);
  });

  it("without such blocks shows the last lines", () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    expect(errorsOf("panic", lines.join("\n"))).toBe([...lines.slice(-19), "panic"].join("\n"));
  });

  it("names the program that can't be started", async () => {
    const run = terraform("", { binary: "/nowhere/terraform" }).init();
    await expect(run).rejects.toThrow(/^terraform init could not be started \(\/nowhere\/terraform in [\s\S]*ENOENT/);
  });
});

describe("an interrupt", () => {
  it("lets Terraform finish its work", async () => {
    const stopping = new AbortController();
    const lines: string[] = [];
    const run = terraform(waits("echo state saved; exit 1"), { signal: stopping.signal }).apply({
      onLine: (line) => {
        lines.push(line);
        if (line === "started") stopping.abort();
      },
    });
    // Terraform's own page on the interrupt is left out of the message.
    expect((await failure(run)).message).toBe("terraform apply -auto-approve was interrupted.");
    expect(lines).toEqual(["started", "state saved"]);
  });

  it("kills a Terraform that does not end", async () => {
    const stopping = new AbortController();
    const run = terraform(waits(""), { signal: stopping.signal, patienceMs: 50 }).apply({
      onLine: () => {
        stopping.abort();
      },
    });
    await expect(failure(run)).resolves.toMatchObject({ exitCode: null });
  });

  it("keeps the next command from starting", async () => {
    const marker = join(temporaryFolder(), "started");
    const run = terraform(`touch ${marker}`, { signal: AbortSignal.abort() }).apply();
    await expect(run).rejects.toThrow("terraform apply -auto-approve was not started: the sandbox is stopping.");
    expect(existsSync(marker)).toBe(false);
  });

  it("does not stop a destroy, which is what follows it", async () => {
    const stopping = new AbortController();
    stopping.abort();
    const lines: string[] = [];
    await terraform("echo destroyed", { signal: stopping.signal }).destroy((line) => lines.push(line));
    expect(lines).toEqual(["destroyed"]);
  });
});

describe("the environment", () => {
  it("leaves the user's AWS and Terraform settings behind, and keeps what a registry needs", () => {
    const ofUser = {
      PATH: "/bin",
      HTTPS_PROXY: "http://proxy.test",
      AWS_PROFILE: "production",
      AWS_SESSION_TOKEN: "secret",
      AWS_CA_BUNDLE: "/ca.pem",
      AWS_ENDPOINT_URL_SQS: "https://sqs.test",
      TF_CLI_ARGS: "-lock=false",
      TF_VAR_stage: "prod",
      TF_CLI_CONFIG_FILE: "/users/ada/.terraformrc",
    };
    expect(baseEnvironment({ TF_CLI_CONFIG_FILE: "/etc/terraform.rc" }, ofUser)).toEqual({
      PATH: "/bin",
      HTTPS_PROXY: "http://proxy.test",
      TF_CLI_CONFIG_FILE: "/etc/terraform.rc",
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
    });
  });

  it("is all that Terraform gets", async () => {
    process.env.AWS_PROFILE = "production";
    const lines: string[] = [];
    await terraform("env").init((line) => lines.push(line));
    delete process.env.AWS_PROFILE;
    expect(lines.filter((line) => line.startsWith("AWS_"))).toEqual([]);
  });
});
