import { type Answer, type Call, jsonError, jsonOf, type Next, textOf } from "../../gateway/http";

/** Of Lambda's service model: a name, a partial ARN or an ARN. */
const functionName =
  /^(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?$/;
const longest = 140;

const functionsPath = /^\/\d{4}-\d\d-\d\d\/functions(?:\/([^/]+)|\/?$)/;

/** Refuses, as Lambda does, what is no function's name. A folder is named after each function: `../../x` would lead out. */
export async function checkFunctionNames(call: Call, next: Next): Promise<Answer> {
  const path = call.service === "lambda" ? functionsPath.exec(call.url.pathname) : null;
  const name = path === null ? undefined : nameIn(call, path[1]);
  if (name === undefined || (functionName.test(name) && name.length <= longest)) return next(call);
  return jsonError(
    400,
    "ValidationException",
    `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${functionName.source.slice(1, -1)}`,
  );
}

/** @param inPath the name as the path has it, encoded; CreateFunction has it in its body. */
function nameIn(call: Call, inPath: string | undefined): string | undefined {
  if (inPath === undefined) return call.method === "POST" ? (textOf(jsonOf(call).FunctionName) ?? "") : undefined;
  try {
    return decodeURIComponent(inPath);
  } catch {
    return inPath;
  }
}
