import { permanentFailureTypes, transientFailureTypes } from "../../handler/contract/failures";
import { PermanentError, TransientError } from "../../handler/errors";
import { compilePattern } from "aws-emulator/eventbridge";
import { failureRecord } from "../support/send-notification";
import { synthNotificationStack } from "../support/stack";
import { exampleAccountId } from "../../stacks/stages";

const arn = (name: string) => `arn:aws:lambda:eu-west-1:${exampleAccountId}:function:${name}`;
const standard = arn("shop-dev-email-processor");
const priority = arn("shop-dev-priority-email-processor");

const stack = synthNotificationStack();

/** Compiles the pattern as Terraform would write it into the rule. */
function compile(pattern: unknown) {
  const applied = String(pattern).replace(/\$\{([^}]*)\}/g, (_, expression: string) => {
    if (expression.endsWith(".partition")) return "aws";
    if (expression.endsWith(".account_id")) return exampleAccountId;
    throw new Error(`A pattern reads ${expression}`);
  });
  return compilePattern(applied);
}

/** Every rule of a bus, with the name of the queue, function or log group that it brings events to. */
const rulesOf = (bus: string) =>
  stack
    .resources("aws_cloudwatch_event_rule")
    .filter(({ event_bus_name: name }) => name !== undefined && stack.nameBehind(name) === bus)
    .map(({ name, event_pattern }) => {
      const target = stack.resources("aws_cloudwatch_event_target").find(({ rule }) => stack.nameBehind(rule) === name);
      return { name: String(name), target: stack.nameBehind(target?.arn), matches: compile(event_pattern) };
    });

const failures = rulesOf("shop-dev-failures");
const business = rulesOf("shop-dev-event-bus");

/** The targets that get the failure record of a function, as Lambda puts it onto the failures bus. */
function takers(functionArn: string, response: object, envelope: object = {}, rules = failures): string[] {
  const event = {
    version: "0",
    id: "4f5a1f2e-6d0f-4a3c-9a34-4c1f6b6f0c55",
    "detail-type": "Lambda Function Invocation Result - Failure",
    source: "lambda",
    account: exampleAccountId,
    time: "2026-11-24T09:04:00Z",
    region: "eu-west-1",
    resources: [functionArn],
    detail: {
      ...failureRecord(
        { source: "custom.application" },
        { requestContext: { requestId: "r", functionArn, condition: "RetriesExhausted", approximateInvokeCount: 3 } },
      ),
      responsePayload: undefined,
      ...response,
    },
    ...envelope,
  };
  // The event goes through JSON, because fields that are undefined are missing in a real event.
  const received: unknown = JSON.parse(JSON.stringify(event));
  return rules.filter(({ matches }) => matches(received)).map(({ target }) => target);
}

const failed = (errorType: unknown) => ({ responsePayload: { errorType, errorMessage: "x", trace: [] } });

it("stand for every rule of the failures bus", () => {
  expect(failures.map(({ target }) => target).sort()).toEqual([
    "shop-dev-dead-letters",
    "shop-dev-priority-retries",
    "shop-dev-retries",
  ]);
});

describe("a record that a producer forges on the bus of the business events", () => {
  const types = [...permanentFailureTypes, ...transientFailureTypes, "Sandbox.Timedout", undefined];

  it.each([standard, priority])("reaches nothing in the name of %s", (functionArn) => {
    for (const type of types) {
      const response = type === undefined ? {} : failed(type);
      expect(takers(`${functionArn}:$LATEST`, response, {}, business)).toEqual([]);
      // The result above is not empty because of a wrong record: on its own bus, the same record is taken.
      expect(takers(`${functionArn}:$LATEST`, response)).toHaveLength(1);
    }
  });

  it("is no business event under a source of ours either: it is logged as unrouted", () => {
    expect(takers(`${standard}:$LATEST`, failed("Throttled"), { source: "custom.application" }, business)).toEqual([
      "/aws/events/shop-dev-unrouted",
    ]);
  });
});

describe.each([
  ["standard", standard, "shop-dev-retries"],
  ["priority", priority, "shop-dev-priority-retries"],
])("a failure of the %s lane", (_lane, functionArn, retry) => {
  const latest = `${functionArn}:$LATEST`;

  it.each(permanentFailureTypes)("of type %s goes to the dead letters, and nowhere else", (type) => {
    expect(takers(latest, failed(new PermanentError(type, "x").name))).toEqual(["shop-dev-dead-letters"]);
  });

  it.each(transientFailureTypes)("of type %s goes to the retry queue of its lane, and nowhere else", (type) => {
    expect(takers(latest, failed(new TransientError(type, "x").name))).toEqual([retry]);
  });

  it.each([
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Runtime.ImportModuleError",
    "Runtime.Unknown",
    "Function.ResponseSizeTooLarge",
    "Error",
    "TypeError",
    "",
    "invalidevent",
    "InvalidEvent2",
  ])("of Lambda's own or of no known type (%s) is tried again", (type) => {
    expect(takers(latest, failed(type))).toEqual([retry]);
  });

  it.each([
    ["without a response: it never ran", {}],
    ["with an empty response", { responsePayload: {} }],
    ["with a response of null", { responsePayload: null }],
    ["with a response that is a text", { responsePayload: "Task timed out" }],
    ["without a type", { responsePayload: { errorMessage: "2026-11-24 Task timed out after 30.03 seconds" } }],
    ["with a type of null", failed(null)],
    ["with a type that is an object", failed({ name: "InvalidEvent" })],
  ])("%s is tried again", (_, response) => {
    expect(takers(latest, response)).toEqual([retry]);
  });

  it("is taken under every qualifier", () => {
    expect(takers(`${functionArn}:live`, failed("Throttled"))).toEqual([retry]);
    expect(takers(`${functionArn}:live`, failed("InvalidEvent"))).toEqual(["shop-dev-dead-letters"]);
  });
});

describe("what is none of this stage's failures", () => {
  it.each([
    ["another function", `${arn("billing")}:$LATEST`],
    ["a function whose name goes on", `${standard}-2:$LATEST`],
    ["another stage", `${arn("shop-prod-email-processor")}:$LATEST`],
    ["another account", `${standard.replace(exampleAccountId, "999999999999")}:$LATEST`],
    ["another region", `${standard.replace("eu-west-1", "us-east-1")}:$LATEST`],
  ])("is not taken from %s", (_, functionArn) => {
    for (const type of ["InvalidEvent", "Throttled", "Sandbox.Timedout"]) {
      expect(takers(functionArn, failed(type))).toEqual([]);
    }
    expect(takers(functionArn, {})).toEqual([]);
  });

  it.each([
    ["a success", { "detail-type": "Lambda Function Invocation Result - Success" }],
    ["an application's event that looks like a failure", { source: "custom.application" }],
  ])("is not taken where it is %s", (_, envelope) => {
    expect(takers(`${standard}:$LATEST`, failed("InvalidEvent"), envelope)).toEqual([]);
    expect(takers(`${standard}:$LATEST`, failed("Throttled"), envelope)).toEqual([]);
  });
});

it("names each type once, on one of the two lists", () => {
  const types: string[] = [...permanentFailureTypes, ...transientFailureTypes];
  expect(new Set(types).size).toBe(types.length);
});
