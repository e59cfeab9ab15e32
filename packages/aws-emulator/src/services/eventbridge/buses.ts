import { type Target } from "@aws-sdk/client-eventbridge";
import { type Background } from "../../gateway/background";
import { sendToQueue, serviceOf } from "../../gateway/destinations";
import { type BusEvent, type Delivery, type Envelope, eventTime, type Journal, newId } from "../../gateway/journal";
import { type BusDestination } from "../lambda/async-invocations";
import { parseFunctionName } from "../lambda/function";
import { type Moto } from "../../gateway/moto";
import { Archives } from "./archives";
import { BusPolicies } from "./bus-policies";
import { busNameOf, type Rules, type RuleWithTargets } from "./rules";
import { TargetError, type TargetSender } from "./target-sender";
import { inputFor, InvalidInput } from "./target-input";

export type FireResult =
  | { readonly eventId: string }
  | { readonly problem: "unknown"; readonly scheduled: readonly string[] }
  | { readonly problem: "disabled" | "not scheduled" };

export interface NewEvent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources?: readonly string[];
  readonly time?: Date;
}

/** EventBridge's defaults for a target without a retry policy. */
const defaultRetries = 185;
const defaultAgeSeconds = 86_400;

export interface BusesDependencies {
  readonly region: string;
  readonly accountId: string;
  readonly retryDelaysMs: readonly number[];
  readonly moto: Moto;
  readonly rules: Rules;
  readonly sender: () => TargetSender;
  readonly journal: Journal;
  readonly background: Background;
}

/** Takes events, matches the rules of the bus, and delivers to their targets until they took it or it is given up. */
export class Buses implements BusDestination {
  readonly rules: Rules;
  readonly archives: Archives;
  readonly policies: BusPolicies;
  /** The identity of callers that are no function of ours. The emulator knows no other user. */
  readonly callerArn: string;
  /** Rule name to the minute, since 1970, of its last occurrence. */
  private readonly lastOccurrences = new Map<string, number>();

  constructor(private readonly dependencies: BusesDependencies) {
    const { region, accountId, rules, background, journal } = dependencies;
    this.rules = rules;
    this.callerArn = `arn:aws:iam::${accountId}:user/sandbox`;
    this.policies = new BusPolicies((bus) => this.arnOf(bus));
    this.archives = new Archives({
      replayArn: (name) => `arn:aws:events:${region}:${accountId}:replay/${name}`,
      rules,
      background,
      publish: (bus, event, ruleArns) => {
        this.publish(bus, event, ruleArns);
      },
      note: (text) => {
        journal.note(text);
      },
    });
  }

  arnOf(bus: string): string {
    return `arn:aws:events:${this.dependencies.region}:${this.dependencies.accountId}:event-bus/${bus}`;
  }

  envelope({ source, detailType, detail, resources = [], time = new Date() }: NewEvent): Envelope {
    return {
      version: "0",
      id: newId(),
      "detail-type": detailType,
      source,
      account: this.dependencies.accountId,
      time: eventTime(time),
      region: this.dependencies.region,
      resources,
      detail: detail as Record<string, unknown>,
    };
  }

  /**
   * Takes the event at once; delivering goes on after that.
   * @param ruleArns the rules that may have it; missing: all of the bus
   */
  publish(bus: string, event: Envelope, ruleArns?: readonly string[]): void {
    const record = this.dependencies.journal.addEvent(bus, event);
    this.archives.record(bus, event);
    this.dependencies.background.run(() => this.route(bus, event, record, ruleArns));
  }

  /** @throws where the bus's policy denies it to the role */
  putOnBus(busArn: string, event: NewEvent, roleArn: string): void {
    const bus = busNameOf(busArn);
    if (this.policies.denies(bus, roleArn)) {
      throw new Error(`the policy of ${busArn} denies events:PutEvents to ${roleArn}.`);
    }
    this.publish(bus, this.envelope(event));
  }

  /**
   * Fires a schedule, because none fires by the clock here. A schedule has at most one occurrence a minute, so a second
   * firing within a minute is that of the next one.
   */
  async fire(ruleName: string): Promise<FireResult> {
    const rules = (await this.rules.of("default")) ?? [];
    const rule = rules.find(({ Name }) => Name === ruleName);
    if (rule === undefined) {
      const scheduled = rules.filter(({ ScheduleExpression }) => ScheduleExpression !== undefined);
      return { problem: "unknown", scheduled: scheduled.map(({ Name }) => Name ?? "") };
    }
    if (rule.ScheduleExpression === undefined) return { problem: "not scheduled" };
    if (rule.State === "DISABLED") return { problem: "disabled" };
    const event = this.envelope({
      source: "aws.events",
      detailType: "Scheduled Event",
      detail: {},
      resources: [rule.Arn ?? ""],
      time: this.nextOccurrence(ruleName),
    });
    const record = this.dependencies.journal.addEvent("default", event);
    this.archives.record("default", event);
    const withTargets = await this.rules.withTargets("default", rule);
    this.deliverAll("default", event, record, [withTargets]);
    return { eventId: event.id };
  }

  private nextOccurrence(ruleName: string): Date {
    const minute = Math.max(Math.floor(Date.now() / 60_000), (this.lastOccurrences.get(ruleName) ?? 0) + 1);
    this.lastOccurrences.set(ruleName, minute);
    return new Date(minute * 60_000);
  }

