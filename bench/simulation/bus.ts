import { compilePattern } from "aws-emulator/eventbridge";
import { type RuleDeployment, type TargetDeployment } from "./deployment";
import * as limits from "./limits";
import { type Random, sampleLatency } from "./random";
import { type VirtualClock } from "./virtual-clock";

export interface BusEvent {
  readonly id: string;
  readonly source: string;
  readonly "detail-type": string;
  readonly time: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface BusSettings {
  readonly duplicateRate: number;
  readonly targetFailureRate: number;
}

/** All buses of EventBridge: the deployed rules with their targets, retries and dead letters. See limits.ts. */
export class Bus {
  /** Number of events that no rule took. On AWS, such an event is lost. */
  unmatched = 0;
  targetRetries = 0;
  private readonly rules: readonly { matches: (event: unknown) => boolean; rule: RuleDeployment }[];

  constructor(
    private readonly clock: VirtualClock,
    rules: readonly RuleDeployment[],
    private readonly settings: BusSettings,
    private readonly random: Random,
    private readonly deliver: (target: TargetDeployment, event: BusEvent) => void,
    private readonly park: (queue: string, event: BusEvent) => void,
  ) {
    this.rules = rules.map((rule) => ({ matches: compilePattern(rule.pattern), rule }));
  }

  /** @param bus address of the bus that the event is put on. */
  put(bus: string, event: BusEvent): void {
    const matching = this.rules.filter(({ rule, matches }) => rule.bus === bus && matches(event));
    if (matching.length === 0) this.unmatched += 1;
    for (const { rule } of matching) {
      const copies = this.random() < this.settings.duplicateRate ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        for (const target of rule.targets) {
          this.clock.after(sampleLatency(limits.eventBridge.delivery, this.random), () => {
            this.attempt(target, event, this.clock.now(), 0);
          });
        }
      }
    }
  }

  private attempt(target: TargetDeployment, event: BusEvent, since: number, retries: number): void {
    if (this.random() >= this.settings.targetFailureRate) {
      this.deliver(target, event);
      return;
    }
    const { firstMs, longestMs } = limits.eventBridge.retryBackoff;
    const wait = Math.min(firstMs * 2 ** retries, longestMs) * (0.5 + 0.5 * this.random());
    if (retries >= target.retries || this.clock.now() + wait - since > target.maximumAgeMs) {
      this.park(target.deadLetterQueue, event);
      return;
    }
    this.targetRetries += 1;
    this.clock.after(wait, () => {
      this.attempt(target, event, since, retries + 1);
    });
  }
}
