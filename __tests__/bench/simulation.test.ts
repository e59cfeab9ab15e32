import { type ClaimStore } from "../../handler/claims";
import { type Deployment, readDeployment } from "../../bench/simulation/deployment";
import { isDuplicate, isLost, isParked, Ledger } from "../../bench/simulation/ledger";
import { plot } from "../../bench/simulation/plot";
import { type NamedScenario } from "../../bench/simulation/scenarios";
import { type SesAccount } from "../../bench/simulation/ses";
import { problemsOf, summarize } from "../../bench/simulation/summary";
import { synthesize } from "../../bench/simulation/synthesize";
import { variants } from "../../bench/simulation/variants";
import { defaultSettings, midnight, type ModelSettings, simulate } from "../../bench/simulation/world";
import { standInTerraform } from "../support/stand-in-terraform";

/** The whole model, driven by the synthesized stack, on small loads. */

const second = 1000;
const minute = 60 * second;
const stack = synthesize("prod", standInTerraform()) as {
  resource: Record<string, Record<string, Record<string, unknown>>>;
};
const deployment = readDeployment(stack);
const priority = deployment.functions.find(({ address }) => address.includes("priority-lane"));

/** The account's send rate, in mails a second: that of prod. */
const ratePerSecond = 14;

function scenarioOf(account: Partial<SesAccount> = {}, bulk = 300, alerts = 30, bulkEveryMs = 100): NamedScenario {
  return {
    id: "small",
    title: "small",
    account: { ratePerSecond, outages: [], ...account },
    traffic: (raise, clock) => {
      for (let index = 0; index < bulk; index += 1) {
        clock.after(index * bulkEveryMs, () => {
          raise("bulk");
        });
      }
      for (let index = 0; index < alerts; index += 1) {
        clock.after(index * 10 * second, () => {
          raise("alert");
        });
      }
    },
    loadedAt: minute,
    mayPark: false,
  };
}

const run = (scenario: NamedScenario, seed = 1, settings: Partial<ModelSettings> = {}, on: Deployment = deployment) =>
  simulate(on, scenario, seed, { ...defaultSettings, ...settings });

const often = { bus: 0.3, asynchronousQueue: 0.3 };

describe("the deployment", () => {
  it("is what the synthesized stack says", () => {
    const lambda = Object.values(stack.resource.aws_lambda_function ?? {});
    expect(deployment.functions.map(({ reservedConcurrency }) => reservedConcurrency)).toEqual(
      lambda.map(({ reserved_concurrent_executions: reserved }) => reserved),
    );
    expect(deployment.functions.map(({ timeoutMs }) => timeoutMs)).toEqual(
      lambda.map(({ timeout }) => Number(timeout) * 1000),
    );
    for (const fn of deployment.functions) {
      const queue = deployment.queues.find(({ address }) => address === fn.source.queue);
      expect(queue?.redrive?.deadLetterQueue).toBe(fn.deadLetterQueue);
      expect(queue?.visibilityTimeoutMs).toBeGreaterThan(6 * fn.timeoutMs);
    }
  });

  it("follows a change of the stack", () => {
    const changed = structuredClone(stack);
    for (const configuration of Object.values(changed.resource.aws_lambda_function_event_invoke_config ?? {})) {
      configuration.maximum_retry_attempts = 0;
    }
    expect(readDeployment(changed).functions.map(({ asynchronous }) => asynchronous.retries)).toEqual([0, 0]);
  });

  it("refuses a stack whose function keeps no send rate", () => {
    const changed = structuredClone(stack);
    for (const fn of Object.values(changed.resource.aws_lambda_function ?? {})) {
      delete fn.reserved_concurrent_executions;
    }
    expect(() => readDeployment(changed)).toThrow(/reserves no concurrency/);
  });
});