  private async route(
    bus: string,
    event: Envelope,
    record: BusEvent,
    ruleArns: readonly string[] | undefined,
  ): Promise<void> {
    const matching = await this.rules.matching(bus, event);
    const rules = matching?.filter(({ arn }) => ruleArns?.includes(arn) ?? true);
    if (rules === undefined) {
      // https://github.com/aws/aws-cli/issues/9186
      record.notes.push(
        `There is no event bus "${bus}". EventBridge answers such a call with success, and drops the event.`,
      );
      this.dependencies.journal.changed(record);
      return;
    }
    if (matching?.length === 0) {
      const nearest = await this.rules.nearest(bus, event);
      if (nearest !== undefined) record.nearest = nearest;
      this.dependencies.journal.changed(record);
    }
    this.deliverAll(bus, event, record, rules);
  }

  private deliverAll(bus: string, event: Envelope, record: BusEvent, rules: readonly RuleWithTargets[]): void {
    for (const rule of rules) {
      for (const target of rule.targets)
        this.dependencies.background.run(() => this.deliver(bus, event, record, rule, target));
    }
  }

  private async deliver(
    bus: string,
    event: Envelope,
    record: BusEvent,
    rule: RuleWithTargets,
    target: Target,
  ): Promise<void> {
    const arn = target.Arn ?? "";
    const kind = serviceOf(arn);
    const ingestedAt = new Date();
    const delivery = this.dependencies.journal.addDelivery(record, {
      rule: rule.name,
      bus,
      targetId: target.Id ?? "",
      targetArn: arn,
      kind,
      ...(kind === "lambda" ? { functionName: parseFunctionName(arn).name } : {}),
    });
    const context = { ruleArn: rule.arn, ruleName: rule.name, ingestedAt };
    let input: string;
    try {
      input = inputFor(target, event, context);
    } catch (cause) {
      if (!(cause instanceof InvalidInput)) throw cause;
      const error = new TargetError("INVALID_JSON", cause.message, false, { cause });
      this.addFailedAttempt(delivery, error);
      await this.giveUp(rule, target, delivery, JSON.stringify(event), error, 0, undefined);
      return;
    }
    const retries = target.RetryPolicy?.MaximumRetryAttempts ?? defaultRetries;
    const ageMs = (target.RetryPolicy?.MaximumEventAgeInSeconds ?? defaultAgeSeconds) * 1000;
    for (let attempts = 0; ; attempts += 1) {
      const error = await this.sendOnce({ rule, target, event, input, delivery });
      if (error === undefined) return;
      const exhausted =
        attempts >= retries
          ? "MaximumRetryAttempts"
          : Date.now() - ingestedAt.getTime() > ageMs
            ? "MaximumEventAgeInSeconds"
            : undefined;
      if (!error.isRetryable || exhausted !== undefined) {
        await this.giveUp(rule, target, delivery, input, error, attempts, error.isRetryable ? exhausted : undefined);
        return;
      }
      await this.waitForRetry(delivery, attempts);
    }
  }

  private async sendOnce(sending: Parameters<TargetSender["send"]>[0]): Promise<TargetError | undefined> {
    const { delivery, target } = sending;
    const startedAt = new Date().toISOString();
    try {
      const result = await this.dependencies.sender().send(sending);
      if (result === "accepted") return undefined;
      const attempt = this.dependencies.journal.startAttempt(delivery);
      delivery.status = "delivered";
      if (result === "not emulated") {
        this.dependencies.journal.note(
          `A target of the kind ${delivery.kind} is not emulated: ${target.Arn ?? ""} got nothing.`,
        );
      }
      this.dependencies.journal.endAttempt(delivery, attempt, { status: "success" });
      return undefined;
    } catch (cause) {
      const error = cause instanceof TargetError ? cause : new TargetError("ERROR_FROM_TARGET", String(cause), true);
      this.addFailedAttempt(delivery, error, startedAt);
      return error;
    }
  }

  private addFailedAttempt(delivery: Delivery, error: TargetError, startedAt = new Date().toISOString()): void {
    const attempt = { number: delivery.attempts.length + 1, startedAt };
    delivery.attempts.push(attempt);
    this.dependencies.journal.endAttempt(delivery, attempt, {
      status: "error",
      errorType: error.code,
      errorMessage: error.message,
    });
  }

  private async waitForRetry(delivery: Delivery, attempts: number): Promise<void> {
    const { retryDelaysMs } = this.dependencies;
    const ms = retryDelaysMs[attempts] ?? retryDelaysMs.at(-1) ?? 0;
    const last = delivery.attempts.at(-1);
    if (last !== undefined) last.nextRetryInMs = ms;
    delivery.status = "retrying";
    this.dependencies.journal.changed(delivery);
    await this.dependencies.background.sleep(ms);
  }

  /** Sends the event to the target's dead-letter queue; without one it is lost, as on AWS. */
  private async giveUp(
    rule: RuleWithTargets,
    target: Target,
    delivery: Delivery,
    input: string,
    error: TargetError,
    retries: number,
    exhausted: string | undefined,
  ): Promise<void> {
    const queueArn = target.DeadLetterConfig?.Arn;
    delivery.status = "failed";
    if (queueArn !== undefined) {
      try {
        await this.dependencies.sender().checkQueue(queueArn, rule.arn);
        await sendToQueue(this.dependencies.moto, queueArn, input, {
          attributes: {
            RULE_ARN: rule.arn,
            TARGET_ARN: target.Arn ?? "",
            ERROR_CODE: error.code,
            ERROR_MESSAGE: error.message,
            ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: exhausted }),
            RETRY_ATTEMPTS: String(retries),
          },
        });
        delivery.deadLetter = { destinationArn: queueArn, reason: `${error.code}: ${error.message}` };
      } catch (cause) {
        // AWS tells of it in this metric only.
        this.dependencies.journal.countUndeliverable(rule.name);
        this.dependencies.journal.note(
          `An event of the rule ${rule.name} was dropped: ${cause instanceof Error ? cause.message : String(cause)}`,
        );
      }
    }
    this.dependencies.journal.changed(delivery);
  }
}
