import { type Environment, inherit, ofEveryProgram, ofPython } from "aws-emulator/processes";

/**
 * Variables by which a program reaches a registry or a package index behind a proxy. Go programs use no proxy for
 * 127.0.0.1.
 */
const network = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

const terraform = [
  ...network,
  // These help to find the cause of a failure.
  "TF_LOG",
  "TF_LOG_PATH",
];

/**
 * Variables that say where pip gets packages. Only pip inherits them, because the address of an index can hold a
 * password.
 */
const pip = [
  ...network,
  ...["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST", "PIP_CONFIG_FILE"],
  ...["PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES"],
  ...["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "XDG_CONFIG_DIRS"],
];

const allowed = {
  /** For a program that does not belong to any other kind. */
  any: ofEveryProgram,
  /** Terraform gets no AWS_*, no TF_VAR_* and no TF_CLI_ARGS of the user. */
  terraform: [...ofEveryProgram, ...terraform],
  python: ofPython,
  pip: [...ofPython, ...pip],
};

/** The part of the user's environment that a child process of this kind inherits. It inherits nothing else. */
export function inheritedBy(kind: keyof typeof allowed, ofUser: Environment = process.env): Record<string, string> {
  return inherit(allowed[kind], ofUser);
}
