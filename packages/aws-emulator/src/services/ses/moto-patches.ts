import {
  type Answer,
  type Call,
  type Interceptor,
  type Next,
  queryAnswer,
  queryError,
  queryOf,
} from "../../gateway/http";

/** The answers of moto's SES v1 to calls for what is not there: 500. */
export const patchSes: Interceptor = async (call, next) => {
  if (call.service !== "ses" || call.url.pathname.startsWith("/v2/")) return next(call);
  switch (call.operation) {
    // AWS: it is gone, as wished.
    case "DeleteTemplate":
      return absentAs(call, next, () => queryAnswer("DeleteTemplate", ""));
    case "DeleteConfigurationSet": {
      const name = queryOf(call).get("ConfigurationSetName") ?? "";
      const message = `Configuration set <${name}> does not exist.`;
      return absentAs(call, next, () => queryError(400, "ConfigurationSetDoesNotExist", message));
    }
    default:
      return next(call);
  }
};

async function absentAs(call: Call, next: Next, answer: () => Answer): Promise<Answer> {
  const given = await next(call);
  return given.status === 500 ? answer() : given;
}
