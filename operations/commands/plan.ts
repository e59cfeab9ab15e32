import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { shellWord } from "aws-emulator/processes";
import { type CommandModule, exitCodes, type Io, type Program, UsageError } from "../command";
import { writeMailPages } from "../plan/mail-pages";
import { summarize } from "../plan/summary";
import { readPlan } from "../plan/terraform-json";
import { configOf, placeOf, refuseSandboxAtAws, sourceTheSandbox } from "../stage";
import { describeFailure } from "../text";
import { exitCodeOf, runCdktf, withHelp } from "./cdktf";

/** `npm run plan`: what a deploy would change, from cdktf or, with `--summary`, as a page for a pull request. */

const help = `With --summary, it writes the plan as markdown for a pull request, and takes no option of cdktf but a stack:
  --from <file>      a plan of terraform show -json, in place of a new one; no stage has to be configured
  --title <text>     the heading
  --mails <folder>   a new folder for pages that show the mail of each changed template in a browser, before and after
  --whole            all of it, also where it is longer than a comment of GitHub may be
  --whole-at <text>  where the whole is, for the sentence that ends a page that was cut
`;

export const define: CommandModule["define"] = (command, io, end) =>
  withHelp(command, "plan", help).action(async (words: readonly string[]) => {
    end(await (words.includes("--summary") ? runSummary(words, io) : runCdktf("plan", words, io)));
  });

interface SummaryWords {
  readonly from?: string;
  readonly title?: string;
  readonly mails?: string;
  readonly whole: boolean;
  readonly wholeAt?: string;
}

/** @returns the exit code. */
async function runSummary(words: readonly string[], io: Io): Promise<number> {
  const { stack, from, title, mails, whole, wholeAt } = readWords(words, io);
  if (mails !== undefined) refuseFullFolder(mails);
  const text = from === undefined ? await makePlan(stack, io) : { json: readPlanFile(from) };
  if ("code" in text) return exitCodeOf(text.code);
  let plan;
  try {
    plan = readPlan(text.json);
  } catch (cause) {
    const message = describeFailure(cause);
    throw from === undefined
      ? new Error(`Terraform's plan can't be read: ${message}`, { cause })
      : new UsageError(`--from ${from}: ${message}`, { cause });
  }
  if (mails !== undefined) writeMailPages(mails, plan);
  io.stdout.write(
    summarize(plan, {
      ...(title === undefined ? {} : { title }),
      ...(mails === undefined ? {} : { pagesIn: mails }),
      ...(whole ? { limit: Number.POSITIVE_INFINITY } : {}),
      ...(wholeAt === undefined ? {} : { whole: wholeAt }),
    }),
  );
  return exitCodes.well;
}

function readWords(words: readonly string[], { stdout, stderr }: Io): SummaryWords & { readonly stack?: string } {
  const parser = new Command("npm run plan -- --summary")
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .argument("[stack]")
    .option("--summary")
    .option("--from <file>")
    .option("--title <text>")
    .option("--mails <folder>")
    .option("--whole", "", false)
    .option("--whole-at <text>")
    .parse([...words], { from: "user" });
  const [stack] = parser.args;
  const options = parser.opts<SummaryWords>();
  if (stack !== undefined && options.from !== undefined) {
    throw new UsageError(`--from has a plan already: leave out the stack ${stack}.`);
  }
  return stack === undefined ? options : { ...options, stack };
}

/** Pages of an earlier plan would look like those of this one. */
function refuseFullFolder(folder: string): void {
  if (!existsSync(folder) || (statSync(folder).isDirectory() && readdirSync(folder).length === 0)) return;
  throw new UsageError(`--mails ${folder} is there already, and not empty: name a new folder, or remove this one.`);
}

function readPlanFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`--from ${file} can't be read: ${describeFailure(cause)}`, { cause });
  }
}

const projectRoot = join(__dirname, "..", "..");

/**
 * Plans the stage with Terraform itself, because cdktf keeps no plan of a stack in Terraform Cloud, and writes for a
 * person. The plan may hold secrets, so it is kept only until it is read.
 * @returns the plan as JSON, or the exit code of the program that failed and has said why.
 */
async function makePlan(
  stackName: string | undefined,
  io: Io,
): Promise<{ readonly json: string } | { readonly code: number }> {
  const { environment } = io;
  const config = configOf(environment, sourceTheSandbox);
  refuseSandboxAtAws(config, environment);
  const stack = stackName ?? `notification-${config.stage}`;
  const directory = join(projectRoot, environment.CDKTF_OUTDIR ?? "cdktf.out", "stacks", stack);
  const terraform = environment.TERRAFORM_BINARY_NAME || "terraform";
  const folder = mkdtempSync(join(tmpdir(), "plan-"));
  const planFile = join(folder, "plan");
  const steps: readonly Program[] = [
    // `app` in cdktf.json.
    { words: [process.execPath, "--import", "tsx", "main.ts"], directory: projectRoot, answers: false },
    { words: [terraform, "init", "-input=false", "-no-color"], directory, answers: false },
    { words: [terraform, "plan", "-input=false", "-no-color", `-out=${planFile}`], directory, answers: false },
  ];
  io.stderr.write(`${placeOf(config, environment)}: plan of ${shellWord(stack)}\n`);
  try {
    for (const step of steps) {
      const { code } = await io.runProgram(step);
      if (code !== exitCodes.well) return { code };
    }
    const { code, output } = await io.runProgram({
      words: [terraform, "show", "-json", planFile],
      directory,
      answers: true,
    });
    return code === exitCodes.well ? { json: output } : { code };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
