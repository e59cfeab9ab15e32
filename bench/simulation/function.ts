import { type Run } from "../../handler/send-notification";
import * as limits from "./limits";
import { type VirtualClock } from "./virtual-clock";

export type Handle = (input: unknown, run: Run) => Promise<unknown>;

/** Result of a run. `errorType` and `errorMessage` are those that Lambda would write into its record. */
export type RunResult =
  | { readonly kind: "success"; readonly result: unknown }
  | { readonly kind: "error"; readonly errorType: string; readonly errorMessage: string };

interface ExecutionEnvironment {
  readonly handle: Handle;
  isWarm: boolean;
}

export interface FunctionSettings {
  readonly reservedConcurrency: number;
  readonly timeoutMs: number;
}

/**
 * A function with its reserved concurrency. Each execution environment has a handler of its own, and with it a pacer of
 * its own, and runs one event at a time. There are never more environments than the reserved concurrency.
 */
export class SimulatedFunction {
  runs = 0;
  throttles = 0;
  private readonly idle: ExecutionEnvironment[] = [];
  private created = 0;

  constructor(
    private readonly clock: VirtualClock,
    private readonly settings: FunctionSettings,
    private readonly createEnvironment: () => Handle,
  ) {}

  /** Starts a run. @returns false if all environments are busy. Otherwise `done` is called when the run has ended. */
  invoke(input: unknown, done: (runResult: RunResult) => void): boolean {
    const environment = this.idle.pop() ?? this.create();
    if (environment === undefined) {
      this.throttles += 1;
      return false;
    }
    this.runs += 1;
    void this.run(environment, input).then((runResult) => {
      this.idle.push(environment);
      done(runResult);
    });
    this.clock.settle();
    return true;
  }

  private create(): ExecutionEnvironment | undefined {
    if (this.created >= this.settings.reservedConcurrency) return undefined;
    this.created += 1;
    return { handle: this.createEnvironment(), isWarm: false };
  }

  private async run(environment: ExecutionEnvironment, input: unknown): Promise<RunResult> {
    if (!environment.isWarm) await this.clock.wait(limits.coldStartMs);
    environment.isWarm = true;
    const endsAt = this.clock.now() + this.settings.timeoutMs;
    const runResult = await environment.handle(input, { endsAt }).then(
      (result): RunResult => ({ kind: "success", result }),
      (error: unknown): RunResult =>
        error instanceof Error
          ? { kind: "error", errorType: error.name, errorMessage: error.message }
          : { kind: "error", errorType: "Error", errorMessage: String(error) },
    );
    if (this.clock.now() > endsAt) {
      throw new Error("A run outlived its time-out: on AWS it would have been ended between a send and its record.");
    }
    return runResult;
  }
}
