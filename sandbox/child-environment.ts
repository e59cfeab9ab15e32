/** What the sandbox's children may know of the user's environment. What else is in it (tokens, AWS keys) is not theirs. */
type Environment = Readonly<Record<string, string | undefined>>;

const everyProgram = [
  "PATH",
  "HOME",
  "TMPDIR",
  "LANG",
  // Windows.
  ...["USERPROFILE", "APPDATA", "LOCALAPPDATA", "SystemRoot", "TEMP", "TMP", "PATHEXT", "ComSpec"],
];

/** A registry or an index behind a proxy. Go's clients use none for 127.0.0.1. */
const network = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

const terraform = [
  ...network,
  // To look into a failure.
  "TF_LOG",
  "TF_LOG_PATH",
];

/** Where a Python, its packages and its libraries are, by the tools that manage several. */
const python = [
  ...["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE"],
  ...["PYENV_ROOT", "PYENV_VERSION", "ASDF_DIR", "ASDF_DATA_DIR", "ASDF_PYTHON_VERSION"],
  ...["MISE_DATA_DIR", "MISE_CONFIG_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"],
  ...["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH"],
];

/** Where pip gets packages. An index's address can hold a password, which is meant for pip alone. */
const pip = [
  ...network,
  ...["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST", "PIP_CONFIG_FILE"],
  ...["PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES"],
  ...["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "XDG_CONFIG_DIRS"],
];

const allowed = {
  /** A program of this machine of which nothing else is known. */
  any: everyProgram,
  /** No AWS_*, no TF_VAR_*, no TF_CLI_ARGS. */
  terraform: [...everyProgram, ...terraform],
  /** No MOTO_*: they change what moto answers. */
  python: [...everyProgram, ...python],
  pip: [...everyProgram, ...python, ...pip],
};

/** All of the user's environment that a child of this kind inherits. */
export function inheritedBy(kind: keyof typeof allowed, ofUser: Environment = process.env): Record<string, string> {
  const kept = allowed[kind].flatMap((name) => {
    const value = ofUser[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}
