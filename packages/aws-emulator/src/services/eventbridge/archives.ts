import { setImmediate as turn } from "node:timers/promises";
import { type Background } from "../../gateway/background";
import {
  type Answer,
  type Call,
  isRecord,
  json,
  jsonError,
  jsonOf,
  mapJson,
  type Next,
  recordsIn,
  succeeded,
  textOf,
} from "../../gateway/http";
import { type Envelope } from "../../gateway/journal";
import { stringify } from "../../gateway/json-text";
import { type Limits } from "../../gateway/newest";
import { type Constraint, namePattern, violations } from "./constraints";
import { compilePattern, type Matcher } from "./pattern";
import { dateOf } from "./put-events";
import { busNameOf, refuseMissingBus, type Rules } from "./rules";

const dayMs = 86_400_000;
const mebibyte = 1_048_576;
/** "A maximum of 10 active concurrent replays per account per AWS Region" (eb-replay-archived-event). */
const mostActiveReplays = 10;

/** What an archive keeps at most: with more of them a sandbox that is under load, or runs for days, fills its memory. */
const archiveLimits: Limits = { items: 25_000, bytes: 64 * mebibyte };

interface Archived {
  /** As JSON, which takes less memory. */
  readonly text: string;
  /** When the event happened, in seconds since 1970. */
  readonly time: number;
  readonly archivedAt: number;
  readonly bytes: number;
}

interface Archive {
  readonly arn: string;
  readonly bus: string;
  matches: Matcher;
  /** 0: for ever. */
  retentionDays: number;
  events: Archived[];
  /** Of all events. */
  bytes: number;
}

type ReplayState = "STARTING" | "RUNNING" | "CANCELLING" | "CANCELLED" | "COMPLETED";

interface Replay {
  readonly ReplayName: string;
  readonly ReplayArn: string;
  readonly Description?: string;
  readonly EventSourceArn: string;
  readonly Destination: { readonly Arn: string; readonly FilterArns?: readonly string[] };
  /** Times are seconds since 1970, as the JSON protocol has them. */
  readonly EventStartTime: number;
  readonly EventEndTime: number;
  readonly ReplayStartTime: number;
  State: ReplayState;
  EventLastReplayedTime?: number;
  ReplayEndTime?: number;
}

export interface ArchivesOptions {
  readonly replayArn: (name: string) => string;
  readonly rules: Pick<Rules, "of">;
  readonly background: Background;
  readonly publish: (bus: string, event: Envelope, ruleArns: readonly string[] | undefined) => void;
  /** @default archiveLimits */
  readonly limits?: Limits;
  /** Tells the user what AWS would not do. */
  readonly note: (text: string) => void;
}

/**
 * Archives of the buses, and their replays: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html.
 * moto keeps the archives' definitions; the events pass it by, as the gateway answers PutEvents. AWS does not say whether a
 * replayed event keeps its id, and recordings of its answers hide ids; here it does, as in moto.
 */
export class Archives {
  private readonly archives = new Map<string, Archive>();
  private readonly replays = new Map<string, Replay>();

  constructor(private readonly options: ArchivesOptions) {}

  /** Keeps the event where an archive of its bus asks for it. A replayed event is not archived again. */
  record(bus: string, event: Envelope): void {
    if (event["replay-name"] !== undefined) return;
    for (const [name, archive] of this.archives) {
      if (archive.bus !== bus || !archive.matches(event)) continue;
      const text = stringify(event);
      const bytes = Buffer.byteLength(text);
      archive.events.push({ text, time: Date.parse(event.time) / 1000, archivedAt: Date.now(), bytes });
      archive.bytes += bytes;
      this.limit(name, archive);
    }
  }

  /** The newest stays, whatever its size. */
  private limit(name: string, archive: Archive): void {
    const { items, bytes } = this.options.limits ?? archiveLimits;
    while (archive.events.length > 1 && (archive.events.length > items || archive.bytes > bytes)) {
      archive.bytes -= archive.events.shift()?.bytes ?? 0;
      this.options.note(
        `The archive ${name} keeps the newest ${items} events here, and at most ${Math.floor(bytes / mebibyte)} MiB of them: older ones are dropped, and not replayed. AWS keeps them all.`,
      );
    }
  }

