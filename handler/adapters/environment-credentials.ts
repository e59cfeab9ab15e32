/**
 * Stands in for `@aws-sdk/credential-provider-node` in the package (stacks/constructs/function-bundle.ts). The SDK's own
 * chain looks for credentials in the environment, in files, at SSO, at a container's or a machine's metadata service and
 * with a web identity. Lambda puts those of the function's role into the environment
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), so the rest of the chain never answers.
 */
export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";
