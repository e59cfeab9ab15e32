import { shellQuoted } from "aws-emulator/processes";

/** Who wrote an environment file: the sandbox's process, and the port that it answers on. */
export interface Owner {
  readonly pid: number;
  readonly port: number;
}

/** Variables that go into the script in addition to AWS_* and TF_*. */
const others = new Set([
  "CHECKPOINT_DISABLE",
  "EMAIL_RECIPIENT",
  "EMAIL_SENDER",
  "PROJECT_NAME",
  "SANDBOX_PORT",
  "STAGE",
  "TERRAFORM_BINARY_NAME",
]);

const isWanted = (name: string): boolean => /^(AWS|TF)_\w+$/.test(name) || others.has(name);

/**
 * A script for a shell (sh, bash, zsh) in which cdktf, Terraform and the AWS CLI should talk to the sandbox. It exports
 * the variables that lead there. It unsets every other AWS_* variable, because a profile, FIPS or another endpoint
 * would lead elsewhere. It defines `deactivate`, which restores all of them.
 * @param environment may hold other variables, such as PATH. They are left out of the script.
 */
export function environmentScript(environment: Readonly<Record<string, string>>, owner: Owner): string {
  const wanted = Object.entries(environment).filter(([name]) => isWanted(name));
  const names = wanted.map(([name]) => name).join(" ");
  return [
    `# The sandbox on port ${owner.port}, process ${owner.pid}. Read by "source"; "deactivate" undoes it.\n`,
    keepOldValues(names),
    ...wanted.map(([name, value]) => `export ${name}=${shellQuoted(value)}\n`),
    deactivation(names),
  ].join("");
}

/** @returns the owner that the script names; `undefined` where it names none. */
export function ownerOf(script: string): Owner | undefined {
  const [, port, pid] = /^# The sandbox on port (\d+), process (\d+)\./.exec(script) ?? [];
  return port === undefined ? undefined : { port: Number(port), pid: Number(pid) };
}

/**
 * Moves the old values to variables with another name. These are the values of exported variables, whose names awk
 * finds reliably whatever the values hold, and those of variables that only the shell itself had. An earlier sandbox is
 * deactivated first, so that its values are not taken for the shell's own. The lists are read line by line, because
 * shells differ in how they split words.
 */
const keepOldValues = (names: string): string => `
if [ -n "\${_SANDBOX_ACTIVE-}" ]; then sandbox_deactivate; fi
_SANDBOX_ACTIVE=1
_SANDBOX_EXPORTED=$(awk 'BEGIN {
  count = split("${names}", names, " ")
  for (at = 1; at <= count; at++) mine[names[at]] = 1
  for (name in ENVIRON) if (name in mine || name ~ /^AWS_[A-Za-z0-9_]+$/) print name
}' </dev/null)
while read -r _sandbox_name; do
  if [ -n "$_sandbox_name" ]; then eval "_SANDBOX_OLD_$_sandbox_name=\\$$_sandbox_name; unset $_sandbox_name"; fi
done <<_SANDBOX_END
$_SANDBOX_EXPORTED
_SANDBOX_END
_SANDBOX_UNEXPORTED=
while read -r _sandbox_name; do
  if eval "[ -n \\"\\\${$_sandbox_name+set}\\" ]"; then
    _SANDBOX_UNEXPORTED="$_SANDBOX_UNEXPORTED$_sandbox_name
"
    eval "_SANDBOX_OLD_$_sandbox_name=\\$$_sandbox_name; unset $_sandbox_name"
  fi
done <<_SANDBOX_END
${names.replaceAll(" ", "\n")}
_SANDBOX_END
unset _sandbox_name

`;

/**
 * Defines `sandbox_deactivate` in every case, and `deactivate` if the name is free. A Python environment that is
 * already active keeps its own `deactivate`. A program of that name does not count; pyenv has one. If a Python
 * environment is activated later, its `deactivate` replaces ours, and the changed VIRTUAL_ENV shows that.
 */
const deactivation = (names: string): string => `
sandbox_deactivate() {
  unset ${names}
  while read -r _sandbox_name; do
    if [ -n "$_sandbox_name" ]; then
      eval "export $_sandbox_name=\\"\\$_SANDBOX_OLD_$_sandbox_name\\"; unset _SANDBOX_OLD_$_sandbox_name"
    fi
  done <<_SANDBOX_END
$_SANDBOX_EXPORTED
_SANDBOX_END
  while read -r _sandbox_name; do
    if [ -n "$_sandbox_name" ]; then
      eval "$_sandbox_name=\\$_SANDBOX_OLD_$_sandbox_name; unset _SANDBOX_OLD_$_sandbox_name"
    fi
  done <<_SANDBOX_END
$_SANDBOX_UNEXPORTED
_SANDBOX_END
  if [ -n "\${_SANDBOX_OWN_DEACTIVATE-}" ] && [ "$_SANDBOX_OWN_DEACTIVATE" = "in \${VIRTUAL_ENV-}" ]; then
    unset -f deactivate
  fi
  unset _SANDBOX_ACTIVE _SANDBOX_EXPORTED _SANDBOX_UNEXPORTED _SANDBOX_OWN_DEACTIVATE _sandbox_name
  unset -f sandbox_deactivate
}
if [ "$(command -v deactivate)" = deactivate ]; then
  echo 'Another environment has a "deactivate" in this shell: leave the sandbox with "sandbox_deactivate".' >&2
else
  _SANDBOX_OWN_DEACTIVATE="in \${VIRTUAL_ENV-}"
  deactivate() { sandbox_deactivate; }
fi
`;
