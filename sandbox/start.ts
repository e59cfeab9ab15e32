import "aws-emulator/aws-sdk-settings";
import { onInterrupt } from "./interrupts";
import { type Options, parseOptions } from "./options";
import { sandboxSettings, type SandboxSettings } from "./settings";
import { Steps, Stopped } from "./steps";
import { Sandbox } from "./system";
import { deliveredLines, usage } from "./usage";

/** `npm start`: the whole system on this machine. Exit codes: 0 all is well; 1 something failed; 2 used wrongly. */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if ("exitCode" in options) {
    (options.exitCode === 0 ? console.log : console.error)(options.text);
    return options.exitCode;
  }
  let settings: SandboxSettings;
  try {
    settings = sandboxSettings();
  } catch (error) {
    console.error(messageOf(error));
    return 2;
  }
  const problems = await run(options, settings);
  if (problems.length > 0) console.error(`\n${problems.join("\n\n")}`);
  return problems.length > 0 ? 1 : 0;
}

/** @returns what failed, on the way up and on the way down. */
async function run({ once: isOnce }: Options, settings: SandboxSettings): Promise<string[]> {
  const stopping = new AbortController();
  const stopped = new Promise((resolve) => {
    stopping.signal.addEventListener("abort", resolve);
  });
  const steps = new Steps({ stopping: stopping.signal });
  // Once the terminal is closed, printing fails. What was made is destroyed all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  onInterrupt(process, (count) => {
    if (count === 1) steps.say("Stopping: what was made is destroyed first.");
    else steps.say(`Still waiting for ${steps.underWay}. To end without it: kill -KILL ${process.pid}`);
    stopping.abort();
  });

  const problems: string[] = [];
  const sandbox = new Sandbox({ settings, steps, stopping: stopping.signal });
  try {
    const running = await sandbox.up();
    const { environmentFile, samples } = running;
    for (const line of deliveredLines(samples)) console.log(line);
    if (isOnce) {
      problems.push(...samples.problems);
      await running.expectNoChanges();
    } else {
      for (const problem of samples.problems) console.error(problem);
      console.log(usage(settings, environmentFile));
      await stopped;
    }
  } catch (error) {
    // With --once, a sandbox that was stopped has not been checked.
    if (isOnce || !(error instanceof Stopped)) problems.push(messageOf(error));
  }
  return [...problems, ...(await sandbox.down()).map(messageOf)];
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error));

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