  readonly intercept = async (call: Call, next: Next): Promise<Answer> => {
    const body = jsonOf(call);
    switch (call.operation) {
      case "UpdateArchive":
        if (["EventPattern", "RetentionDays", "Description"].every((name) => body[name] === undefined)) {
          const message = "At least one of EventPattern, RetentionDays or Description must be provided.";
          return jsonError(400, "ValidationException", message);
        }
        return this.define(call, body, next);
      case "CreateArchive":
        return this.define(call, body, next);
      case "DeleteArchive": {
        const answer = await next(call);
        if (succeeded(answer)) this.archives.delete(textOf(body.ArchiveName) ?? "");
        return answer;
      }
      case "DescribeArchive": {
        const answer = await next(call);
        return succeeded(answer) ? mapJson(answer, (archive) => this.counted(archive)) : answer;
      }
      case "ListArchives": {
        const source = textOf(body.EventSourceArn);
        const refusal =
          source === undefined ? undefined : await refuseMissingBus(busNameOf(source), this.options.rules);
        if (refusal !== undefined) return refusal;
        const answer = await next(call);
        if (!succeeded(answer)) return answer;
        return mapJson(answer, (given) => ({
          ...given,
          Archives: recordsIn(given.Archives).map((each) => this.counted(each)),
        }));
      }
      case "StartReplay":
        return this.start(body);
      case "DescribeReplay":
        return this.withReplay(body, json);
      case "ListReplays":
        return this.list(body);
      case "CancelReplay":
        return this.withReplay(body, (replay) => this.cancel(replay));
      default:
        return next(call);
    }
  };

  private async define(call: Call, body: Readonly<Record<string, unknown>>, next: Next): Promise<Answer> {
    const answer = await next(call);
    if (!succeeded(answer)) return answer;
    const name = textOf(body.ArchiveName) ?? "";
    const known = this.archives.get(name);
    const archive = known ?? {
      arn: textOf(jsonOf(answer).ArchiveArn) ?? "",
      bus: busNameOf(textOf(body.EventSourceArn)),
      matches: () => true,
      retentionDays: 0,
      events: [],
      bytes: 0,
    };
    const pattern = textOf(body.EventPattern);
    if (pattern !== undefined) archive.matches = compilePattern(pattern);
    if (typeof body.RetentionDays === "number") archive.retentionDays = body.RetentionDays;
    this.archives.set(name, archive);
    return answer;
  }

  /** moto: no event ever, and an empty text for what was not set, which no model allows. */
  private counted(answer: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const archive = this.archives.get(textOf(answer.ArchiveName) ?? "");
    const events = archive === undefined ? [] : eventsOf(archive);
    const said = Object.entries(answer).filter(([, value]) => value !== null && value !== undefined);
    return {
      ...Object.fromEntries(said),
      EventCount: events.length,
      SizeBytes: archive?.bytes ?? 0,
    };
  }

  private async start(body: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { ReplayName: name, EventSourceArn: source, Description: description, Destination: given } = body;
    const destination = isRecord(given) ? given : {};
    const refusal = violations([
      { path: "replayName", value: name, isRequired: true, min: 1, max: 64, pattern: namePattern },
      { path: "eventSourceArn", value: source, isRequired: true, min: 1, max: 1600 },
      { path: "description", value: description, max: 512 },
      { path: "destination", value: given, isRequired: true },
      ...(isRecord(given)
        ? [{ path: "destination.arn", value: destination.Arn, isRequired: true, min: 1, max: 1600 }]
        : []),
      { path: "eventStartTime", value: body.EventStartTime, isRequired: true },
      { path: "eventEndTime", value: body.EventEndTime, isRequired: true },
    ] satisfies Constraint[]);
    if (refusal !== undefined) return refusal;
    const arn = textOf(destination.Arn) ?? "";
    if (!/^arn:[^:]+:events:[^:]+:\d{12}:event-bus\//.test(arn)) {
      return invalid("Destination.Arn", "Must contain an event bus ARN.");
    }
    const missing = await refuseMissingBus(busNameOf(arn), this.options.rules);
    if (missing !== undefined) return missing;
    const archiveName = (textOf(source) ?? "").split("/").at(-1) ?? "";
    const archive = this.archives.get(archiveName);
    if (archive === undefined) return invalid("EventSourceArn", `Archive ${archiveName} does not exist.`);
    if (archive.bus !== busNameOf(arn)) return invalid("Destination.Arn", "Cross event bus replay is not permitted.");
    const [start, end] = [dateOf(body.EventStartTime).getTime() / 1000, dateOf(body.EventEndTime).getTime() / 1000];
    if (Number.isNaN(start)) return invalid("EventStartTime", "It is not a valid timestamp.");
    if (Number.isNaN(end)) return invalid("EventEndTime", "It is not a valid timestamp.");
    if (start >= end) return invalid("EventEndTime", "EventStartTime must be before EventEndTime.");
    const replayName = textOf(name) ?? "";
    if (this.replays.has(replayName)) {
      return jsonError(400, "ResourceAlreadyExistsException", `Replay ${replayName} already exists.`);
    }
    const active = [...this.replays.values()].filter(({ State }) => ["STARTING", "RUNNING"].includes(State));
    if (active.length >= mostActiveReplays) {
      return jsonError(400, "LimitExceededException", "The requested resource exceeds the maximum number allowed.");
    }
    const filters = Array.isArray(destination.FilterArns) ? destination.FilterArns.map(String) : [];
    const replay: Replay = {
      ReplayName: replayName,
      ReplayArn: this.options.replayArn(replayName),
      ...(typeof description === "string" ? { Description: description } : {}),
      EventSourceArn: archive.arn,
      Destination: { Arn: arn, ...(filters.length === 0 ? {} : { FilterArns: filters }) },
      EventStartTime: start,
      EventEndTime: end,
      ReplayStartTime: now(),
      State: "STARTING",
    };
    this.replays.set(replayName, replay);
    this.options.background.run(() => this.run(replay, archive));
    const { ReplayArn, ReplayStartTime, State } = replay;
    return json({ ReplayArn, ReplayStartTime, State });
  }

