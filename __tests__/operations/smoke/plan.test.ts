import * as z from "zod";
import { catalogue } from "../../../handler/notifications";
import { defineNotification } from "../../../handler/notifications/define";
import { keyPrefix, newRunId, planSmoke, replayedMail, type SmokePlan } from "../../../operations/smoke/plan";
import { fates, isSimulator, simulatorAddress } from "../../../operations/smoke/simulator";

const now = new Date("2026-11-27T06:47:26.123Z");
const runId = newRunId(now, "86db64aa-1c3f-4c09-9d3c-000000000000");
const anybody = { mode: "unrestricted", reason: "test" } as const;

const ofDefinition = defineNotification({
  id: "fixed",
  ruleName: "fixed-rule",
  description: "Mails somebody whom the definition names",
  lane: "standard",
  trigger: { kind: "event", source: "shop", detailType: "Fixed" },
  detail: z.object({ text: z.string() }),
  recipients: () => "boss@example.com",
  subject: "Fixed",
  content: z.object({ text: z.string() }),
  map: ({ detail }) => ({ text: detail.text }),
  sample: { text: "boss@example.com" },
});

it("names a run by its time, in letters that an address and an archive's replay take", () => {
  expect(runId).toBe("20261127-064726-86db64");
  expect(simulatorAddress("suppression", `smoke-${runId}-999`).split("@")[0]?.length).toBeLessThanOrEqual(64);
  expect(() => simulatorAddress("success", "a@b")).toThrow('The label "a@b"');
});

describe("the plan of the project's own catalogue", () => {
  const plan = planSmoke(runId, catalogue, anybody, now);
  const { mails, redriven, bad } = plan;
  const all = [...mails, ...(redriven === undefined ? [] : [redriven])];

  it("has a mail for each notification and for each fate of the simulator", () => {
    expect(plan.skipped).toEqual([]);
    expect(mails.map(({ name }) => name)).toEqual([
      ...catalogue.map(({ id }) => id),
      ...Object.keys(fates).filter((fate) => fate !== "success"),
    ]);
  });

  it("mails the simulator alone, each time at another address, under keys that begin with the run", () => {
    const addresses = all.flatMap(({ notification, event }) => notification.prepare({ ...event, id: "1" }).recipients);
    expect(addresses).toEqual(all.map(({ recipient }) => recipient));
    expect(addresses.every(isSimulator)).toBe(true);
    expect(new Set(addresses).size).toBe(all.length);
    const keys = all.map(({ event }) => String(event.detail.idempotencyKey));
    expect(keys.every((key) => key.startsWith(keyPrefix(runId)))).toBe(true);
    expect(new Set(keys).size).toBe(all.length);
    expect(new Set(all.map(({ claimId }) => claimId)).size).toBe(all.length);
  });

  it("gives each event a second of its own, so that a replay of one second brings one event", () => {
    const seconds = [...all.map(({ event }) => event), ...(bad === undefined ? [] : [bad])].map(({ time }) =>
      time.slice(0, 19),
    );
    expect(new Set(seconds).size).toBe(seconds.length);
  });

  it("gives the replayed event the newest second, after all events of an earlier run, whose claims are gone", () => {
    const secondsOf = (run: SmokePlan) =>
      [
        ...run.mails,
        ...(run.redriven === undefined ? [] : [run.redriven]),
        ...(run.bad === undefined ? [] : [{ name: "bad", event: run.bad }]),
      ].map(({ name, event }) => ({ name, second: Math.floor(Date.parse(event.time) / 1000) }));
    const second = secondsOf(plan).find(({ name }) => name === replayedMail)?.second ?? 0;
    const justBefore = new Date(now.getTime() - 1000);
    const earlier = secondsOf(planSmoke(newRunId(justBefore, "other"), catalogue, anybody, justBefore));
    const others = secondsOf(plan).filter(({ name }) => name !== replayedMail);
    expect([...others, ...earlier].filter((each) => each.second >= second)).toEqual([]);
  });

  it("has a bad event that its notification refuses, under a key of the run", () => {
    const prepare = () => bad !== undefined && redriven?.notification.prepare({ ...bad, id: "1" });
    expect(prepare).toThrow(expect.objectContaining({ name: "InvalidEvent" }) as Error);
    expect(String(bad?.detail.idempotencyKey)).toMatch(new RegExp(`^${keyPrefix(runId)}`));
  });
});

it("leaves out a notification whose recipients stand in its definition, and says so", () => {
  const { mails, skipped, redriven, bad } = planSmoke(runId, [ofDefinition], anybody, now);
  expect({ mails, redriven, bad }).toEqual({ mails: [], redriven: undefined, bad: undefined });
  expect(skipped.map(({ name }) => name)).toEqual(["fixed", "bounce, complaint, suppression, duplicate, dead letters"]);
  expect(skipped[0]?.reason).toContain("does not take its recipients from its detail");
});

it("takes the first notification that it can readdress for what is not about one notification", () => {
  const { redriven } = planSmoke(runId, [ofDefinition, ...catalogue], anybody, now);
  expect(redriven?.notification.id).toBe(catalogue.find(({ trigger }) => trigger.kind === "event")?.id);
});

it("refuses to begin where the stage does not allow the simulator", () => {
  const nobody = { mode: "restricted", addresses: ["a@example.com"], domains: [] } as const;
  expect(() => planSmoke(runId, catalogue, nobody, now)).toThrow(/The stage does not allow success\+/);
});
