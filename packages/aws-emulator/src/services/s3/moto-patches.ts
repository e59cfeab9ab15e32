import {
  type Answer,
  type Call,
  type Interceptor,
  isRecord,
  jsonOf,
  type Next,
  ofService,
  succeeded,
  withBody,
} from "../../gateway/http";

/** The bucket policies of moto's S3 that Terraform deploys, for clients that speak HTTP. */
export const patchS3 = (): Interceptor => ofService("s3", keepConditionalDenials());

/** The bucket whose policy a call is about, if it is; a bucket that is deleted takes its policy along. */
function bucketWithPolicy({ method, url: { pathname, searchParams } }: Call): string | undefined {
  const isDeleted = method === "DELETE" && [...searchParams.keys()].every((key) => key === "x-id");
  return searchParams.has("policy") || isDeleted ? /^\/([^/]+)\/?$/.exec(pathname)?.[1] : undefined;
}

/**
 * moto: knows no conditions, so a bucket that denies requests without TLS denies every request. AWS: denies what the
 * condition fits. Such statements are kept for GetBucketPolicy and not evaluated here.
 */
function keepConditionalDenials() {
  const policies = new Map<string, Buffer>();
  return async (call: Call, next: Next): Promise<Answer> => {
    const bucket = bucketWithPolicy(call);
    if (bucket === undefined) return next(call);
    const answer = await next(call.method === "PUT" ? withBody(call, withoutConditionalDenials(jsonOf(call))) : call);
    if (!succeeded(answer)) return answer;
    if (call.method === "PUT") policies.set(bucket, call.body);
    if (call.method === "DELETE") policies.delete(bucket);
    const policy = policies.get(bucket);
    return call.method === "GET" && policy !== undefined ? { ...answer, body: policy } : answer;
  };
}

function withoutConditionalDenials(policy: Readonly<Record<string, unknown>>): unknown {
  const statements = [policy.Statement].flat();
  const isConditionalDenial = (statement: unknown) =>
    isRecord(statement) && statement.Effect === "Deny" && "Condition" in statement;
  return { ...policy, Statement: statements.filter((statement) => !isConditionalDenial(statement)) };
}
