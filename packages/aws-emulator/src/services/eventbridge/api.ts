import {
  type Answer,
  type Call,
  type Interceptor,
  json,
  jsonError,
  jsonOf,
  type Next,
  parseObject,
  textOf,
} from "../../gateway/http";
import { type Buses } from "./buses";
import { busPattern, type Constraint, namePattern, violations } from "./constraints";
import { compilePattern, InvalidEventPattern } from "./pattern";
import { putEvents } from "./put-events";
import { refuseTargets } from "./put-targets";
import { busNameOf, refuseMissingBus, type Rules } from "./rules";

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
      case "DeleteEventBus":
        return (
          violations(deletionConstraints(body)) ?? (await refuseDeletion(textOf(body.Name), buses.rules)) ?? kept()
        );
      // moto: deletes a rule of a bus that is not there. AWS: "When you call delete rule for a non-existent custom
      // eventbus, ResourceNotFoundException is returned" (API_DeleteRule).
      case "DeleteRule":
      case "PutPermission":
      case "RemovePermission":
        return (await refuseMissingBus(busNameOf(textOf(body.EventBusName)), buses.rules)) ?? kept();
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

/** By name alone, where other operations take an ARN, too. */
const deletionConstraints = (body: Readonly<Record<string, unknown>>): Constraint[] => [
  { path: "name", value: body.Name, isRequired: true, min: 1, max: 256, pattern: /^[/.\-_A-Za-z0-9]+$/ },
];

/**
 * moto: deletes the bus and its rules, whose targets get nothing from then on. AWS: "All rules associated with this event
 * bus need to be deleted" (API_DeleteEventBus), an archive's own rule among them; its words are those of
 * https://github.com/hashicorp/terraform-provider-aws/issues/22131. A bus that is not there is deleted, as wished.
 */
async function refuseDeletion(bus: string | undefined, rules: Rules): Promise<Answer | undefined> {
  // moto refuses to delete the default bus, in AWS's words.
  if (bus === undefined || bus === "default") return undefined;
  const left = await rules.of(bus);
  if (left === undefined || left.length === 0) return undefined;
  return jsonError(400, "ValidationException", "EventBus can't be deleted since it has rules.");
}

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
