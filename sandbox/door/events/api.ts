import { type Answer, type Call, isRecord, json, jsonError, jsonOf, type Next, textOf } from "../http";
import { type Buses, type NewEvent } from "./buses";
import { mostEventBytes } from "./limits";
import { compilePattern, InvalidEventPattern } from "./pattern";
import { busNameOf } from "./rules";

const mostEntries = 10;
const requiredOfTestedEvent = ["id", "account", "source", "time", "region", "resources", "detail-type"];

/** What EventBridge answers by itself here: moto fails at a Lambda target, and has no TestEventPattern. */
export function answerEvents(buses: Buses) {
  return async (call: Call, next: Next): Promise<Answer> => {
    if (call.service !== "events") return next(call);
    switch (call.operation) {
      case "PutEvents":
        return putEvents(call, buses);
      case "TestEventPattern":
        return testEventPattern(call);
      case "PutRule":
        return checkPattern(textOf(jsonOf(call).EventPattern)) ?? next(call);
      default:
        return next(call);
    }
  };
}

function putEvents(call: Call, buses: Buses): Answer {
  const { Entries: entries } = jsonOf(call);
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > mostEntries) {
    const count = Array.isArray(entries) ? entries.length : 0;
    return jsonError(
      400,
      "ValidationException",
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${mostEntries}, and has ${count}`,
    );
  }
  if (entries.reduce((sum: number, entry) => sum + sizeOf(entry), 0) > mostEventBytes) {
    return jsonError(400, "ValidationException", "Total size of the entries in the request is over the limit.");
  }
  const results = entries.map((entry: unknown) => putEvent(isRecord(entry) ? entry : {}, buses));
  return json({ FailedEntryCount: results.filter((result) => "ErrorCode" in result).length, Entries: results });
}

type EntryResult = { readonly EventId: string } | { readonly ErrorCode: string; readonly ErrorMessage: string };

function putEvent(entry: Readonly<Record<string, unknown>>, buses: Buses): EntryResult {
  for (const name of ["Source", "DetailType", "Detail"]) {
    if (!textOf(entry[name])) {
      return {
        ErrorCode: "InvalidArgument",
        ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      };
    }
  }
  const source = textOf(entry.Source) ?? "";
  if (source.startsWith("aws.")) {
    return { ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: "Not authorized for the source." };
  }
  const detail = parseObject(textOf(entry.Detail) ?? "");
  if (detail === undefined) return { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." };
  const time = dateOf(entry.Time);
  const event: NewEvent = {
    source,
    detailType: textOf(entry.DetailType) ?? "",
    detail,
    ...(Array.isArray(entry.Resources) ? { resources: entry.Resources.map(String) } : {}),
    ...(time === undefined ? {} : { time }),
  };
  const envelope = buses.envelope(event);
  buses.publish(busNameOf(textOf(entry.EventBusName)), envelope);
  return { EventId: envelope.id };
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
function sizeOf(entry: unknown): number {
  if (!isRecord(entry)) return 0;
  const resources = Array.isArray(entry.Resources) ? entry.Resources : [];
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(resources as unknown[])];
  return texts.reduce<number>(
    (sum, text) => sum + Buffer.byteLength(textOf(text) ?? ""),
    entry.Time === undefined ? 0 : 14,
  );
}

/** Seconds since 1970, as the SDKs send it, or a text. */
function dateOf(value: unknown): Date | undefined {
  if (typeof value === "number") return new Date(value * 1000);
  return typeof value === "string" ? new Date(value) : undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function testEventPattern(call: Call): Answer {
  const { EventPattern: pattern, Event: text } = jsonOf(call);
  const event = parseObject(textOf(text) ?? "");
  const missing = requiredOfTestedEvent.filter((name) => event?.[name] === undefined);
  if (event === undefined || missing.length > 0) {
    return jsonError(
      400,
      "ValidationException",
      `Parameter Event is not valid. Reason: ${event === undefined ? "it is no JSON object" : `it lacks ${missing.join(", ")}`}.`,
    );
  }
  return checkPattern(textOf(pattern) ?? "") ?? json({ Result: compilePattern(textOf(pattern) ?? "")(event) });
}

/** EventBridge refuses such a rule; moto takes it, and it would match in some way of moto's own. */
function checkPattern(pattern: string | undefined): Answer | undefined {
  try {
    if (pattern !== undefined) compilePattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidEventPattern) return jsonError(400, error.name, error.message);
    throw error;
  }
}
