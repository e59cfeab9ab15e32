import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { allMailed, type Case, fails } from "./cases";
import { type Ledger, type Outcome } from "./ledger";

/** Between two events that are put while a deployment goes on, in milliseconds. */
const intervalMs = 100;

const notifications = join("handler", "notifications");

/**
 * Deployments of a changed checkout while events come. Template, function and rule are updated one after the other, and
 * whichever pair of old and new meets in between, each event has to be mailed, or parked.
 */
export const deployCases: readonly Case[] = [
  {
    name: "a deployment adds a variable to a template",
    slug: "variable-added",
    put: (ledger, system) => underLoad(ledger, () => system.deploy(addVariable)),
    check: onlyMailed,
  },
  {
    name: "a deployment removes the variable",
    slug: "variable-removed",
    put: (ledger, system) => underLoad(ledger, () => system.deploy()),
    check: onlyMailed,
  },
  {
    name: "a deployment ends before the function is updated",
    slug: "deploy-early",
    faults: () => [
      { service: "ses", kind: "error", status: 400, code: "LimitExceeded", match: { operation: "CreateTemplate" } },
    ],
    put: async (ledger, system) => {
      await underLoad(ledger, () => expectFailure(system.deploy(addVariable)));
      await system.setFaults();
      await underLoad(ledger, () => system.deploy(addVariable));
    },
    check: onlyMailed,
  },
  {
    name: "a deployment ends behind the function's update",
    slug: "deploy-late",
    faults: () => [
      { service: "ses", kind: "error", status: 400, code: "InvalidAction", match: { operation: "DeleteTemplate" } },
    ],
    put: async (ledger, system) => {
      await underLoad(ledger, () => expectFailure(system.deploy()));
      await system.setFaults();
      await underLoad(ledger, () => system.deploy());
    },
    check: onlyMailed,
  },
  {
    name: "a deployment adds a notification",
    slug: "welcome-added",
    put: async (ledger, system) => {
      await underLoad(ledger, () => system.deploy(addNotification));
      await ledger.putMany(3, { detailType: welcome });
    },
    check: onlyMailed,
  },
  {
    name: "a deployment removes a notification whose events still come",
    slug: "welcome-removed",
    put: (ledger, system) => underLoad(ledger, () => system.deploy(), { detailType: welcome }),
    // Behind the rule's end nobody takes such an event, and it is counted.
    told: (system) => system.unrouted(),
    check: (outcomes) =>
      outcomes.flatMap(({ mails, unrendered, eventIds }) => [
        ...fails(unrendered.length === 0, `${eventIds.join()} was not rendered`),
        ...fails(mails.length <= 1, `${eventIds.join()}: ${mails.length} mails`),
      ]),
  },
];

/** Puts events until the deployment is over, and a second longer. */
async function underLoad(
  ledger: Ledger,
  deploy: () => Promise<void>,
  options: { readonly detailType?: string } = {},
): Promise<void> {
  const over = new AbortController();
  const deployed = deploy().finally(() => {
    over.abort();
  });
  // One that fails does so while events are still put: it is awaited behind them.
  deployed.catch(() => undefined);
  const puts: Promise<unknown>[] = [];
  for (let after = 0; after < 10; after += over.signal.aborted ? 1 : 0) {
    puts.push(ledger.put(options));
    await setTimeout(intervalMs);
  }
  await deployed;
  await Promise.all(puts);
}

/** One that succeeds would prove nothing. */
async function expectFailure(deployment: Promise<void>): Promise<void> {
  const error = await deployment.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error === undefined) throw new Error("The deployment went through, and was to fail half-way.");
}

function onlyMailed(outcomes: readonly Outcome[]): string[] {
  return [
    ...allMailed(outcomes),
    ...outcomes.flatMap(({ unrendered, eventIds }) =>
      fails(unrendered.length === 0, `${eventIds.join()} was not rendered`),
    ),
  ];
}

function addVariable(checkout: string): void {
  const folder = join(checkout, notifications, "email-request");
  edit(join(folder, "index.ts"), [
    ["import { defineNotification }", 'import * as z from "zod/mini";\nimport { defineNotification }'],
    ["content: messageContentSchema,", "content: z.extend(messageContentSchema, { surname: z.string() }),"],
    ["map: mapMessage,", 'map: (event) => ({ ...mapMessage(event), surname: "Doe" }),'],
  ]);
  edit(join(folder, "body.mjml"), [["{{title}}", "{{title}} {{surname}}"]]);
}

const welcome = "Customer Registered";

function addNotification(checkout: string): void {
  const folder = join(checkout, notifications, "welcome");
  mkdirSync(folder);
  for (const file of ["body.mjml", "body.txt"]) {
    writeFileSync(join(folder, file), readFileSync(join(checkout, notifications, "email-request", file)));
  }
  const source = join(checkout, notifications, "email-request", "index.ts");
  writeFileSync(join(folder, "index.ts"), readFileSync(source));
  edit(join(folder, "index.ts"), [
    ["emailRequest", "welcome"],
    ['id: "email-request"', 'id: "welcome"'],
    ['ruleName: "email-rule"', 'ruleName: "welcome-rule"'],
    ["Email Notification Request", welcome],
  ]);
  edit(join(checkout, notifications, "index.ts"), [
    ["import { seedCatalogue }", 'import { welcome } from "./welcome";\nimport { seedCatalogue }'],
    ["  ...seedCatalogue,", "  ...seedCatalogue,\n  welcome,"],
  ]);
}

/** @throws Error where a text is not there: the case would deploy what is deployed already. */
function edit(file: string, changes: readonly (readonly [from: string, to: string])[]): void {
  let text = readFileSync(file, "utf8");
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${file} does not hold "${from}": the fault suite's edit does not fit.`);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
}
