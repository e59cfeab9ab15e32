import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  type S3Client,
  type S3ServiceException,
} from "@aws-sdk/client-s3";
import { parseSnapshot, type Snapshot } from "./snapshot";

export interface StateBucket {
  readonly bucket: string;
  readonly accountId: string;
  readonly region: string;
  readonly projectName: string;
  /** Of the bucket's own state. */
  readonly key: string;
}

/** What AWS has of the bucket. */
export interface FoundBucket {
  /** The types of those of its resources that are there. */
  readonly resourceTypes: ReadonlySet<string>;
  /** The bucket's own state, where it is in the bucket. */
  readonly state: Snapshot | undefined;
}

/** How each resource of the bucket's stack is looked for. All of them have the bucket's name as their id in Terraform. */
const lookups: Readonly<Record<string, (client: S3Client, Bucket: string) => Promise<boolean>>> = {
  aws_s3_bucket: () => Promise.resolve(true),
  aws_s3_bucket_versioning: async (client, Bucket) =>
    (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status !== undefined,
  aws_s3_bucket_server_side_encryption_configuration: (client, Bucket) =>
    isThere(client.send(new GetBucketEncryptionCommand({ Bucket }))),
  aws_s3_bucket_public_access_block: (client, Bucket) =>
    isThere(client.send(new GetPublicAccessBlockCommand({ Bucket }))),
  aws_s3_bucket_policy: (client, Bucket) => isThere(client.send(new GetBucketPolicyCommand({ Bucket }))),
  aws_s3_bucket_lifecycle_configuration: (client, Bucket) =>
    isThere(client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))),
};

/** The resource types that can be given to a state. */
export const importableTypes = Object.keys(lookups);

const statusOf = (error: unknown) => (error as Partial<S3ServiceException>).$metadata?.httpStatusCode;

/** S3 answers 404 for a setting that a bucket does not have. */
async function isThere(answer: Promise<unknown>): Promise<boolean> {
  return (await orUndefined(answer)) !== undefined;
}

async function orUndefined<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Looks at the bucket.
 * @returns `undefined` where there is no bucket of this name.
 * @throws Error where the bucket is another account's, another project's, or in another region.
 */
export async function findBucket(client: S3Client, wanted: StateBucket): Promise<FoundBucket | undefined> {
  const { bucket, key } = wanted;
  const region = await regionOf(client, wanted);
  if (region === undefined) return undefined;
  if (region !== wanted.region) {
    throw new Error(
      `The bucket ${bucket} is in ${region}, and its state was looked for in ${wanted.region}: export STATE_REGION=${region}. Nothing was changed.`,
    );
  }
  await refuseOtherProject(client, wanted);
  const types = await Promise.all(
    Object.entries(lookups).map(async ([type, look]) => ((await look(client, bucket)) ? [type] : [])),
  );
  return { resourceTypes: new Set(types.flat()), state: await readState(client, bucket, key) };
}

async function regionOf(client: S3Client, { bucket, accountId, region }: StateBucket): Promise<string | undefined> {
  try {
    const { BucketRegion } = await client.send(
      new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: accountId }),
    );
    return BucketRegion ?? region;
  } catch (cause) {
    switch (statusOf(cause)) {
      case 404:
        return undefined;
      case 403:
        throw new Error(
          `The bucket ${bucket} is there, and AWS does not let you look at it. Either it is not account ${accountId}'s, because a bucket's name is taken for all accounts at once: export STATE_BUCKET with a free name, or choose another PROJECT_NAME. Or your credentials are not of that account, or lack s3:ListBucket (aws sts get-caller-identity shows whose they are). Nothing was changed.`,
          { cause },
        );
      default:
        throw cause;
    }
  }
}

/** Two projects may share a bucket by STATE_BUCKET. Only the one that made it manages it. */
async function refuseOtherProject(client: S3Client, { bucket, projectName }: StateBucket): Promise<void> {
  const tags = await orUndefined(client.send(new GetBucketTaggingCommand({ Bucket: bucket })));
  const project = tags?.TagSet?.find(({ Key }) => Key === "project")?.Value;
  if (project === undefined || project === projectName) return;
  throw new Error(
    `The bucket ${bucket} is that of the project ${project}, which manages it. ${projectName} can keep its states there all the same, and needs no bootstrap. Nothing was changed.`,
  );
}

/** @returns the bucket's own state; `undefined` where it is not in the bucket. */
export async function readState(client: S3Client, bucket: string, key: string): Promise<Snapshot | undefined> {
  const object = await orUndefined(client.send(new GetObjectCommand({ Bucket: bucket, Key: key })));
  const text = await object?.Body?.transformToString();
  return text === undefined || text === "" ? undefined : parseSnapshot(text, `s3://${bucket}/${key}`);
}
