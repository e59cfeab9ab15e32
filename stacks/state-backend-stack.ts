import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketLifecycleConfiguration } from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import { TerraformOutput, TerraformStack } from "cdktf";
import { type Construct } from "constructs";
import { enforcePolicy } from "./policy";

export interface StateBackendProps {
  readonly projectName: string;
  /** The only account that the bucket may be created in. */
  readonly accountId: string;
  readonly region: string;
  readonly bucket: string;
  /** Days that an old version of a state stays readable. @default 90 */
  readonly oldVersionDays?: number;
}

/**
 * The bucket that holds the stages' state, and its own. `npm run bootstrap` applies it, once for each project and account.
 */
export class StateBackendStack extends TerraformStack {
  constructor(scope: Construct, id: string, props: StateBackendProps) {
    super(scope, id);
    const { oldVersionDays = 90 } = props;
    new AwsProvider(this, "aws", {
      region: props.region,
      allowedAccountIds: [props.accountId],
      defaultTags: [{ tags: { project: props.projectName, stage: "shared", "managed-by": "cdktf" } }],
    });
    const bucket = new S3Bucket(this, "bucket", {
      bucket: props.bucket,
      // The state is all that Terraform knows of every stage, so `destroy` refuses to delete the bucket.
      lifecycle: { preventDestroy: true },
    });
    const target = { bucket: bucket.id };
    const versioning = new S3BucketVersioningA(this, "versioning", {
      ...target,
      versioningConfiguration: { status: "Enabled" },
    });
    new S3BucketServerSideEncryptionConfigurationA(this, "encryption", {
      ...target,
      rule: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" }, bucketKeyEnabled: true }],
    });
    const block = new S3BucketPublicAccessBlock(this, "public-access", {
      ...target,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    const policy = new DataAwsIamPolicyDocument(this, "policy", {
      statement: [
        {
          sid: "TlsOnly",
          effect: "Deny",
          actions: ["s3:*"],
          resources: [bucket.arn, `${bucket.arn}/*`],
          principals: [{ type: "*", identifiers: ["*"] }],
          condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
        },
      ],
    });
    // S3 refuses two simultaneous changes of a bucket's access settings, so the policy waits for the public access
    // block.
    new S3BucketPolicy(this, "policy-attachment", { ...target, policy: policy.json, dependsOn: [block] });
    new S3BucketLifecycleConfiguration(this, "expiry", {
      ...target,
      rule: [
        {
          id: "old-versions",
          status: "Enabled",
          filter: [{}],
          noncurrentVersionExpiration: [{ noncurrentDays: oldVersionDays }],
          abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
        },
      ],
      dependsOn: [versioning],
    });
    enforcePolicy(this, props.projectName);
    new TerraformOutput(this, "state_bucket", {
      value: bucket.bucket,
      description: "The stages keep their state here",
    }).overrideLogicalId("state_bucket");
  }
}
