import { randomUUID } from "node:crypto";
import { catalogue } from "../../handler/notifications";
import { type StageAccess } from "../stage";
import { plural } from "../text";
import { cleanUp, closeRun, keepOpen, openRun, type Removed, type Traces } from "./clean-up";
import { newRunId, planSmoke } from "./plan";
import { costsOf, type SmokeAnswer } from "./report";
import { type Fact, settleFacts } from "./settled";
import { held, judge, type TrialResult, type Verdict } from "./trial";
import { type MailSeen, runTrials, type TrialContext } from "./trials";
import { SmokeWorld } from "./world";

export interface SmokeOptions {
  /** How long to wait for each thing that is to be seen, in milliseconds. */
  readonly waitMs: number;
  readonly alarmsMs: number;
  readonly replay: boolean;
}

/** Clocks of this machine and of AWS may differ by as much, in milliseconds. */
const clockSkewMs = 60_000;

/**
 * Tries the deployed stage with mail to SES's mailbox simulator alone, and removes what it has made, also if a person
 * interrupts.
 * @param progress is called with each result as soon as it is there.
 * @throws Error if nothing could be tried.
 */
export async function runSmoke(
  { waitMs, alarmsMs, replay }: SmokeOptions,
  stage: StageAccess,
  signal: AbortSignal,
  progress: (result: TrialResult) => void,
): Promise<SmokeAnswer> {
  const now = new Date();
  const runId = newRunId(now, randomUUID());
  const plan = planSmoke(runId, catalogue, stage.config.recipientPolicy, now);
  const mails = [...plan.mails, ...(plan.redriven === undefined ? [] : [plan.redriven])];
  const replayed = new Set<string>();
  const traces = {
    runId,
    get claimIds() {
      return mails.map(({ claimId }) => claimId).filter((id) => !replayed.has(id));
    },
  };
  const world = new SmokeWorld(stage, signal);
  const busArn = await world.findBus();
  const left = await openRun(traces, world);
  const stopBeating = keepOpen(traces, world);
  let leftover: SmokeAnswer["leftover"];
  let results: TrialResult[] = [];
  let seen: MailSeen[] = [];
  let facts: Fact[] = [];
  const underway = new Set<string>();
  try {
    if (left !== undefined) leftover = { runId: left.runId, ...(await cleanUp(left, world)) };
    const context: TrialContext = {
      plan,
      world,
      busArn,
      alarmsMs,
      since: now.getTime() - clockSkewMs,
      waiting: { most: waitMs, every: stage.isSandbox ? 300 : 5000, signal },
      progress,
      underway,
      replayed,
    };
    ({ results, seen } = await runTrials(context));
    facts = signal.aborted ? [] : await settleFacts(context, seen, replay);
  } finally {
    await stopBeating();
    const result = { trial: "cleaning up", ...(await judge(() => tidy(traces, underway, world))) };
    results.push(result);
    progress(result);
  }
  const sent = seen.filter(({ claim }) => claim.state === "sent").length;
  return { runId, results, facts, leftover, costs: costsOf(sent, world.puts) };
}

async function tidy(traces: Traces, underway: ReadonlySet<string>, world: SmokeWorld): Promise<Verdict> {
  const removed = describeRemoved(await cleanUp(traces, world));
  await closeRun(traces, underway.size > 0, world);
  return held(
    underway.size === 0
      ? `Removed: ${removed}.`
      : `Removed: ${removed}. Still under way: ${[...underway].join(", ")}; the next run removes what comes of it.`,
  );
}

const describeRemoved = ({ parked, claims }: Removed): string =>
  `${plural(parked, "parked event")} and ${plural(claims, "claim")}`;
