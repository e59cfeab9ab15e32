import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import {
  type Answer,
  type Call,
  type Interceptor,
  isRecord,
  jsonOf,
  mapJson,
  type Next,
  succeeded,
  textOf,
  withBody,
} from "../../gateway/http";
import { type Moto } from "../../gateway/moto";
import { translateQuery } from "./query-protocol";

const attributesOf = (body: Readonly<Record<string, unknown>>) => (isRecord(body.Attributes) ? body.Attributes : {});

/** Queues are told by their path: the host of their URL is that of whoever made them. */
function queueOf(call: Call): string {
  const { QueueUrl: url, QueueName: name } = jsonOf(call);
  return textOf(name) ?? (textOf(url) ?? "").split("/").slice(-1).join("");
}

/** The operations that are looked into, whatever the protocol: the patches behind this one speak JSON. */
const patched = ["CreateQueue", "DeleteQueue", "GetQueueAttributes", "SetQueueAttributes"];

/** The answers of moto's SQS that Terraform would see a change in, or wait for ever over. */
export function patchSqs(moto: Moto): Interceptor[] {
  return [translateQuery, compactRedrivePolicy, keepPolicy(moto), keepRedriveAllowPolicy()].map(
    (patch): Interceptor =>
      (call, next) =>
        call.service === "sqs" && patched.includes(call.operation) ? patch(call, next) : next(call),
  );
}

/** moto: `{"a": 1, "b": 2}`. AWS: the redrive policy as it was set, without white space; Terraform compares the text. */
async function compactRedrivePolicy(call: Call, next: Next): Promise<Answer> {
  const answer = await next(call);
  if (call.operation !== "GetQueueAttributes" || !succeeded(answer)) return answer;
  return mapJson(answer, (body) => {
    const attributes = attributesOf(body);
    const policy = textOf(attributes.RedrivePolicy);
    if (policy === undefined) return body;
    return { ...body, Attributes: { ...attributes, RedrivePolicy: JSON.stringify(JSON.parse(policy)) } };
  });
}

/** moto: SetQueueAttributes without a policy clears it. AWS: what the call does not name stays. */
function keepPolicy(moto: Moto) {
  return async (call: Call, next: Next): Promise<Answer> => {
    if (call.operation !== "SetQueueAttributes") return next(call);
    const body = jsonOf(call);
    const attributes = attributesOf(body);
    if ("Policy" in attributes) return next(call);
    const current = await moto.sqs
      .send(new GetQueueAttributesCommand({ QueueUrl: `${moto.url}/0/${queueOf(call)}`, AttributeNames: ["Policy"] }))
      // The call itself says then what is wrong with the queue.
      .catch(() => undefined);
    const policy = current?.Attributes?.Policy;
    return next(
      policy === undefined ? call : withBody(call, { ...body, Attributes: { ...attributes, Policy: policy } }),
    );
  };
}

/** moto: drops a redrive-allow policy, and refuses to be asked for it. AWS: keeps it; Terraform waits until it is there. */
function keepRedriveAllowPolicy() {
  const name = "RedriveAllowPolicy";
  const policies = new Map<string, string>();

  function remember(queue: string, value: unknown): void {
    const policy = textOf(value);
    if (policy === "") policies.delete(queue);
    else if (policy !== undefined) policies.set(queue, policy);
  }

  return async (call: Call, next: Next): Promise<Answer> => {
    const queue = queueOf(call);
    switch (call.operation) {
      case "CreateQueue":
      case "SetQueueAttributes": {
        const body = jsonOf(call);
        const { [name]: policy, ...others } = attributesOf(body);
        const answer = await next(policy === undefined ? call : withBody(call, { ...body, Attributes: others }));
        if (succeeded(answer)) remember(queue, policy);
        return answer;
      }
      case "GetQueueAttributes": {
        const body = jsonOf(call);
        const names = Array.isArray(body.AttributeNames) ? (body.AttributeNames as unknown[]) : [];
        const others = names.filter((each) => each !== name);
        // moto has to be asked for something, or it answers nothing even for a queue that is gone.
        const asked =
          others.length === names.length ? call : withBody(call, { ...body, AttributeNames: [...others, "QueueArn"] });
        const answer = await next(asked);
        const policy = policies.get(queue);
        if (!succeeded(answer)) return answer;
        return mapJson(answer, (given) => {
          const attributes = { ...attributesOf(given) };
          if (asked !== call && !others.includes("QueueArn") && !others.includes("All")) delete attributes.QueueArn;
          if (policy !== undefined && (names.includes(name) || names.includes("All"))) attributes[name] = policy;
          return { ...given, Attributes: attributes };
        });
      }
      case "DeleteQueue": {
        const answer = await next(call);
        if (succeeded(answer)) policies.delete(queue);
        return answer;
      }
      default:
        return next(call);
    }
  };
}
