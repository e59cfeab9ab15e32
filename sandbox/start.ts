import "aws-emulator/aws-sdk-settings";
import { onInterrupt, onOrphaned } from "./interrupts";
import { type Options, parseOptions } from "./options";
import { sandboxSettings, type SandboxSettings } from "./settings";
import { Steps, Stopped } from "./steps";
import { Sandbox } from "./system";
import { deliveredLines, usage } from "./usage";

/**
 * `npm start`: runs the whole system on this machine.
 * @returns the exit code: 0 if all is well, 1 if something failed, 2 if the command line or the port is wrong.
 */
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

/** @returns the problems, from starting the sandbox as well as from stopping it. */
async function run({ once: isOnce }: Options, settings: SandboxSettings): Promise<string[]> {
  const stopping = new AbortController();
  const stopped = new Promise((resolve) => {
    stopping.signal.addEventListener("abort", resolve);
  });
  const steps = new Steps({ stopping: stopping.signal });
  // Printing fails once the terminal is closed. This is ignored, so that the resources are still destroyed.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  onInterrupt(process, (count) => {
    if (count === 1) steps.say("Stopping: what was made is destroyed first.");
    else steps.say(`Still waiting for ${steps.underWay}. To end without it: kill -KILL ${process.pid}`);
    stopping.abort();
  });
  // npm sets this variable for what it runs. A sandbox that somebody starts without npm may outlive its starter.
  if (process.env.npm_lifecycle_event !== undefined) {
    onOrphaned(() => {
      steps.say("Stopping, because npm is gone: what was made is destroyed first.");
      stopping.abort();
    });
  }

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
    // A stopped sandbox is normally no problem. With --once it is one, because the check is incomplete.
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
