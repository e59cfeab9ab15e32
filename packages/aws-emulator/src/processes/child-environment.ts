export type Environment = Readonly<Record<string, string | undefined>>;

/** What every program may inherit of the user's environment. What else is in it (tokens, AWS keys) is not its business. */
export const ofEveryProgram: readonly string[] = [
  "PATH",
  "HOME",
  "TMPDIR",
  "LANG",
  // Windows.
  ...["USERPROFILE", "APPDATA", "LOCALAPPDATA", "SystemRoot", "TEMP", "TMP", "PATHEXT", "ComSpec"],
];

/**
 * What a Python may inherit: where it, its packages and its libraries are, by the tools that manage several.
 * No MOTO_*: they change what moto answers.
 */
export const ofPython: readonly string[] = [
  ...ofEveryProgram,
  ...["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE"],
  ...["PYENV_ROOT", "PYENV_VERSION", "ASDF_DIR", "ASDF_DATA_DIR", "ASDF_PYTHON_VERSION"],
  ...["MISE_DATA_DIR", "MISE_CONFIG_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"],
  ...["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH"],
];

/** Those of the user's variables that are named and set. */
export function inherit(names: readonly string[], ofUser: Environment = process.env): Record<string, string> {
  const kept = names.flatMap((name) => {
    const value = ofUser[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}
