import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { clientSettings, region, TestGateway } from "aws-emulator/testing/gateway";
import { tryAlarms } from "../../../operations/smoke/trials";
import { SmokeWorld } from "../../../operations/smoke/world";
import { type StageAccess } from "../../../operations/stage";
import { Names } from "../../../stacks/names";
import { parkedStage } from "../../support/parked";

/** moto keeps alarms and evaluates none, so that the test sets their states as CloudWatch would. */

let gateway: TestGateway;
let cloudWatch: CloudWatchClient;
beforeAll(async () => {
  gateway = await TestGateway.start();
  cloudWatch = new CloudWatchClient(clientSettings(gateway.gateway.url));
});
afterAll(async () => {
  cloudWatch.destroy();
  await gateway.stop();
});

const signal = new AbortController().signal;

/** A stage on AWS, as far as the command can tell. */
async function stageWith(...alarms: string[]) {
  const names = new Names({ projectName: gateway.name("shop"), stage: "test", region });
  await gateway.createQueue({}, names.of("dead-letters"));
  for (const alarm of alarms) {
    const about = { Namespace: "shop", MetricName: "M", Statistic: "Sum", Period: 300, EvaluationPeriods: 1 } as const;
    const condition = { Threshold: 1, ComparisonOperator: "GreaterThanOrEqualToThreshold" } as const;
    await cloudWatch.send(new PutMetricAlarmCommand({ AlarmName: names.of(alarm), ...about, ...condition }));
  }
  const stage = { ...parkedStage, names, isSandbox: false, place: "", client: clientSettings(gateway.gateway.url) };
  const world = new SmokeWorld(stage as unknown as StageAccess, signal);
  const set = async (name: string, StateValue: "OK" | "ALARM") => {
    await cloudWatch.send(new SetAlarmStateCommand({ AlarmName: names.of(name), StateValue, StateReason: "test" }));
  };
  const watch = (most: number, alarmsMs = 0, rangBefore: readonly string[] = []) =>
    tryAlarms(rangBefore, { world, alarmsMs, waiting: { most, every: 10, signal } }, "event-1");
  return { world, set, watch };
}

it("sees the alarm on errors ring", async () => {
  const { set, watch } = await stageWith("email-processing-errors");
  const verdict = watch(20_000);
  await set("email-processing-errors", "ALARM");
  expect(await verdict).toMatchObject({ status: "held" });
});

it("fails where the alarm stays silent, and names it", async () => {
  const { watch } = await stageWith("email-processing-errors");
  expect(await watch(0)).toMatchObject({
    status: "failed",
    finding: "The bad event did not ring email-processing-errors within 0 s.",
  });
});

it("sees both alarms ring and stop where a person asks for it", async () => {
  const { world, set, watch } = await stageWith("email-processing-errors", "dead-letters");
  const alarms = ["email-processing-errors", "dead-letters"];
  const before = world.ringing.bind(world);
  // The second alarm rings after the first has stopped, and all are still once both have been seen.
  let looks = 0;
  jest.spyOn(world, "ringing").mockImplementation(async (names) => {
    looks += 1;
    await set("email-processing-errors", looks === 1 ? "ALARM" : "OK");
    await set("dead-letters", looks === 2 ? "ALARM" : "OK");
    return before(names);
  });
  const verdict = await watch(0, 20_000);
  expect(verdict).toEqual({ status: "held", finding: `${alarms.join(" and ")} rang for the bad event, and stopped.` });
});

it("fails where an alarm does not stop", async () => {
  const { set, watch } = await stageWith("email-processing-errors", "dead-letters");
  await set("email-processing-errors", "ALARM");
  await set("dead-letters", "ALARM");
  expect(await watch(0, 1000)).toMatchObject({
    status: "failed",
    finding: "email-processing-errors, dead-letters did not stop within 1 s.",
  });
});

it("judges no alarm that rang before, and misses one that is not there", async () => {
  const { watch } = await stageWith();
  expect(await watch(0, 0, ["email-processing-errors"])).toMatchObject({ status: "unseen" });
  await expect(watch(0)).rejects.toThrow(/There is no alarm \S+-email-processing-errors\./);
});
