/** What became of one event. Times are in milliseconds since 1970. */
export interface Fate {
  readonly kind: string;
  readonly raisedAt: number;
  mails: number;
  /** Time of the first mail; `NaN` without one. */
  mailedAt: number;
  parked: number;
  parkedAt: number;
  /** Number of calls of SES for the event. */
  attempts: number;
  /** How often the event came into a retry queue. */
  queued: number;
}

export class Ledger {
  readonly fates = new Map<string, Fate>();
  private readonly unsettled = new Map<string, number>();

  raised(eventId: string, kind: string, at: number): void {
    this.fates.set(eventId, {
      kind,
      raisedAt: at,
      mails: 0,
      mailedAt: Number.NaN,
      parked: 0,
      parkedAt: Number.NaN,
      attempts: 0,
      queued: 0,
    });
    this.unsettled.set(kind, this.waiting(kind) + 1);
  }

  /** Number of events of a kind that are neither mailed nor parked yet. */
  waiting(kind: string): number {
    return this.unsettled.get(kind) ?? 0;
  }

  of(eventId: string): Fate {
    const fate = this.fates.get(eventId);
    if (fate === undefined) throw new Error(`Nobody raised the event ${eventId}.`);
    return fate;
  }

  mailed(eventId: string, at: number): void {
    const fate = this.of(eventId);
    if (fate.mails === 0) fate.mailedAt = at;
    if (fate.mails === 0 && fate.parked === 0) this.settle(fate);
    fate.mails += 1;
  }

  parked(eventId: string, at: number): void {
    const fate = this.of(eventId);
    if (fate.parked === 0) fate.parkedAt = at;
    if (fate.mails === 0 && fate.parked === 0) this.settle(fate);
    fate.parked += 1;
  }

  private settle({ kind }: Fate): void {
    this.unsettled.set(kind, this.waiting(kind) - 1);
  }

  count(belongs: (fate: Fate) => boolean): number {
    let count = 0;
    for (const fate of this.fates.values()) if (belongs(fate)) count += 1;
    return count;
  }
}

/** Whether the event is in the dead-letter queue and was not mailed. */
export const isParked = ({ mails, parked }: Fate): boolean => mails === 0 && parked > 0;

/** Whether the event was neither mailed nor parked, although the simulation is over. */
export const isLost = ({ mails, parked }: Fate): boolean => mails === 0 && parked === 0;

export const isDuplicate = ({ mails }: Fate): boolean => mails > 1;

/**
 * @param share from 0 to 1. @returns the value that this share of the values does not exceed; `NaN` for an empty list.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
