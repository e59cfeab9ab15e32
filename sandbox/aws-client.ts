/** Settings of an AWS SDK client that talks to the sandbox. */
export interface AwsClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** S3 addresses a bucket by its path: an IP address has no sub-domains. */
  readonly forcePathStyle: true;
}

export function awsClientConfig(endpoint: string, region: string): AwsClientConfig {
  return { endpoint, region, credentials: { accessKeyId: "test", secretAccessKey: "test" }, forcePathStyle: true };
}
