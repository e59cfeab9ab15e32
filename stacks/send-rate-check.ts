import { longestSendMs, secondsPerSend } from "../handler/pacer";
import { lanes } from "./lanes";
import { laneBudgets, leastConcurrency } from "./send-budget";
import { type SettingProblem } from "./stage-check";
import { defaultQuotas, type StageSettings } from "./stages";

/** The most that an account in the SES sandbox sends in a second (https://docs.aws.amazon.com/ses/latest/dg/quotas.html). */
const mostRateInSesSandbox = 1;

/**
 * How many of an account's runs at once can't be reserved
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).
 */
const unreservedExecutions = 100;

/** The settings that `sendRateProblems` reads. */
export const limitingSettings = [
  "concurrency",
  "quotas",
  "region",
  "reserveConcurrency",
  "sendRatePerSecond",
  "sesSandbox",
  "timeoutSeconds",
] as const satisfies readonly (keyof StageSettings)[];

/**
 * Sentences on the lanes that mail slower than a person expects of the send rate. `sendRateProblems` refuses what can't
 * work at all.
 */
export function sendRateWarnings({
  stage,
  concurrency,
  ...settings
}: Pick<StageSettings, "concurrency" | "sendRatePerSecond" | "timeoutSeconds"> & { readonly stage: string }): string[] {
  const budgets = laneBudgets({ ...settings, ...(concurrency === undefined ? {} : { concurrency }) });
  const needed = laneBudgets(settings);
  return lanes.flatMap((lane) => {
    const { ratePerSecond, concurrency: runs } = budgets[lane];
    const reached = runs / secondsPerSend;
    if (reached >= ratePerSecond) return [];
    return [
      `stacks/stages.ts: ${stage}.concurrency.${lane}=${runs} lowers the lane's send rate: ${round(ratePerSecond)} mails a second need ${needed[lane].concurrency} runs at once, at ${secondsPerSend} s for a mail, and ${runs} send about ${round(reached)}. Use ${needed[lane].concurrency}, or leave it out, unless that is meant.`,
    ];
  });
}

const round = (rate: number) => Number(rate.toPrecision(3));

/** Checks the send rate and the concurrency against the settings that limit it. */
export function sendRateProblems(
  stage: string,
  settings: Pick<StageSettings, (typeof limitingSettings)[number]>,
): SettingProblem[] {
  const { sendRatePerSecond: rate, sesSandbox, reserveConcurrency, concurrency = {}, quotas, region = "" } = settings;
  const path = ["sendRatePerSecond"];
  // No mail of the stage `sandbox` leaves the machine.
  if (sesSandbox && stage !== "sandbox" && rate > mostRateInSesSandbox) {
    const message = `is more than SES lets an account in the SES sandbox send: use ${mostRateInSesSandbox}, or sesSandbox: false once the account is out of it`;
    return [{ path, message }];
  }
  const { concurrentExecutions: quota } = { ...defaultQuotas(region), ...quotas };
  const most = reserveConcurrency ? Math.max(0, quota - unreservedExecutions) : quota;
  const budgets = laneBudgets(settings);
  const tooMany = lanes.flatMap((lane): SettingProblem[] => {
    const chosen = concurrency[lane];
    const { sendRates, timeoutSeconds } = budgets[lane];
    if (chosen === undefined) return [];
    const path = ["concurrency", lane];
    if (!reserveConcurrency) {
      return [
        {
          path,
          message:
            "is not kept without a reservation: write reserveConcurrency: true, or leave the lane's concurrency out",
        },
      ];
    }
    // How long a run can wait for its turn, and still send.
    const longestWait = timeoutSeconds - longestSendMs / 1000;
    const least = sendRates.leastPerSecond * chosen;
    const fitting = Math.max(leastConcurrency, Math.floor(least * longestWait));
    if (chosen <= fitting) return [];
    const message = `is too much for ${round(rate)} mails a second: each run may have to wait ${round(chosen / least)} s between two mails, and has ${round(longestWait)} s for it before its time-out: use ${fitting} at most, or raise sendRatePerSecond or timeoutSeconds`;
    return [{ path, message }];
  });
  if (tooMany.length > 0) return tooMany;
  const needed = Object.values(budgets).reduce((sum, each) => sum + each.concurrency, 0);
  if (needed <= most) return [];
  if (reserveConcurrency && lanes.length * leastConcurrency > most) {
    const message = `needs ${needed} runs of the functions at once, and Lambda lets the stage reserve ${most} of the account's ${quota}: write reserveConcurrency: false, or ask AWS for more (Service Quotas, Lambda, Concurrent executions) and name it as quotas.concurrentExecutions`;
    return [{ path, message }];
  }
  const less = Object.keys(concurrency).length === 0 ? "use a smaller rate" : "use a smaller rate or concurrency";
  const message = `needs ${needed} runs of the functions at once, and Lambda lets the stage have ${most} of the account's ${quota}: ${less}, or ask AWS for more (Service Quotas, Lambda, Concurrent executions) and name it as quotas.concurrentExecutions`;
  return [{ path, message }];
}
