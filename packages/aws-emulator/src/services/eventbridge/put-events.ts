import { type Answer, type Call, isRecord, json, jsonError, jsonOf, parseObject, textOf } from "../../gateway/http";
import { type Buses, type NewEvent } from "./buses";
import { busPattern, violations } from "./constraints";
import { nestingOf } from "../../gateway/json-text";
import { mostEventBytes, mostNesting } from "../../limits";
import { busNameOf } from "./rules";

const mostEntries = 10;

/** @param caller ARN of whom the bus's policy is asked about */
export function putEvents(call: Call, buses: Buses, caller: string): Answer {
  const { Entries: entries } = jsonOf(call);
  const list = Array.isArray(entries) ? (entries as unknown[]) : undefined;
  const refusal = violations([
    { path: "entries", value: list, isRequired: true, min: 1, max: mostEntries },
    ...(list ?? []).flatMap((entry, index) => {
      const { EventBusName: bus, TraceHeader: trace } = isRecord(entry) ? entry : {};
      const path = `entries.${index + 1}.member`;
      return [
        { path: `${path}.eventBusName`, value: bus, min: 1, max: 1600, pattern: busPattern },
        { path: `${path}.traceHeader`, value: trace, min: 1, max: 500 },
      ];
    }),
  ]);
  if (refusal !== undefined || list === undefined) return refusal ?? jsonError(400, "ValidationException", "");
  if (list.reduce((sum: number, entry) => sum + sizeOf(entry), 0) > mostEventBytes) {
    return jsonError(400, "ValidationException", "Total size of the entries in the request is over the limit.");
  }
  const results = list.map((entry) => putEvent(isRecord(entry) ? entry : {}, buses, caller));
  return json({ FailedEntryCount: results.filter((result) => "ErrorCode" in result).length, Entries: results });
}

type EntryResult = { readonly EventId: string } | { readonly ErrorCode: string; readonly ErrorMessage: string };

const failed = (ErrorCode: string, ErrorMessage: string): EntryResult => ({ ErrorCode, ErrorMessage });
const invalid = (name: string, reason: string) =>
  failed("InvalidArgument", `Parameter ${name} is not valid. Reason: ${reason}`);

function putEvent(entry: Readonly<Record<string, unknown>>, buses: Buses, caller: string): EntryResult {
  for (const name of ["Source", "DetailType", "Detail"]) {
    if (!textOf(entry[name])) return invalid(name, `${name} is a required argument.`);
  }
  const source = textOf(entry.Source) ?? "";
  const detailType = textOf(entry.DetailType) ?? "";
  if (detailType.length > 128) return invalid("DetailType", "DetailType is longer than 128 characters.");
  const bus = busNameOf(textOf(entry.EventBusName));
  if (buses.policies.denies(bus, caller)) {
    return failed(
      "AccessDeniedException",
      `User: ${caller} is not authorized to perform: events:PutEvents on resource: ${buses.arnOf(bus)} with an explicit deny in a resource-based policy`,
    );
  }
  if (source.startsWith("aws.")) {
    return failed("NotAuthorizedForSourceException", "Not authorized for the source.");
  }
  const detail = detailOf(textOf(entry.Detail) ?? "");
  if (detail === undefined) return failed("MalformedDetail", "Detail is malformed.");
  const time = entry.Time === undefined || entry.Time === null ? undefined : dateOf(entry.Time);
  if (time !== undefined && !isEventTime(time)) return invalid("Time", "Time is not a valid timestamp.");
  const event: NewEvent = {
    source,
    detailType,
    detail,
    ...(Array.isArray(entry.Resources) ? { resources: entry.Resources.map(String) } : {}),
    ...(time === undefined ? {} : { time }),
  };
  const envelope = buses.envelope(event);
  buses.publish(bus, envelope);
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
export function dateOf(value: unknown): Date {
  if (typeof value === "number") return new Date(value * 1000);
  return new Date(typeof value === "string" ? value : Number.NaN);
}

/** An envelope's time has a year of four digits. */
function isEventTime(date: Date): boolean {
  return !Number.isNaN(date.getTime()) && /^\d{4}-/.test(date.toISOString());
}

/** A JSON object that is not nested too deeply. */
function detailOf(text: string): Record<string, unknown> | undefined {
  return nestingOf(text) > mostNesting ? undefined : parseObject(text);
}
