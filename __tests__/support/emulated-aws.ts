import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { type Gateway, startGateway } from "aws-emulator";
import { awsClientConfig } from "aws-emulator/client-config";
import { type RunningMoto, startMoto } from "aws-emulator/processes";
import { sandboxEnvironment, terraformEnvironment } from "../../sandbox/terraform";
import { findTools } from "../../sandbox/tools";
import { exampleAccountId } from "../../stacks/stages";
import { devEnvironment } from "./stack";

/** An empty AWS account on this machine, for a test that deploys to it with the real Terraform. */
export class EmulatedAws {
  readonly tools = findTools();
  /** The region of the stages that the tests deploy. */
  readonly region = devEnvironment.AWS_REGION ?? "";
  /** The bucket of the project that the tests deploy. */
  readonly stateBucket = `${devEnvironment.PROJECT_NAME ?? ""}-terraform-state-${exampleAccountId}`;

  private constructor(
    /** A folder for what the test writes. `stop` removes it. */
    readonly directory: string,
    private readonly moto: RunningMoto,
    private readonly gateway: Gateway,
  ) {}

  static async start(): Promise<EmulatedAws> {
    const directory = mkdtempSync(join(tmpdir(), "emulated-aws-"));
    const moto = await startMoto(findTools().moto.value);
    const gateway = await startGateway({
      port: 0,
      motoSocket: moto.socket,
      region: devEnvironment.AWS_REGION ?? "",
      accountId: exampleAccountId,
      workDirectory: join(directory, "functions"),
      retryDelaysMs: [100],
    });
    return new EmulatedAws(directory, moto, gateway);
  }

  get url(): string {
    return this.gateway.url;
  }

  /** Settings of an AWS SDK client. */
  get client() {
    return awsClientConfig(this.url, this.region);
  }

  /**
   * The whole environment of Terraform.
   * @param url where it finds AWS, for a test that listens in between.
   */
  terraformVariables({ region = this.region, url = this.url } = {}): Record<string, string> {
    return { ...terraformEnvironment(this.tools, this.directory), ...sandboxEnvironment(url, region) };
  }

  async makeStateBucket(): Promise<void> {
    const s3 = new S3Client(this.client);
    const Bucket = this.stateBucket;
    const LocationConstraint = this.region as "eu-west-1";
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint } }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    await this.moto.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
