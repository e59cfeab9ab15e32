import { type Command, InvalidArgumentError } from "commander";
import { catalogue } from "../../handler/notifications";
import { writeGallery } from "../../sandbox/preview/gallery";
import { type Previews, previewsOf } from "../../sandbox/preview/previews";
import { startPreview } from "../../sandbox/preview/server";
import { exitCodes, exitCodesHelp, type Io } from "../command";
import { describeFailure, plural } from "../text";

interface Options {
  readonly port?: number;
  readonly open: boolean;
  readonly out?: string;
}

/** `npm run preview` shows the mail of every notification's sample, in every locale and variant. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return command
    .option("--port <number>", "the port of 127.0.0.1 to listen on (default: any that is free)", portOf)
    .option("--no-open", "open no browser; without a terminal none is opened")
    .option("--out <folder>", "write the page there once, as index.html, and end")
    .addHelpText(
      "after",
      `\nThe page follows the files of handler/ until Ctrl-C.\n${exitCodesHelp("the page was shown or written", "it could not be, or with --out: the synth refuses a notification")}`,
    )
    .action(async ({ out, ...options }: Options) => {
      end(out === undefined ? await serve(options, io) : write(out, io));
    });
}

/** The page is written all the same where the synth refuses something, because it shows what. */
function write(folder: string, io: Io): number {
  const previews = previewsOf(catalogue);
  io.stdout.write(`${writeGallery(folder, previews)}\n`);
  io.stderr.write(`${summaryOf(previews)}\n`);
  return problemsIn(previews).length === 0 ? exitCodes.well : exitCodes.problems;
}

async function serve({ port, open }: Omit<Options, "out">, io: Io): Promise<number> {
  const server = await startPreview({
    ...(port === undefined ? {} : { port }),
    onChange: (previews) => io.stderr.write(`${summaryOf(previews)}\n`),
  });
  const interrupted = new Promise<void>((resolve) => {
    io.onInterrupt(resolve);
  });
  io.stdout.write(`${server.url}\n`);
  io.stderr.write(`${summaryOf(server.first)}\nIt follows the files. Ctrl-C ends it.\n`);
  if (open && io.isTerminal) {
    await io.openInBrowser(server.url).catch((error: unknown) => {
      io.stderr.write(`No browser could be opened (${describeFailure(error)}): open the address yourself.\n`);
    });
  }
  await interrupted;
  await server.close();
  return exitCodes.well;
}

const problemsIn = ({ editions, problems }: Previews): readonly string[] => [
  ...new Set([...problems, ...editions.flatMap((edition) => edition.problems)]),
];

function summaryOf(previews: Previews): string {
  const mails = plural(previews.editions.filter(({ mail }) => mail !== undefined).length, "mail");
  const problems = problemsIn(previews);
  return [`${mails}${problems.length === 0 ? "." : `, ${plural(problems.length, "problem")}:`}`, ...problems]
    .map((line, at) => (at === 0 ? line : `  - ${line}`))
    .join("\n");
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("Use a number from 1 to 65535.");
}
