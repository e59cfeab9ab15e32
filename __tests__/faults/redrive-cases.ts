import { allMailed, allParked, type Case, fails } from "./cases";

/** What a person does with parked events, by the command: `npm run dead-letters`. */
export const redriveCases: readonly Case[] = [
  {
    name: "parked, mended, redriven",
    slug: "redriven",
    faults: (recipient) => [{ service: "ses", kind: "reject", match: { recipient } }],
    put: (ledger) => ledger.putMany(3),
    after: async (_, system) => {
      await system.setFaults();
      await expectCommand(system.deadLetters(["--redrive", "--dry-run"]), 0, "would");
      await expectCommand(system.deadLetters(["--redrive"]), 0, "redriven");
    },
    check: allMailed,
  },
  {
    name: "redrive interrupted half-way, then run again",
    slug: "interrupted",
    faults: (recipient) => [{ service: "ses", kind: "reject", match: { recipient } }],
    put: (ledger) => ledger.putMany(6),
    after: async (_, system) => {
      // Every third event reaches the retry queue, and the command never hears of it.
      const match = { operation: "SendMessage", text: "redrives" };
      await system.setFaults([{ service: "sqs", kind: "timeout", accepts: true, every: 3, match }]);
      const hits = async () => ((await system.get("faults")) as { hits: number }[])[0]?.hits ?? 0;
      const killed = await system.deadLetters(["--redrive"], async () => (await hits()) > 0);
      if (killed.code !== null) throw new Error(`The redrive came to its end:\n${killed.output}`);
      await system.setFaults();
      await system.waitForHold();
      await expectCommand(system.deadLetters(["--redrive"]), 0, "redriven");
    },
    check: allMailed,
  },
  {
    name: "redriven in vain, again and again",
    slug: "in-vain",
    faults: (recipient) => [{ service: "ses", kind: "reject", match: { recipient } }],
    put: (ledger) => ledger.putMany(1),
    after: async (_, system) => {
      for (let redrives = 0; redrives < 3; redrives += 1) {
        await expectCommand(system.deadLetters(["--redrive"]), 0, "redriven");
        await system.quiesce();
      }
      await expectCommand(system.deadLetters(["--redrive"]), 1, "redriven 3 times");
    },
    check: allParked("MessageRejected"),
  },
  {
    name: "a mail that may be out is not redriven by the way",
    slug: "unasked",
    faults: (recipient) => [{ service: "ses", kind: "timeout", accepts: true, match: { recipient } }],
    put: (ledger) => ledger.putMany(1),
    after: async (_, system) => {
      await system.setFaults();
      await expectCommand(system.deadLetters(["--redrive"]), 1, "may be out");
    },
    check: allParked("OutcomeUnknown", true),
  },
  {
    name: "a mail that is not out is resent on a person's word",
    slug: "resent",
    faults: (recipient) => [{ service: "ses", kind: "timeout", match: { recipient } }],
    put: (ledger) => ledger.putMany(1),
    after: async (ledger, system) => {
      await system.setFaults();
      const [outcome] = await ledger.settle();
      const filter = `event=${outcome?.eventIds[0] ?? ""}`;
      await expectCommand(system.deadLetters(["--redrive", "--resend-unknown", "--filter", filter]), 0, "redriven");
    },
    check: allMailed,
  },
  {
    name: "an event that was mailed comes again, as from the archive",
    slug: "replayed",
    put: async (ledger, system) => {
      const event = await ledger.deliver(1);
      await system.quiesce();
      await ledger.invoke(2, event);
      ledger.events += 2;
    },
    check: (outcomes) => [...allMailed(outcomes), ...fails(outcomes.length === 1, "it is not one mail that is due")],
  },
];

async function expectCommand(
  running: Promise<{ readonly code: number | null; readonly output: string }>,
  code: number,
  word: string,
): Promise<void> {
  const result = await running;
  if (result.code !== code || !result.output.includes(word)) {
    throw new Error(`It ended with ${result.code ?? "a signal"}, not ${code} and "${word}":\n${result.output}`);
  }
}
