import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, ListRulesCommand } from "@aws-sdk/client-eventbridge";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { ListIdentitiesCommand, SESClient } from "@aws-sdk/client-ses";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { awsClientConfig } from "../src/client-config";
import { temporaryFolder, writeFiles } from "./support/temporary";

const region = "us-east-1";

/** What a user may have exported, or in a profile: each of it moves a client elsewhere, or makes it fail. */
function hostileEnvironment(): Record<string, string> {
  const folder = writeFiles(temporaryFolder(), {
    config: `[profile production]
      region = eu-west-1
      endpoint_url = https://profile.example
      use_fips_endpoint = true
      use_dualstack_endpoint = true
      retry_mode = no-such-mode
      max_attempts = no-number
      role_arn = arn:aws:iam::123456789012:role/production
      source_profile = production
      services = elsewhere
      [services elsewhere]
      ses =
        endpoint_url = https://ses.profile.example
    `,
  });
  return {
    AWS_PROFILE: "production",
    AWS_CONFIG_FILE: join(folder, "config"),
    AWS_ACCESS_KEY_ID: "AKIAOFTHEUSER",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SESSION_TOKEN: "token",
    AWS_REGION: "eu-west-1",
    AWS_USE_FIPS_ENDPOINT: "true",
    AWS_USE_DUALSTACK_ENDPOINT: "true",
    AWS_ENDPOINT_URL: "https://all.example",
    AWS_ENDPOINT_URL_SES: "https://ses.example",
    AWS_ENDPOINT_URL_S3: "https://s3.example",
    AWS_ENDPOINT_URL_DYNAMODB: "https://dynamodb.example",
    AWS_RETRY_MODE: "no-such-mode",
    AWS_MAX_ATTEMPTS: "no-number",
    AWS_DEFAULTS_MODE: "no-such-mode",
    AWS_ACCOUNT_ID_ENDPOINT_MODE: "required",
    AWS_AUTH_SCHEME_PREFERENCE: "sigv4a,httpBearerAuth",
    AWS_SIGV4A_SIGNING_REGION_SET: "*",
    AWS_SDK_UA_APP_ID: "x".repeat(60),
    AWS_CA_BUNDLE: "/nowhere/ca.pem",
    AWS_REQUEST_CHECKSUM_CALCULATION: "no-such-value",
    AWS_RESPONSE_CHECKSUM_VALIDATION: "no-such-value",
    AWS_DISABLE_REQUEST_COMPRESSION: "no-such-value",
    AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES: "-1",
    AWS_S3_USE_ARN_REGION: "no-such-value",
    AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS: "no-such-value",
    AWS_S3_DISABLE_EXPRESS_SESSION_AUTH: "no-such-value",
    AWS_ENABLE_ENDPOINT_DISCOVERY: "no-such-value",
    HTTP_PROXY: "http://127.0.0.1:1",
    HTTPS_PROXY: "http://127.0.0.1:1",
  };
}

describe("a client of the sandbox, whatever the user has set for AWS", () => {
  let server: Server;
  let before: NodeJS.ProcessEnv;
  let received: IncomingMessage[];

  beforeEach(async () => {
    received = [];
    server = createServer((request, response) => {
      received.push(request);
      request.resume().on("end", () => {
        response.writeHead(400, { "content-type": "application/json" }).end('{"__type":"TheSandboxsAnswer"}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    before = { ...process.env };
    Object.assign(process.env, hostileEnvironment());
  });
  afterEach(async () => {
    for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const config = () => awsClientConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, region);

  it.each<[string, () => Promise<unknown>]>([
    ["SES", () => new SESClient(config()).send(new ListIdentitiesCommand({}))],
    ["S3", () => new S3Client(config()).send(new ListBucketsCommand({}))],
    ["SQS", () => new SQSClient(config()).send(new ListQueuesCommand({}))],
    ["DynamoDB", () => new DynamoDBClient(config()).send(new ListTablesCommand({}))],
    ["EventBridge", () => new EventBridgeClient(config()).send(new ListRulesCommand({}))],
    [
      "CloudWatch",
      () =>
        new CloudWatchClient(config()).send(
          new PutMetricDataCommand({ Namespace: "test", MetricData: [{ MetricName: "x".repeat(20_000), Value: 1 }] }),
        ),
    ],
  ])("%s asks the sandbox, under the sandbox's key", async (_, send) => {
    // Its answer, and not a failure before there was one.
    await expect(send()).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect(received.map(({ headers }) => headers.authorization)).toEqual([
      expect.stringMatching(new RegExp(`^AWS4-HMAC-SHA256 Credential=test/\\d{8}/${region}/`)),
    ]);
  });

  it("reads none of the settings that the installed SDK would look for", () => {
    const packages = join(dirname(require.resolve("@aws-sdk/client-ses/package.json")), "..");
    const clients = readdirSync(packages).filter((name) => name.startsWith("client-"));
    const looked = clients.flatMap((client) => {
      const source = readFileSync(require.resolve(`@aws-sdk/${client}`), "utf8");
      return [...source.matchAll(/config\?\.(\w+) \?\?\s+loadConfig\(/g)].map(([, name = ""]) => name);
    });
    // The SDK's own name of what `endpointDiscoveryEnabled` overrides.
    const names = new Set(looked.map((name) => name.replace(/Provider$/, "")));
    expect([...names]).toEqual(expect.arrayContaining(["region", "useFipsEndpoint", "retryMode"]));
    expect(Object.keys(config())).toEqual(expect.arrayContaining([...names]));
  });
});
