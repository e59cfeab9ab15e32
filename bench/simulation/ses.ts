import { type SendTemplatedEmailCommand, type SESClient } from "@aws-sdk/client-ses";
import { sesClientSettings } from "../../handler/adapters/ses";
import * as limits from "./limits";
import { type Random, sampleLatency } from "./random";
import { TokenBucket } from "./token-bucket";
import { type VirtualClock } from "./virtual-clock";

export interface Outage {
  readonly from: number;
  readonly to: number;
  readonly fault: Extract<SesFault, "unavailable" | "silence">;
}

export interface SesAccount {
  readonly ratePerSecond: number;
  /**
   * Most mails in any 24 hours.
   * @default no limit
   */
  readonly dailyQuota?: number;
  readonly outages: readonly Outage[];
  /**
   * Decides what goes wrong with a call, besides outages and limits.
   * @param call number of the call; the first is 1.
   * @param callOfEvent number of the call among those for this event; the first is 1.
   * @default nothing
   */
  readonly faultOf?: (call: number, eventId: string, callOfEvent: number) => SesFault | undefined;
}

/**
 * - `throttle`: SES refuses the call because of the send rate.
 * - `unavailable`: SES answers with status 503.
 * - `reject`: SES refuses the mail's content.
 * - `silence`: SES does not answer until the client gives up.
 */
export type SesFault = "throttle" | "unavailable" | "reject" | "silence";

const dayMs = 86_400_000;

/** SES as one account sees it, with its send rate, its daily quota and its outages. */
export class SimulatedSes {
  calls = 0;
  throttled = 0;
  private readonly bucket: TokenBucket;
  /** Times of the accepted mails. Those of the last 24 hours begin at the index `firstOfDay`. */
  private readonly accepted: number[] = [];
  private firstOfDay = 0;

  constructor(
    private readonly account: SesAccount,
    private readonly clock: VirtualClock,
    private readonly random: Random,
    private readonly mailed: (eventId: string) => void,
    /** Counts a call for the event. @returns its number; the first is 1. */
    private readonly called: (eventId: string) => number,
  ) {
    const { ratePerSecond } = account;
    this.bucket = new TokenBucket(ratePerSecond, Math.max(1, ratePerSecond * limits.ses.burstSeconds), clock.now());
  }

  /** The part of the SDK's client that the handler uses. */
  get client(): SESClient {
    return { send: (command: SendTemplatedEmailCommand) => this.send(command) } as unknown as SESClient;
  }

  private async send({ input }: SendTemplatedEmailCommand): Promise<{ MessageId: string }> {
    const eventId = input.Tags?.find(({ Name }) => Name === "eventId")?.Value ?? "";
    const callOfEvent = this.called(eventId);
    const call = ++this.calls;
    const { outages, faultOf } = this.account;
    const now = this.clock.now();
    const fault =
      outages.find(({ from, to }) => now >= from && now < to)?.fault ?? faultOf?.(call, eventId, callOfEvent);
    const failure = fault === undefined ? this.excess(now) : this.failureOf(fault);
    if (failure?.name === "TimeoutError") {
      await this.clock.wait(sesClientSettings.requestHandler.requestTimeout);
      throw failure;
    }
    // The mail counts as sent now, although the answer comes later. The ledger has to know it in between.
    if (failure === undefined) this.mailed(eventId);
    await this.clock.wait(sampleLatency(limits.ses.answer, this.random));
    if (failure !== undefined) throw failure;
    return { MessageId: `message-${call}` };
  }

  private failureOf(fault: SesFault): Error {
    switch (fault) {
      case "throttle":
        return this.throttle("Maximum sending rate exceeded.");
      case "unavailable":
        return answer("ServiceUnavailable", "Service is unavailable", 503);
      case "reject":
        return answer("MessageRejected", "The content is not acceptable.", 400);
      case "silence":
        return answer("TimeoutError", "The answer did not come in time.");
    }
  }

  /** Returns the error if one more mail would exceed the account's quota or rate. */
  private excess(now: number): Error | undefined {
    const { dailyQuota } = this.account;
    while ((this.accepted[this.firstOfDay] ?? now) <= now - dayMs) this.firstOfDay += 1;
    // SES uses the same code for the quota as for the rate
    // (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html).
    if (dailyQuota !== undefined && this.accepted.length - this.firstOfDay >= dailyQuota) {
      return this.throttle("Daily message quota exceeded.");
    }
    if (!this.bucket.take(now)) return this.throttle("Maximum sending rate exceeded.");
    if (dailyQuota !== undefined) this.accepted.push(now);
    return undefined;
  }

  private throttle(message: string): Error {
    this.throttled += 1;
    return answer("Throttling", message, 400);
  }
}

/** Makes the error that the SDK would make of SES's answer. */
function answer(name: string, message: string, httpStatusCode?: number): Error {
  return Object.assign(new Error(message), { name, $metadata: httpStatusCode === undefined ? {} : { httpStatusCode } });
}
