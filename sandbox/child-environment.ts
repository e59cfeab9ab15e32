import { type Environment, inherit, ofEveryProgram, ofPython } from "aws-emulator/processes";

const terraform = [
  // A registry behind a proxy. Go's clients use none for 127.0.0.1.
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  // To look into a failure.
  "TF_LOG",
  "TF_LOG_PATH",
];

const allowed = {
  /** A program of this machine of which nothing else is known. */
  any: ofEveryProgram,
  /** No AWS_*, no TF_VAR_*, no TF_CLI_ARGS. */
  terraform: [...ofEveryProgram, ...terraform],
  python: ofPython,
};

/** All of the user's environment that a child of this kind inherits. */
export function inheritedBy(kind: keyof typeof allowed, ofUser: Environment = process.env): Record<string, string> {
  return inherit(allowed[kind], ofUser);
}
