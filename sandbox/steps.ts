import { Listr, PRESET_TIMER, parseTimer } from "listr2";

/** The user stopped the sandbox while a step was running or before it began. This is no failure. */
export class Stopped extends Error {
  override readonly name = "Stopped";

  constructor(options?: ErrorOptions) {
    super("The sandbox was stopped before its last step was done.", options);
  }
}

/** What a step can show while it runs. */
export interface Step {
  /** Changes the title, for example to say what was found. */
  rename(title: string): void;
  /**
   * Shows how far the step is.
   * @param isMilestone whether the text is worth a line of its own where lines can't be overwritten, as in a log.
   */
  progress(text: string, isMilestone: boolean): void;
  /**
   * Shows that a part of the step has begun that takes a while. A terminal keeps all of these lines while the step
   * runs.
   */
  note(line: string): void;
}

export interface StepsOptions {
  readonly stopping: AbortSignal;
  /** @default whether standard output is a terminal that is wide enough */
  readonly isLive?: boolean;
  readonly print?: (line: string) => void;
}

interface Running {
  title: string;
  far: string;
  readonly notes: string[];
  /** A text for the user that is shown while the step runs. */
  remark: string;
  show(): void;
}

/**
 * The fewest columns with which listr2 can wrap its lines. Some terminals have 0 columns before their first resize, and
 * listr2 fails there.
 */
const fewestColumns = 20;

export function isLiveTerminal({ isTTY, columns }: Pick<NodeJS.WriteStream, "isTTY" | "columns">): boolean {
  return isTTY && columns >= fewestColumns;
}

/**
 * Runs steps one after another and shows them: on a terminal as one line that changes, elsewhere as one line for each
 * step. A failed step is marked. Its error is not printed here, because the caller prints it.
 */
export class Steps {
  private running: Running | undefined;
  private readonly isLive: boolean;
  private readonly print: (line: string) => void;

  constructor(private readonly options: StepsOptions) {
    this.isLive = options.isLive ?? isLiveTerminal(process.stdout);
    this.print = options.print ?? console.log;
  }

  /**
   * Runs a step, unless the user has stopped the sandbox.
   * @throws Stopped where the user stopped the sandbox before the step or during it; otherwise the step's own error.
   */
  async run<Value>(title: string, work: (step: Step) => Value | Promise<Value>): Promise<Value> {
    const { stopping } = this.options;
    if (stopping.aborted) throw new Stopped();
    return this.show(title, async (step) => {
      try {
        return await work(step);
      } catch (cause) {
        if (!stopping.aborted) throw cause;
        step.rename(`${title}: stopped`);
        throw new Stopped({ cause });
      }
    });
  }

  /** Runs a step even if the user has stopped the sandbox, because it undoes earlier steps. */
  runAlways<Value>(title: string, work: (step: Step) => Value | Promise<Value>): Promise<Value> {
    return this.show(title, async (step) => work(step));
  }

  /**
   * The step that runs, for example `terraform apply (12 of 57 done)`. On a terminal the text leaves out the numbers,
   * because they are already on the screen.
   */
  get underWay(): string {
    if (this.running === undefined) return "the started programs to end";
    const { title, far } = this.running;
    return far === "" || this.isLive ? title : `${title} (${far})`;
  }

  /** Shows the user a text at once, even while a step is on the screen. */
  say(text: string): void {
    if (this.isLive && this.running !== undefined) {
      this.running.remark = text;
      this.running.show();
    } else {
      this.print(text);
    }
  }

  private async show<Value>(title: string, work: (step: Step) => Promise<Value>): Promise<Value> {
    const running: Running = { title, far: "", notes: [], remark: "", show: () => undefined };
    this.running = running;
    try {
      return await (this.isLive ? this.showLive(running, work) : this.showLines(running, work));
    } finally {
      this.running = undefined;
    }
  }

  private async showLive<Value>(running: Running, work: (step: Step) => Promise<Value>): Promise<Value> {
    const list = new Listr<{ value: Value }>(
      [
        {
          title: running.title,
          // Notes, progress and remark can each take a line, so all lines of the output are shown.
          rendererOptions: { outputBar: Infinity },
          task: async (context, task) => {
            running.show = () => {
              const { title, far, notes, remark } = running;
              task.title = title;
              task.output = [...notes, far, remark].filter((text) => text !== "").join("\n");
            };
            context.value = await work({
              rename: (title) => {
                running.title = title;
                running.show();
              },
              progress: (text) => {
                running.far = text;
                running.show();
              },
              note: (line) => {
                running.notes.push(line);
                running.show();
              },
            });
          },
        },
      ],
      {
        rendererOptions: { timer: PRESET_TIMER, collapseErrors: false, showErrorMessage: false },
        registerSignalListeners: false,
      },
    );
    return (await list.run()).value;
  }

  private async showLines<Value>(running: Running, work: (step: Step) => Promise<Value>): Promise<Value> {
    const startedAt = Date.now();
    try {
      const value = await work({
        rename: (title) => (running.title = title),
        progress: (text, isMilestone) => {
          running.far = text;
          if (isMilestone) this.print(`  ${running.title}: ${text}`);
        },
        note: (line) => {
          this.print(`  ${line}`);
        },
      });
      this.print(`✔ ${running.title} [${parseTimer(Date.now() - startedAt)}]`);
      return value;
    } catch (error) {
      this.print(`✖ ${running.title}`);
      throw error;
    }
  }
}
