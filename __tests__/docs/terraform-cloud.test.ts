import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { scriptIn } from "../support/console";

/** The commands of "From a repository" in docs/terraform-cloud.md, as a CI job runs them: word for word, without an author. */

const folder = temporaryFolder();
const commands = scriptIn("docs/terraform-cloud.md", "### From a repository");
const environment = {
  PATH: process.env.PATH,
  HOME: folder,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  STAGE: "dev",
};
const git = (cwd: string, ...words: string[]) =>
  execFileSync("git", words, { cwd, env: environment, encoding: "utf8" });

/** A job's clone of the repository, with a synthesized folder that has this text in it. */
function job(name: string, text: string): void {
  const checkout = join(folder, name, "checkout");
  if (!existsSync(checkout)) {
    mkdirSync(dirname(checkout), { recursive: true });
    git(folder, "clone", "--quiet", "origin.git", checkout);
  }
  const stack = join(checkout, "cdktf.out/stacks/notification-dev");
  mkdirSync(join(stack, ".terraform"), { recursive: true });
  writeFileSync(join(stack, ".terraform/provider"), "hundreds of megabytes");
  writeFileSync(join(stack, "cdk.tf.json"), text);
  execFileSync("bash", ["-c", commands], { cwd: checkout, env: environment, stdio: "pipe" });
}

const pushed = (...words: string[]) => git(join(folder, "origin.git"), ...words).trim();
const commits = () => pushed("log", "--format=%an %s", "synthesized").split("\n");

it("brings each synth into the branch once, from whichever clone", () => {
  git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git");
  git(folder, "clone", "--quiet", "origin.git", "source");
  const author = ["-c", "user.name=jane", "-c", "user.email=jane@b.example"];
  git(join(folder, "source"), ...author, "commit", "--quiet", "--allow-empty", "--message", "source");
  git(join(folder, "source"), "push", "--quiet", "origin", "HEAD:main");

  job("one", "first");
  expect(pushed("ls-tree", "-r", "--name-only", "synthesized")).toBe("dev/cdk.tf.json");
  expect(commits()).toEqual([expect.stringMatching(/^ci synth of [0-9a-f]{40}$/), "ci nothing is synthesized yet"]);
  // Nothing has changed.
  job("one", "first");
  expect(commits()).toHaveLength(2);
  // The first clone's own branch is behind that of the second one.
  job("two", "second");
  job("one", "third");
  expect(commits()).toHaveLength(4);
  expect(pushed("show", "synthesized:dev/cdk.tf.json")).toBe("third");
});
