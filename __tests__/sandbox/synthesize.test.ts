import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { programs, temporaryFolder } from "aws-emulator/testing/temporary";
import { asOneWord, withTerraform } from "../../sandbox/synthesize";
import { projectRoot } from "../support/sandbox";

/** Both forms: cdktf reads the first, and the search for tools asks for the second. */
const terraform = `[ "$2" = -json ] && echo '{"terraform_version": "1.11.4"}' || echo Terraform v1.11.4`;

/** Node's own folder could hold a Terraform as well: of all programs, a bare machine has a shell alone. */
const shell = programs({ sh: 'exec /bin/sh "$@"' });

/** `npm run synth:sandbox` on a machine with these variables alone. */
function synth(environment: Readonly<Record<string, string>>) {
  const outdir = temporaryFolder();
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", "sandbox/synth.ts"], {
    cwd: projectRoot,
    env: { PATH: shell, HOME: temporaryFolder(), CDKTF_OUTDIR: outdir, ...environment },
    encoding: "utf8",
  });
  const file = join(outdir, "stacks", "notification-sandbox", "cdk.tf.json");
  return { status, stderr, isWritten: existsSync(file) };
}

describe("a synth of the sandbox", () => {
  it("uses the Terraform that is found, whatever its folder and its file are called", () => {
    const folder = join(temporaryFolder(), "a folder, with blanks");
    mkdirSync(folder);
    programs({ "terraform-next": terraform }, folder);
    const TERRAFORM = join(folder, "terraform-next");
    expect(synth({ TERRAFORM })).toEqual({
      status: 0,
      // The synth says nothing but which rules are suppressed.
      stderr: expect.stringMatching(/^(The rule [\w-]+ is suppressed at .*\n)*$/) as string,
      isWritten: true,
    });
  });

  it("names what is missing as npm start does, and writes nothing", () => {
    const { status, stderr, isWritten } = synth({ TERRAFORM: "/nowhere/terraform" });
    expect({ status, isWritten }).toEqual({ status: 1, isWritten: false });
    expect(stderr).toBe(
      `The synth can't start:\n  - Terraform 1.10 or newer is missing ("/nowhere/terraform", by environment variable TERRAFORM): install it (https://developer.hashicorp.com/terraform/install), or name it in TERRAFORM_BINARY_NAME or TERRAFORM.\n`,
    );
  });
});

it("puts the folder of Terraform in front of PATH, also where there is none", () => {
  const { PATH, TERRAFORM_BINARY_NAME, STAGE } = withTerraform("/a b/terraform", { PATH: "/bin", STAGE: "sandbox" });
  expect({ PATH, TERRAFORM_BINARY_NAME, STAGE }).toEqual({
    PATH: "/a b:/bin",
    TERRAFORM_BINARY_NAME: "terraform",
    STAGE: "sandbox",
  });
  expect(withTerraform("/a/terraform", {}).PATH).toBe("/a");
});

describe("the Terraform for a user's shell", () => {
  it("stays where it is", () => {
    expect(asOneWord("/tools/terraform_1.11.4/terraform", "/nowhere")).toBe("/tools/terraform_1.11.4/terraform");
  });

  // cdktf asks for its version with a command line of a shell.
  it.each(["/my projects/.sandbox/terraform", "/it's/terraform", "/$HOME/terraform"])(
    "has a link where a shell would not take it as one word: %s",
    (file) => {
      const folder = temporaryFolder();
      expect(asOneWord(file, folder)).toBe(join(folder, "terraform"));
      expect(readlinkSync(join(folder, "terraform"))).toBe(file);
    },
  );
});
