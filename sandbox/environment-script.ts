import { stages } from "../stacks/stages";

/** Who wrote an environment file: the sandbox's process, and the port that it answers on. */
export interface Owner {
  readonly pid: number;
  readonly port: number;
}

/** Variables of the script beside AWS_* and TF_*: what a stage's configuration reads, and settings of the tools. */
const others = new Set(["CHECKPOINT_DISABLE", "SANDBOX_PORT", "STAGE", "TERRAFORM_BINARY_NAME"]);
const configured = new Set(Object.keys(stages.sandbox.defaults));

const isWanted = (name: string): boolean => /^(AWS|TF)_\w+$/.test(name) || others.has(name) || configured.has(name);

/**
 * A script for a shell (sh, bash, zsh) that shall talk to the sandbox with cdktf, Terraform or the AWS CLI. It exports
 * what points there, unsets every other AWS_* variable (a profile, FIPS or another endpoint would lead elsewhere), and
 * defines `deactivate`, which restores all of them.
 * @param environment may hold more, such as a PATH: only what the sandbox is about gets into the script.
 */
export function environmentScript(environment: Readonly<Record<string, string>>, owner: Owner): string {
  const wanted = Object.entries(environment).filter(([name]) => isWanted(name));
  const names = wanted.map(([name]) => name).join(" ");
  return [
    `# The sandbox on port ${owner.port}, process ${owner.pid}. Read by "source"; "deactivate" undoes it.\n`,
    keepOldValues(names),
    ...wanted.map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`),
    deactivation(names),
  ].join("");
}

/** @returns the owner that the script names; `undefined` where it names none. */
export function ownerOf(script: string): Owner | undefined {
  const [, port, pid] = /^# The sandbox on port (\d+), process (\d+)\./.exec(script) ?? [];
  return port === undefined ? undefined : { port: Number(port), pid: Number(pid) };
}

/**
 * Moves the old values to variables of another name: those of exported variables (awk knows them for certain, whatever
 * their values hold), and those that only the shell itself had. What was sourced before is undone first, so that its
 * values are not taken for the shell's own. Lists are read line by line: shells differ in how they split words.
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
 * The shell may have a function `deactivate` of a Python environment; a program of that name (pyenv has one) does not
 * count. One that is active already keeps its own; one that is activated later
 * replaces ours, which VIRTUAL_ENV tells. `sandbox_deactivate` is there in each case.
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
