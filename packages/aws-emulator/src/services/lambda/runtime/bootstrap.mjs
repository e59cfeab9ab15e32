/**
 * The runtime of a function that runs here: what the Node.js runtime of AWS Lambda does, spoken to through the same
 * Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
 */
import { existsSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const [host, ...prefix] = process.env.AWS_LAMBDA_RUNTIME_API.split("/");
const isJson = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const lowestLevel = Math.max(0, levels.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL ?? "TRACE"));

/** The handler may replace or close these; the markers below have to arrive all the same. */
const streams = [process.stdout, process.stderr].map((stream) => ({ write: stream.write.bind(stream) }));

let requestId;

/** @returns {Promise<{ status: number, headers: import("node:http").IncomingHttpHeaders, body: string }>} */
function call(method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const [hostname, port] = host.split(":");
    const outgoing = request(
      { hostname, port, method, path: `/${[...prefix, "2018-06-01", "runtime", ...path].join("/")}`, headers },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function describe(error) {
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

/** An error in a log line has its fields, as JSON.stringify drops them. */
const withErrorFields = (_key, value) =>
  value instanceof Error
    ? {
        errorType: value.name,
        errorMessage: value.message,
        stackTrace: (value.stack ?? "").split("\n"),
        ...value,
      }
    : value;

function stringify(value) {
  try {
    return JSON.stringify(value, withErrorFields);
  } catch {
    return JSON.stringify({ ...value, message: format(value.message) });
  }
}

function logLine(level, parameters) {
  const timestamp = new Date().toISOString();
  if (!isJson) {
    return [timestamp, requestId ?? "undefined", level, format(...parameters)].join("\t").replaceAll("\n", "\r");
  }
  if (parameters.length === 1) return stringify({ timestamp, level, requestId, message: parameters[0] });
  const error = parameters.find((parameter) => parameter instanceof Error);
  return stringify({
    timestamp,
    level,
    requestId,
    message: format(...parameters),
    ...(error && withErrorFields("", error)),
  });
}

function patchConsole() {
  const methods = {
    trace: "TRACE",
    debug: "DEBUG",
    log: "INFO",
    info: "INFO",
    warn: "WARN",
    error: "ERROR",
    fatal: "FATAL",
  };
  for (const [method, level] of Object.entries(methods)) {
    console[method] = (...parameters) => {
      if (levels.indexOf(level) >= lowestLevel) streams[0].write(`${logLine(level, parameters)}\n`);
    };
  }
}

/** Whoever reads the streams learns from these that the invocation's output is complete. */
function endOutput() {
  const memoryUsedMb = Math.ceil(process.memoryUsage.rss() / 1024 / 1024);
  for (const stream of streams) stream.write(`\0end ${requestId} ${memoryUsedMb}\n`);
}

async function loadHandler() {
  // As Lambda's own runtime: a handler lies in its package.
  if (process.env._HANDLER.includes("..")) {
    throw Object.assign(new Error(`'${process.env._HANDLER}' is not a valid handler name.`), {
      name: "Runtime.MalformedHandlerName",
    });
  }
  const [file, ...names] = process.env._HANDLER.split(/\.(?=[^/]*$)/);
  const base = join(process.env.LAMBDA_TASK_ROOT, file);
  const path = [".js", ".mjs", ".cjs"].map((extension) => base + extension).find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw Object.assign(new Error(`Error: Cannot find module '${file}'`), { name: "Runtime.ImportModuleError" });
  }
  const module = await import(pathToFileURL(path).href);
  const name = names.join(".");
  const handler = module[name] ?? module.default?.[name];
  if (typeof handler !== "function") {
    throw Object.assign(new Error(`${process.env._HANDLER} is undefined or not exported`), {
      name: "Runtime.HandlerNotFound",
    });
  }
  return handler;
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** A handler returns a promise, or calls back. */
function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const returned = handler(event, context, (error, result) => (error ? reject(error) : resolve(result)));
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (handler.length < 3) resolve(returned);
  });
}

async function fail(error) {
  if (isJson) console.error(error);
  else console.error("Invoke Error", `\t${stringify(error)}`);
  endOutput();
  const description = describe(error);
  await call("POST", ["invocation", requestId, "error"], JSON.stringify(description), {
    "lambda-runtime-function-error-type": description.errorType,
  });
}

async function serve(handler) {
  for (;;) {
    const next = await call("GET", ["invocation", "next"]);
    requestId = next.headers["lambda-runtime-aws-request-id"];
    process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"];
    let result;
    try {
      // JSON has no `undefined`, which a handler without an answer returns.
      result = JSON.stringify((await run(handler, JSON.parse(next.body), contextOf(next.headers))) ?? null);
    } catch (error) {
      await fail(error);
      continue;
    }
    endOutput();
    await call("POST", ["invocation", requestId, "response"], result);
  }
}

patchConsole();
// What no handler catches ends the process: Lambda reports it as Runtime.ExitError, or as the error itself.
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => {
    const gone = () => process.exit(1);
    if (requestId === undefined) gone();
    else fail(error).then(() => process.exit(129), gone);
  });
}

let handler;
try {
  handler = await loadHandler();
} catch (error) {
  if (isJson) console.error(error);
  else console.error("Uncaught Exception", `\t${stringify(error)}`);
  await call("POST", ["init", "error"], JSON.stringify(describe(error))).catch(() => undefined);
  process.exit(1);
}
// The gateway is gone: so is the sandbox that this process belongs to.
await serve(handler).catch(() => process.exit(0));
