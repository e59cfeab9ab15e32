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
  /** Mails in any 24 hours. @default no limit */
  readonly dailyQuota?: number;
  readonly outages: readonly Outage[];
  /**
   * What goes wrong with a call besides.
   * @param call of all calls, from 1 on. @param callOfEvent of the calls for this event, from 1 on.
   * @default nothing
   */
  readonly faultOf?: (call: number, eventId: string, callOfEvent: number) => SesFault | undefined;
}

/** `unavailable`: 503. `reject`: for the mail's content. `silence`: no answer until the client gives up. */
export type SesFault = "throttle" | "unavailable" | "reject" | "silence";

const dayMs = 86_400_000;

/** SES as the account sees it: its rate, its quota and its bad hours. */
export class SimulatedSes {
  calls = 0;
  throttled = 0;
  private readonly bucket: TokenBucket;
  /** Times of the mails of the last day; the oldest at `firstOfDay`. */
  private readonly accepted: number[] = [];
  private firstOfDay = 0;

  constructor(
    private readonly account: SesAccount,
    private readonly clock: VirtualClock,
    private readonly random: Random,
    private readonly mailed: (eventId: string) => void,
    /** @returns which call it is for the event. */
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
    // Taken now, answered later: what comes in between must find it taken.
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

  /** What the account's limits have against one mail more. */
  private excess(now: number): Error | undefined {
    const { dailyQuota } = this.account;
    while ((this.accepted[this.firstOfDay] ?? now) <= now - dayMs) this.firstOfDay += 1;
    // https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html: the same code as for the rate.
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

/** An error as the SDK makes it of SES's answer. */
function answer(name: string, message: string, httpStatusCode?: number): Error {
  return Object.assign(new Error(message), { name, $metadata: httpStatusCode === undefined ? {} : { httpStatusCode } });
}