  /**
   * Publishes the events of the window in the order of their own times. Those are whole seconds, so the second in which the
   * window begins belongs to it as a whole.
   */
  private async run(replay: Replay, archive: Archive): Promise<void> {
    const filters = replay.Destination.FilterArns;
    const events = eventsOf(archive)
      .filter(({ time }) => time >= Math.floor(replay.EventStartTime) && time < replay.EventEndTime)
      .sort((one, other) => one.time - other.time);
    await turn();
    for (const { text, time } of events) {
      if (replay.State === "CANCELLING") break;
      replay.State = "RUNNING";
      this.options.publish(
        archive.bus,
        { ...(JSON.parse(text) as Envelope), "replay-name": replay.ReplayName },
        filters,
      );
      replay.EventLastReplayedTime = time;
      await turn();
    }
    replay.State = replay.State === "CANCELLING" ? "CANCELLED" : "COMPLETED";
    replay.ReplayEndTime = now();
  }

  private cancel(replay: Replay): Answer {
    if (replay.State !== "STARTING" && replay.State !== "RUNNING") {
      const message = `Replay ${replay.ReplayName} is not in a valid state for this operation.`;
      return jsonError(400, "IllegalStatusException", message);
    }
    replay.State = "CANCELLING";
    return json({ ReplayArn: replay.ReplayArn, State: replay.State });
  }

  private list(body: Readonly<Record<string, unknown>>): Answer {
    const { NamePrefix: prefix, EventSourceArn: source, State: state, Limit: limit, NextToken: token } = body;
    const refusal = violations([
      { path: "namePrefix", value: prefix, min: 1, max: 64, pattern: namePattern },
      { path: "eventSourceArn", value: source, min: 1, max: 1600 },
      // The page after an empty one would be empty too, and a client would ask for ever.
      { path: "limit", value: limit, min: 1, max: 100 },
      { path: "nextToken", value: token, min: 1, max: 2048 },
    ]);
    if (refusal !== undefined) return refusal;
    if (token !== undefined && !/^\d+$/.test(textOf(token) ?? "")) {
      return jsonError(400, "ValidationException", "Parameter NextToken is not valid.");
    }
    if ([prefix, source, state].filter((filter) => filter !== undefined).length > 1) {
      return jsonError(
        400,
        "ValidationException",
        "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix.",
      );
    }
    const found = [...this.replays.values()].filter(
      ({ ReplayName, EventSourceArn, State }) =>
        (prefix === undefined || ReplayName.startsWith(textOf(prefix) ?? "")) &&
        (source === undefined || EventSourceArn === source) &&
        (state === undefined || State === state),
    );
    const first = Number(textOf(token) ?? 0);
    const page = found.slice(first, first + (typeof limit === "number" ? limit : 100));
    const end = first + page.length;
    return json({
      Replays: page.map(({ ReplayArn: _arn, Destination: _destination, Description: _description, ...short }) => short),
      ...(end < found.length ? { NextToken: String(end) } : {}),
    });
  }

  private withReplay(body: Readonly<Record<string, unknown>>, answer: (replay: Replay) => Answer): Answer {
    const name = textOf(body.ReplayName) ?? "";
    const replay = this.replays.get(name);
    if (replay !== undefined) return answer(replay);
    return jsonError(400, "ResourceNotFoundException", `Replay ${name} does not exist.`);
  }
}

const now = () => Math.floor(Date.now() / 1000);

const invalid = (name: string, reason: string): Answer =>
  jsonError(400, "ValidationException", `Parameter ${name} is not valid. Reason: ${reason}`);

/** What is kept: an event is dropped when its retention is over. */
function eventsOf(archive: Archive): readonly Archived[] {
  const { retentionDays } = archive;
  if (retentionDays > 0) {
    const oldest = Date.now() - retentionDays * dayMs;
    archive.events = archive.events.filter(({ archivedAt }) => archivedAt >= oldest);
    archive.bytes = archive.events.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  return archive.events;
}
