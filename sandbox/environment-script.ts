import { stages } from "../stacks/stages";

/** What a stage's configuration reads, and Terraform's own switch. */
const others = new Set(["CHECKPOINT_DISABLE", "STAGE", ...Object.keys(stages.sandbox.defaults)]);

/** AWS settings of the shell's own (a profile, FIPS, another endpoint) would lead elsewhere. */
const forgetOthers = `for name in $(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset "$name"; done\n`;

/**
 * For a shell that shall talk to the sandbox with cdktf, Terraform or the AWS CLI: what points there, and no other AWS
 * setting. The shell has a PATH of its own.
 */
export function environmentScript(environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment)
    .filter(([name]) => /^(AWS|TF)_/.test(name) || others.has(name))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`);
  return forgetOthers + lines.join("");
}
