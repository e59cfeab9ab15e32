import { type Answer, type Call, type Interceptor, json, jsonError, jsonOf, type Next, textOf } from "../http";
import { type Buses } from "./buses";
import { busPattern, type Constraint, namePattern, violations } from "./constraints";
import { compilePattern, InvalidEventPattern } from "./pattern";
import { parseObject, putEvents } from "./put-events";
import { refuseTargets } from "./put-targets";

const requiredOfTestedEvent = ["id", "account", "source", "time", "region", "detail-type"];

/** What EventBridge answers by itself here: moto fails at a Lambda target, and has no TestEventPattern. */
export function answerEvents(
  buses: Buses,
  /** ARN of the role of a function that runs here; `undefined`: the call is somebody else's. */
  roleOf: (accessKeyId: string) => string | undefined = () => undefined,
): Interceptor {
  return async (call: Call, next: Next): Promise<Answer> => {
    if (call.service !== "events") return next(call);
    const kept = () => buses.policies.intercept(call, (other) => buses.archives.intercept(other, next));
    const body = jsonOf(call);
    switch (call.operation) {
      case "PutEvents":
        return putEvents(call, buses, roleOf(call.accessKeyId) ?? buses.callerArn);
      case "TestEventPattern":
        return testEventPattern(call);
      case "PutRule":
        return violations(ruleConstraints(body)) ?? refusePattern(body.EventPattern) ?? kept();
      case "PutTargets":
        return (await refuseTargets(call, buses.rules)) ?? kept();
      case "CreateArchive":
      case "UpdateArchive":
        return violations(archiveConstraints(body)) ?? refusePattern(body.EventPattern) ?? kept();
      default:
        return kept();
    }
  };
}

const patternConstraint = (value: unknown): Constraint => ({ path: "eventPattern", value, max: 4096 });

const ruleConstraints = (body: Readonly<Record<string, unknown>>): Constraint[] => [
  { path: "name", value: body.Name, isRequired: true, min: 1, max: 64, pattern: namePattern },
  { path: "scheduleExpression", value: body.ScheduleExpression, max: 256 },
  patternConstraint(body.EventPattern),
  {
    path: "state",
    value: body.State,
    values: ["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"],
  },
  { path: "description", value: body.Description, max: 512 },
  { path: "roleArn", value: body.RoleArn, min: 1, max: 1600 },
  { path: "eventBusName", value: body.EventBusName, min: 1, max: 1600, pattern: busPattern },
];

const archiveConstraints = (body: Readonly<Record<string, unknown>>): Constraint[] => [
  { path: "archiveName", value: body.ArchiveName, isRequired: true, min: 1, max: 48, pattern: namePattern },
  { path: "description", value: body.Description, max: 512 },
  patternConstraint(body.EventPattern),
  { path: "retentionDays", value: body.RetentionDays, min: 0 },
];

function testEventPattern(call: Call): Answer {
  const { EventPattern: pattern, Event: text } = jsonOf(call);
  const refusal = violations([
    { ...patternConstraint(pattern), isRequired: true },
    { path: "event", value: text, isRequired: true },
  ]);
  if (refusal !== undefined) return refusal;
  const event = parseObject(textOf(text) ?? "");
  if (event === undefined || requiredOfTestedEvent.some((name) => event[name] === undefined)) {
    return jsonError(400, "ValidationException", "Parameter Event is not valid.");
  }
  return refusePattern(pattern) ?? json({ Result: compilePattern(textOf(pattern) ?? "")(event) });
}

/** EventBridge refuses such a rule or archive; moto takes it, and it would match in some way of moto's own. */
function refusePattern(pattern: unknown): Answer | undefined {
  try {
    if (typeof pattern === "string") compilePattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidEventPattern) return jsonError(400, error.name, error.message);
    throw error;
  }
}
