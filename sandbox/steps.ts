import { Listr, PRESET_TIMER, parseTimer } from "listr2";

/** The user stopped the sandbox while a step was under way. This is no failure. */
export class Stopped extends Error {
  override readonly name = "Stopped";

  constructor(options?: ErrorOptions) {
    super("Stopped before it was through.", options);
  }
}

/** What a step can say of itself while it runs. */
export interface Step {
  /** Another title, for example with what was found. */
  rename(title: string): void;
  /** How far it is; @param isMilestone worth a line in a log, where nothing can be overwritten. */
  progress(text: string, isMilestone: boolean): void;
  /** Something that takes a while has begun: a terminal shows all of these while the step runs. */
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
  /** Said to the user while it runs. */
  remark: string;
  show(): void;
}

/** Columns that listr2 needs to wrap its lines: with 0, as some terminals have before their first resize, it fails. */
const fewestColumns = 20;

export function isLiveTerminal({ isTTY, columns }: Pick<NodeJS.WriteStream, "isTTY" | "columns">): boolean {
  return isTTY && columns >= fewestColumns;
}

/**
 * Runs steps one after another and shows them: on a terminal with a line that changes, elsewhere with one line a step.
 * A failed step is marked, and its error is left to the caller, who prints it once.
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
   * Runs a step unless the user has stopped the sandbox.
   * @throws Stopped where the user did so before or meanwhile; else what the step throws.
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

  /** Runs a step that nothing stops, because it undoes what others did. */
  runAlways<Value>(title: string, work: (step: Step) => Value | Promise<Value>): Promise<Value> {
    return this.show(title, async (step) => work(step));
  }

  /** What is under way, for example `terraform apply (12 of 57 done)`; a terminal shows how far it is anyway. */
  get underWay(): string {
    if (this.running === undefined) return "what was started to end";
    const { title, far } = this.running;
    return far === "" || this.isLive ? title : `${title} (${far})`;
  }

  /** Tells the user something at once, whatever is on the screen. */
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
          // A note, how far it is, and a remark need a line each.
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
