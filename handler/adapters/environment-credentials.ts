import { fromEnv } from "@aws-sdk/credential-provider-env";

type Provider = ReturnType<typeof fromEnv>;

/**
 * Stands in for `@aws-sdk/credential-provider-node` in the package (stacks/constructs/function-bundle.ts). The SDK's own
 * chain looks for credentials in the environment, in files, at SSO, at the metadata service of a container or a machine,
 * and with a web identity. Lambda puts those of the function's role into the environment
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), so the rest of the chain never answers.
 *
 * Like the chain, it reads them once for a client: they are the same for as long as the process runs.
 */
export function defaultProvider(...parameters: Parameters<typeof fromEnv>): Provider {
  const read = fromEnv(...parameters);
  let credentials: ReturnType<Provider> | undefined;
  return (properties) => (credentials ??= read(properties));
}
