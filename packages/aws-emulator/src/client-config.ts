/**
 * Each setting that an SDK client would otherwise read from the user's AWS_* variables or profile. Whoever has to use
 * FIPS endpoints, for example, says so there, and the SDK then refuses the sandbox's endpoint.
 */
export const sdkSettings = {
  maxAttempts: 3,
  retryMode: "standard",
  defaultsMode: "legacy",
  useFipsEndpoint: false,
  useDualstackEndpoint: false,
  accountIdEndpointMode: "disabled",
  endpointDiscoveryEnabled: false,
  // The gateway and moto tell a service by its SigV4 signature.
  authSchemePreference: ["sigv4"] as string[],
  sigv4aSigningRegionSet: [] as string[],
  userAgentAppId: "",
  requestChecksumCalculation: "WHEN_SUPPORTED",
  responseChecksumValidation: "WHEN_SUPPORTED",
  disableRequestCompression: true,
  requestMinCompressionSizeBytes: 10_240,
  useArnRegion: false,
  disableMultiregionAccessPoints: true,
  disableS3ExpressSessionAuth: true,
} as const;

/** Settings of an AWS SDK client that talks to the sandbox. */
export type AwsClientConfig = typeof sdkSettings & {
  /** Comes before AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** S3 addresses a bucket by its path: an IP address has no sub-domains. */
  readonly forcePathStyle: true;
};

export function awsClientConfig(endpoint: string, region: string): AwsClientConfig {
  return {
    ...sdkSettings,
    endpoint,
    region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
  };
}
