import { type Answer, type Call, headerOf, jsonError, type Next } from "../../gateway/http";
import { newId } from "../../gateway/journal";
import { type AsyncInvocations } from "./async-invocations";
import { parseFunctionName } from "./function";
import { type Invoker, Throttled } from "./invoker";
import { type FunctionRegistry } from "./registry";

const invocationsPath = /^\/2015-03-31\/functions\/(.+)\/invocations\/?$/;
const mostSynchronousBytes = 6_291_556;
const mostAsynchronousBytes = 1_048_576;

/** Lambda's Invoke: moto would run the function in Docker. */
export function answerInvoke(registry: FunctionRegistry, invoker: Invoker, asyncInvocations: AsyncInvocations) {
  return async (call: Call, next: Next): Promise<Answer> => {
    const path = call.service === "lambda" && call.method === "POST" ? invocationsPath.exec(call.url.pathname) : null;
    if (path === null) return next(call);
    const { name } = parseFunctionName(decodeURIComponent(path[1] ?? ""));
    const fn = await registry.find(name);
    if (fn === undefined) return jsonError(404, "ResourceNotFoundException", `Function not found: ${name}`);
    if (fn.directory === "") {
      return jsonError(
        502,
        "ServiceException",
        `The sandbox has not seen the package of ${name}. Update the function's code through the sandbox's endpoint.`,
      );
    }
    const type = headerOf(call.headers, "x-amz-invocation-type") || "RequestResponse";
    if (type === "DryRun") return { status: 204, headers: {}, body: Buffer.alloc(0) };
    const limit = type === "Event" ? mostAsynchronousBytes : mostSynchronousBytes;
    if (call.body.length > limit) {
      return jsonError(
        413,
        "RequestTooLargeException",
        `Request must be smaller than ${limit} bytes for the InvokeFunction operation`,
      );
    }
    const payload = call.body.length === 0 ? "{}" : call.body.toString("utf8");
    try {
      JSON.parse(payload);
    } catch (cause) {
      return jsonError(
        400,
        "InvalidRequestContentException",
        `Could not parse request body into json: ${String(cause)}`,
      );
    }
    const requestId = newId();
    if (type === "Event") {
      asyncInvocations.accept({ fn, payload, requestId });
      return { status: 202, headers: { "x-amzn-requestid": requestId }, body: Buffer.alloc(0) };
    }
    try {
      const invocation = await invoker.invoke({ fn, payload, requestId });
      // The header holds the last 4 KB.
      const tail = Buffer.from(invocation.log.map(({ message }) => `${message}\n`).join("")).subarray(-4096);
      return {
        status: 200,
        headers: {
          "content-type": "application/json",
          "x-amzn-requestid": requestId,
          "x-amz-executed-version": invocation.version,
          ...(invocation.error === undefined ? {} : { "x-amz-function-error": "Unhandled" }),
          ...(headerOf(call.headers, "x-amz-log-type") === "Tail"
            ? { "x-amz-log-result": tail.toString("base64") }
            : {}),
        },
        body: Buffer.from(invocation.payload),
      };
    } catch (error) {
      if (error instanceof Throttled) return jsonError(429, error.name, error.message);
      throw error;
    }
  };
}
