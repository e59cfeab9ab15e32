import { type Environment, inherit, ofEveryProgram, ofPython } from "aws-emulator/processes";

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

/** Where pip gets packages. An index's address can hold a password, which is meant for pip alone. */
const pip = [
  ...network,
  ...["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST", "PIP_CONFIG_FILE"],
  ...["PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES"],
  ...["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "XDG_CONFIG_DIRS"],
];

const allowed = {
  /** A program of this machine of which nothing else is known. */
  any: ofEveryProgram,
  /** No AWS_*, no TF_VAR_*, no TF_CLI_ARGS. */
  terraform: [...ofEveryProgram, ...terraform],
  python: ofPython,
  pip: [...ofPython, ...pip],
};

/** All of the user's environment that a child of this kind inherits. */
export function inheritedBy(kind: keyof typeof allowed, ofUser: Environment = process.env): Record<string, string> {
  return inherit(allowed[kind], ofUser);
}
