import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type FaultInput, type BusEvent } from "aws-emulator";
import { type Deployment, readDeployment } from "../../../bench/simulation/deployment";
import { type SesFault } from "../../../bench/simulation/ses";
import { synthesize } from "../../../bench/simulation/synthesize";
import { defaultSettings, type EventKind, simulate } from "../../../bench/simulation/world";
import { findTools } from "../../../sandbox/tools";
import { System } from "../../faults/system";

/**
 * The model is compared with the deployed system: the same events with the same faults, in the simulation and in the
 * sandbox, where real Terraform deployed the real bundle. Times are not compared; what became of each event is.
 */

jest.setTimeout(1_800_000);

/** What SES does to the calls for one event: so many of them go wrong, and the others do not. */
interface Plan {
  readonly kind: EventKind;
  readonly fault: SesFault;
  readonly calls: number;
}

/** What can be told of an event in both worlds. */
interface Facts {
  readonly mails: number;
  readonly sesCalls: number;
  readonly overRetryLane: boolean;
  readonly parked: number;
}

const recoverable = Array.from({ length: 26 }, (_, index): Plan => ({
  kind: index % 2 === 0 ? "bulk" : "alert",
  fault: "unavailable",
  calls: index % 7,
}));
const plans: readonly Plan[] = [
  ...recoverable,
  { kind: "bulk", fault: "unavailable", calls: Infinity },
  { kind: "bulk", fault: "reject", calls: Infinity },
  { kind: "alert", fault: "reject", calls: Infinity },
  { kind: "alert", fault: "silence", calls: 1 },
];

/** The sandbox has its own, shorter times; they are the same in the model for this comparison. */
const errorRetryDelaysMs = [250, 500];
const retryQueueDelayMs = 1000;

function withShortTimes(deployment: Deployment): Deployment {
  return {
    ...deployment,
    queues: deployment.queues.map((queue) =>
      queue.redrive === undefined ? queue : { ...queue, visibilityTimeoutMs: retryQueueDelayMs },
    ),
  };
}

const settings = {
  ...defaultSettings,
  errorRetryDelaysMs,
  duplicateRate: { bus: 0, asynchronousQueue: 0 },
  targetFailureRate: 0,
};

describe("the model and the sandbox", () => {
  const deployment = withShortTimes(readDeployment(synthesize("sandbox", findTools().terraform.value)));
  let system: System;

  beforeAll(async () => {
    system = await System.start();
  });
  afterAll(async () => {
    await system.setFaults();
    await system.terraform.destroy();
    await system.stop();
  });

  async function put(kinds: readonly EventKind[], addressOf: (index: number) => string): Promise<string[]> {
    const ids: string[] = [];
    for (const [index, kind] of kinds.entries()) {
      const emailConfig = { recipient: addressOf(index), subject: "Model" };
      const detail = kind === "alert" ? { emailConfig, priority: "critical" } : { emailConfig };
      const { Entries: [entry] = [] } = await system.events.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: system.busName,
              Source: "custom.application",
              DetailType: kind === "alert" ? "Priority Alert" : "Email Notification Request",
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
      ids.push(entry?.EventId ?? "");
    }
    return ids;
  }

  it("agree on mails, calls of SES, the retry lane and the dead letters of every event", async () => {
    const faultOf = (_: number, eventId: string, callOfEvent: number) => {
      const plan = plans[Number(eventId.split("-")[1]) - 1];
      return plan !== undefined && callOfEvent <= plan.calls ? plan.fault : undefined;
    };
    const outcome = await simulate(
      deployment,
      {
        account: { ratePerSecond: 1000, outages: [], faultOf },
        traffic: (raise) => {
          for (const { kind } of plans) raise(kind);
        },
      },
      1,
      settings,
    );
    const inModel = [...outcome.ledger.fates.values()].map(({ mails, attempts, queued, parked }): Facts => ({
      mails,
      sesCalls: attempts,
      overRetryLane: queued > 0,
      parked,
    }));

    const addressOf = (index: number) => `model-${index}@example.com`;
    const faults = plans.flatMap(({ fault, calls }, index): FaultInput[] =>
      calls === 0
        ? []
        : [
            {
              service: "ses",
              ...(fault === "reject"
                ? { kind: "reject" }
                : fault === "silence"
                  ? { kind: "timeout" }
                  : { kind: "error", status: 503, code: "ServiceUnavailable" }),
              match: { operation: "SendTemplatedEmail", recipient: addressOf(index) },
              ...(calls === Infinity ? {} : { times: calls }),
            },
          ],
    );
    await system.setFaults(faults);
    const ids = await put(
      plans.map(({ kind }) => kind),
      addressOf,
    );
    await system.quiesce();
    await system.collectParked();
    const hits = (await system.get("faults")) as { hits: number; match: { recipient: string } }[];
    const { sent } = await system.accepted();
    const retryLane = ((await system.get("activity")) as BusEvent[]).filter((event) => event.source === "lambda");
    const inSandbox = ids.map((id, index): Facts => {
      const mails = sent.filter(({ tags }) => tags.eventId === id).length;
      const refused = hits.find(({ match }) => match.recipient === addressOf(index))?.hits ?? 0;
      return {
        mails,
        sesCalls: mails + refused,
        overRetryLane: retryLane.some(
          ({ detail, deliveries }) =>
            (detail.requestPayload as { id?: string }).id === id &&
            deliveries.some(({ targetArn }) => targetArn.endsWith("retries")),
        ),
        parked: system.parked.filter(({ body }) => body.includes(id)).length,
      };
    });
    expect(inSandbox).toEqual(inModel);
    // The comparison would say nothing if all events fared alike.
    expect(new Set(inModel.map((facts) => JSON.stringify(facts))).size).toBeGreaterThan(7);
  });

  it("agree that throttling of every second call costs calls and no runs", async () => {
    const kinds = Array.from({ length: 10 }, (): EventKind => "bulk");
    const { ledger, ses, lanes } = await simulate(
      deployment,
      {
        account: {
          ratePerSecond: 1000,
          outages: [],
          faultOf: (call) => (call % 2 === 0 ? "throttle" : undefined),
        },
        traffic: (raise) => {
          for (const kind of kinds) raise(kind);
        },
      },
      1,
      settings,
    );
    const standard = lanes.find(({ address }) => address.includes("standard-lane"));
    const inModel = {
      mails: ledger.count(({ mails }) => mails === 1),
      throttled: ses.throttled,
      runs: standard?.fn.runs,
    };

    await system.setFaults([
      {
        service: "ses",
        kind: "throttle",
        every: 2,
        match: { operation: "SendTemplatedEmail", recipient: "throttled-*" },
      },
    ]);
    const ids: string[] = [];
    for (const [index, kind] of kinds.entries()) {
      // One by one: with many at once, chance can throttle one mail until its run's time is over.
      ids.push(...(await put([kind], () => `throttled-${index}@example.com`)));
      await system.quiesce();
    }
    const [fault] = (await system.get("faults")) as { hits: number }[];
    const { sent } = await system.accepted();
    const activity = ((await system.get("activity")) as BusEvent[]).filter(({ id }) => ids.includes(id));
    expect({
      mails: ids.filter((id) => sent.filter(({ tags }) => tags.eventId === id).length === 1).length,
      throttled: fault?.hits,
      runs: activity
        .flatMap(({ deliveries }) => deliveries)
        .flatMap(({ attempts }) => attempts)
        .filter(({ status }) => status !== "throttled").length,
    }).toEqual(inModel);
    expect(inModel).toEqual({ mails: 10, throttled: 9, runs: 10 });
  });
});
