import "aws-emulator/aws-sdk-settings";
import { type Case, concurrentCases, deleteConfigurationSet, deleteTemplate, serialCases } from "./cases";
import { deployCases } from "./deploy-cases";
import { redriveCases } from "./redrive-cases";
import { Ledger, stateOf } from "./ledger";
import { System } from "./system";
import { describeTable, type Row } from "./table";

/**
 * `npm run test:faults`: breaks each hop of the applied system, and accounts for every mail that is due. At the end each
 * is mailed once, or parked with a reason; none is missing, none is out twice.
 */

/**
 * Cases that run together. Each environment of a function is a process here: with many more of them the machine gets so
 * slow that calls which no fault is for run into their time-outs.
 */
const mostAtOnce = 4;

interface Running {
  readonly test: Case;
  readonly ledger: Ledger;
  told: number;
  readonly problems: string[];
}

async function main(): Promise<void> {
  const startedAt = Date.now();
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
  const say = (text: string) => {
    console.log(`[${seconds().padStart(5)}] ${text}`);
  };
  const only = process.argv[2];
  const chosen = (cases: readonly Case[]) =>
    only === undefined ? cases : cases.filter(({ slug, name }) => slug === only || name.includes(only));

  say("Starting the sandbox: moto, the gateway, terraform apply");
  const system = await System.start();
  const finished: Running[] = [];
  const failures: string[] = [];
  try {
    const concurrent = chosen(concurrentCases);
    say("Applied. First the cases that are kept apart by their addresses, some at once");
    for (let from = 0; from < concurrent.length; from += mostAtOnce) {
      const together = concurrent.slice(from, from + mostAtOnce);
      say(together.map(({ name }) => name).join("; "));
      finished.push(...(await runTogether(system, together)));
    }
    for (const test of chosen(serialCases)) {
      say(test.name);
      finished.push(...(await runTogether(system, [test])));
    }
    if (only === undefined) {
      say("What the doctor says of what these have broken for good, and of a template and a set that are gone");
      await deleteTemplate(system, "priority-alert");
      await deleteConfigurationSet(system);
      failures.push(...(await missedByDoctor(system)));
    }
    say("terraform apply, as for every reason that says: deploy the stack again");
    await system.terraform.apply();
    for (const test of chosen([...redriveCases, ...deployCases])) {
      say(test.name);
      finished.push(...(await runTogether(system, [test])));
    }
    say("What the doctor says of the mended system");
    const { code, output } = await system.doctor();
    if (code !== 0) failures.push(`The doctor ended with ${String(code)}:\n${output}`);
    say("A second plan");
    const changes = await system.terraform.findChanges();
    if (changes !== undefined) failures.push(`The plan at the end shows changes:\n${changes}`);
    // Once more at the very end: what came late would be a second mail.
    await system.quiesce();
    const rows = await Promise.all(finished.map(toRow));
    console.log(describeTable(rows));
    failures.push(...rows.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`)));
    say("terraform destroy");
    await system.terraform.destroy();
    const leftovers = await system.leftovers();
    if (leftovers.length > 0) failures.push(`Left behind: ${leftovers.join(", ")}`);
  } finally {
    await system.stop();
  }
  say(failures.length === 0 ? "Every mail is accounted for." : "Not everything is as it has to be.");
  for (const failure of failures) console.error(`  ✘ ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

/** @returns what is broken, by the serial cases, and the doctor does not see. */
async function missedByDoctor(system: System): Promise<string[]> {
  const { code, output } = await system.doctor();
  const names = ["Sender verified", "Template priority-alert", "Configuration set"];
  const seen = names.filter((name) => new RegExp(`│ ${name} +│ fail `).test(output));
  return seen.length === names.length && code === 1
    ? []
    : [
        `The doctor ended with ${String(code)}, and fails ${seen.join(", ") || "nothing"} of ${names.join(", ")}:\n${output}`,
      ];
}

async function runTogether(system: System, cases: readonly Case[]): Promise<Running[]> {
  const running = cases.map((test): Running => ({
    test,
    ledger: new Ledger(system, test.slug),
    told: 0,
    problems: [],
  }));
  const toldBefore = await Promise.all(running.map(async ({ test, ledger }) => test.told?.(system, ledger)));
  for (const { test } of running) await test.prepare?.(system);
  await system.setFaults(cases.flatMap(({ slug, faults }) => faults?.(`${slug}-*@example.com`) ?? []));
  const each = async (problems: string[], step: () => Promise<void> | undefined) => {
    try {
      await step();
    } catch (error) {
      problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  };
  await Promise.all(running.map(({ test, ledger, problems }) => each(problems, () => test.put(ledger, system))));
  await each(running[0]?.problems ?? [], () => system.quiesce());
  if (cases.some(({ after }) => after !== undefined)) {
    await Promise.all(running.map(({ test, ledger, problems }) => each(problems, () => test.after?.(ledger, system))));
    await each(running[0]?.problems ?? [], () => system.quiesce());
  }
  await system.setFaults();
  await system.collectParked();
  await Promise.all(
    running.map(async (entry, index) => {
      entry.told = ((await entry.test.told?.(system, entry.ledger)) ?? 0) - (toldBefore[index] ?? 0);
      await each(entry.problems, async () => {
        entry.problems.push(...(await entry.test.check(await entry.ledger.settle(), system)));
      });
    }),
  );
  for (const { test, problems } of running) for (const problem of problems) console.log(`  ✘ ${test.name}: ${problem}`);
  return running;
}

async function toRow({ test, ledger, told, problems }: Running): Promise<Row> {
  const outcomes = await ledger.settle();
  let untold = told;
  const states = outcomes.map((outcome) => {
    const state = stateOf(outcome, untold > 0);
    if (state === "told") untold -= 1;
    return state;
  });
  const count = (wanted: string) => states.filter((state) => state === wanted).length;
  const reasons = new Set(outcomes.flatMap(({ reasons: all }) => all));
  const row = {
    name: test.name,
    events: ledger.events,
    due: outcomes.length,
    mailed: count("mailed"),
    parked: count("parked"),
    told: count("told"),
    lost: count("lost"),
    twice: count("twice"),
    reasons: [...reasons],
  };
  return {
    ...row,
    problems: [
      ...problems,
      ...(row.lost > 0 ? [`${row.lost} lost`] : []),
      ...(row.twice > 0 ? [`${row.twice} out twice`] : []),
      ...(count("both") > 0 ? [`${count("both")} out, and parked as if not`] : []),
      ...(row.due === 0 ? ["it put no event"] : []),
    ],
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
