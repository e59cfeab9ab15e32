import {
  type Answer,
  type Call,
  type Interceptor,
  json,
  jsonError,
  jsonOf,
  type Next,
  ofService,
  succeeded,
  textOf,
} from "../../gateway/http";

/** The operations of CloudWatch Logs that Terraform needs and moto lacks. */
export const patchLogs = (): Interceptor => ofService("logs", keepDataProtectionPolicies());

/** moto: has no data protection policies. AWS: one a log group. Nothing is masked here. */
function keepDataProtectionPolicies() {
  const policies = new Map<string, string>();
  return async (call: Call, next: Next): Promise<Answer> => {
    const body = jsonOf(call);
    const identifier = textOf(body.logGroupIdentifier) ?? "";
    switch (call.operation) {
      case "PutDataProtectionPolicy": {
        const document = textOf(body.policyDocument) ?? "";
        policies.set(identifier, document);
        return json({ logGroupIdentifier: identifier, policyDocument: document, lastUpdatedTime: Date.now() });
      }
      case "GetDataProtectionPolicy":
        return json({ logGroupIdentifier: identifier, policyDocument: policies.get(identifier) });
      case "DeleteDataProtectionPolicy":
        if (policies.delete(identifier)) return json({});
        return jsonError(400, "ResourceNotFoundException", `${identifier} has no data protection policy.`);
      case "DeleteLogGroup": {
        const answer = await next(call);
        if (succeeded(answer)) policies.delete(textOf(body.logGroupName) ?? "");
        return answer;
      }
      default:
        return next(call);
    }
  };
}
