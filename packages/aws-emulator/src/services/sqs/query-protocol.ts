import {
  type Answer,
  type Call,
  escapeXml,
  isQuery,
  isRecord,
  jsonOf,
  type Next,
  queryAnswer,
  queryError,
  queryOf,
  succeeded,
  textOf,
  withBody,
} from "../../gateway/http";

const namespace = "http://queue.amazonaws.com/doc/2012-11-05/";

/**
 * SQS's Query protocol is what clients before 2023 speak. A call in it is made in JSON, and its answer is told in XML, so
 * that each patch holds for both protocols and knows one.
 */
export async function translateQuery(call: Call, next: Next): Promise<Answer> {
  if (!isQuery(call)) return next(call);
  const headers = {
    ...call.headers,
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": `AmazonSQS.${call.operation}`,
  };
  const url = new URL("/", call.url);
  return toXml(
    call.operation,
    await next(withBody({ ...call, url, headers }, requestOf(queryOf(call), call.url.href))),
  );
}

/** A queue's URL can be where the call goes, in place of a parameter. */
function requestOf(form: URLSearchParams, calledUrl: string): Record<string, unknown> {
  return {
    ...(form.has("QueueName") ? { QueueName: form.get("QueueName") } : { QueueUrl: form.get("QueueUrl") ?? calledUrl }),
    Attributes: mapIn(form, "Attribute", "Name"),
    AttributeNames: [...form].filter(([key]) => /^AttributeName(?:\.\d+)?$/.test(key)).map(([, value]) => value),
    tags: mapIn(form, "Tag", "Key"),
  };
}

/** `Attribute.1.Name=a&Attribute.1.Value=b`; the number can be left out where there is one. */
function mapIn(form: URLSearchParams, name: string, key: string): Record<string, string> {
  const keys = [...form].filter(([path]) => path.startsWith(`${name}.`) && path.endsWith(`.${key}`));
  return Object.fromEntries(
    keys.map(([path, value]) => [value, form.get(`${path.slice(0, -key.length)}Value`) ?? ""] as const),
  );
}

function toXml(operation: string, answer: Answer): Answer {
  const body = jsonOf(answer);
  if (!succeeded(answer)) {
    // The code that the operation has in XML, beside the one that it has in JSON.
    const [code = ""] = String(answer.headers["x-amzn-query-error"] ?? body.__type).split(";");
    return queryError(
      answer.status,
      code.split("#").at(-1) ?? "",
      textOf(body.message) ?? textOf(body.Message) ?? "",
      namespace,
    );
  }
  const { QueueUrl: url, Attributes: attributes } = body;
  const result = [
    ...(typeof url === "string" ? [`<QueueUrl>${escapeXml(url)}</QueueUrl>`] : []),
    ...Object.entries(isRecord(attributes) ? attributes : {}).map(
      ([name, value]) =>
        `<Attribute><Name>${escapeXml(name)}</Name><Value>${escapeXml(String(value))}</Value></Attribute>`,
    ),
  ].join("");
  // What answers nothing has no element for it.
  const hasResult = operation.startsWith("Create") || operation.startsWith("Get");
  return queryAnswer(operation, hasResult ? result : undefined, namespace);
}