describe("a simulation", () => {
  it("mails every event once, however often it is delivered", async () => {
    const { ledger, duplicatesPrevented } = await run(scenarioOf(), 1, { duplicateRate: often });
    expect(ledger.fates.size).toBe(330);
    expect([...ledger.fates.values()].every(({ mails }) => mails === 1)).toBe(true);
    expect(duplicatesPrevented).toBeGreaterThan(50);
  });

  it("counts second mails where the claims fail", async () => {
    const forgetful = (...[clock, retention, latency]: Parameters<ModelSettings["createClaimTable"]>): ClaimStore => {
      const table = defaultSettings.createClaimTable(clock, retention, latency);
      return { ...table, claim: (request) => table.claim({ ...request, id: `${request.id}-${clock.now()}` }) };
    };
    const scenario = scenarioOf();
    const outcome = await run(scenario, 1, { duplicateRate: often, createClaimTable: forgetful });
    expect(outcome.ledger.count(isDuplicate)).toBeGreaterThan(50);
    expect(problemsOf(summarize(scenario, outcome)).join()).toMatch(/small: \d+ events mailed twice/);
  });

  it("counts as lost what goes nowhere", async () => {
    const deaf = {
      ...deployment,
      rules: deployment.rules.filter(({ address }) => !address.includes("email-rule")),
    };
    const scenario = scenarioOf();
    const outcome = await run(scenario, 1, {}, deaf);
    expect(outcome.ledger.count(isLost)).toBe(300);
    expect(problemsOf(summarize(scenario, outcome))).toEqual([
      "small: 300 events lost",
      "small: 300 events that no rule takes",
    ]);
  });

  it("is the same for the same seed, to the last digit of the plot", async () => {
    const scenario = scenarioOf();
    const play = async (seed: number) => summarize(scenario, await run(scenario, seed, { duplicateRate: often }));
    const [first, again, other] = [await play(5), await play(5), await play(6)];
    expect(again).toEqual(first);
    expect(plot([again])).toBe(plot([first]));
    expect(other.alerts).not.toEqual(first.alerts);
  });

  it("keeps a burst near the account's rate: SES throttles few calls", async () => {
    const { ses, ledger } = await run(scenarioOf({}, 1000, 30, 20));
    expect(ses.throttled).toBeLessThan(ses.calls / 20);
    // Later, Lambda's own queue makes the last events wait.
    const inFirstMinute = [...ledger.fates.values()].filter(({ mailedAt }) => mailedAt < midnight + minute);
    expect(inFirstMinute.length / 60).toBeGreaterThan(0.8 * ratePerSecond);
  });

  it("brings what an outage stopped over the retry lane, and mails it afterwards", async () => {
    const to = midnight + 20 * minute;
    const { ledger } = await run(scenarioOf({ outages: [{ from: midnight, to, fault: "unavailable" }] }));
    const fates = [...ledger.fates.values()];
    expect(fates.every(({ mails, mailedAt, queued }) => mails === 1 && mailedAt >= to && queued >= 1)).toBe(true);
    const { visibilityTimeoutMs = 0 } =
      deployment.queues.find(({ address }) => address === priority?.source.queue) ?? {};
    const alerts = fates.filter(({ kind }) => kind === "alert").map(({ mailedAt }) => mailedAt - to);
    expect(Math.max(...alerts)).toBeLessThan(visibilityTimeoutMs + minute);
  });

  it("parks, and does not lose, what SES never takes and what it refuses", async () => {
    const faultOf = (_: number, eventId: string) => (eventId.startsWith("alert") ? "reject" : undefined);
    const refused = await run(scenarioOf({ faultOf }, 20, 10));
    expect(refused.ledger.count(isParked)).toBe(10);
    const outages = [{ from: midnight, to: Infinity, fault: "unavailable" } as const];
    const never = await run(scenarioOf({ outages }, 20, 10));
    expect(never.ledger.count(isParked)).toBe(30);
    expect(never.ledger.count(isLost)).toBe(0);
  });

  it("parks what SES never answered about, and does not send it again", async () => {
    const { ledger, ses } = await run(scenarioOf({ faultOf: () => "silence" }, 10, 5));
    expect(ledger.count(isParked)).toBe(15);
    expect(ses.calls).toBe(15);
  });

  it.each(variants)("loses nothing with the change $id", async ({ apply }) => {
    const outages = [{ from: midnight + 10 * second, to: midnight + 15 * minute, fault: "unavailable" } as const];
    const { ledger } = await run(scenarioOf({ outages }), 1, {}, apply(deployment));
    expect([...ledger.fates.values()].every(({ mails }) => mails === 1)).toBe(true);
  });
});

describe("the ledger", () => {
  it("tells lost, parked and duplicate apart", () => {
    const ledger = new Ledger();
    for (const id of ["lost", "parked", "mailed", "twice", "late"]) ledger.raised(id, "bulk", 0);
    ledger.parked("parked", 1);
    ledger.mailed("mailed", 2);
    ledger.mailed("twice", 3);
    ledger.mailed("twice", 4);
    ledger.parked("late", 5);
    ledger.mailed("late", 6);
    expect([isLost, isParked, isDuplicate].map((is) => ledger.count(is))).toEqual([1, 1, 1]);
    expect(ledger.waiting("bulk")).toBe(1);
    expect(() => {
      ledger.mailed("unknown", 7);
    }).toThrow("unknown");
  });
});
