import { setMaxListeners } from "node:events";
import { availableParallelism } from "node:os";
import { type Faults } from "../../gateway/faults";
import { type InvocationOrigin, newId } from "../../gateway/journal";
import { ExecutionEnvironment } from "./environment";
import { type DeployedFunction, type Invocation } from "./function";
import { type FunctionLog } from "./function-log";
import { type Patience, Places } from "./places";
import { type RuntimeApi } from "./runtime-api";

export interface InvokeRequest {
  readonly fn: DeployedFunction;
  readonly payload: string;
  readonly origin?: Omit<InvocationOrigin, "requestId">;
  /** An asynchronous invocation keeps its id through its retries. */
  readonly requestId?: string;
  /** Whether it waits for a place of the function's reserved concurrency. @default it is throttled where none is free */
  readonly patience?: Patience;
  /** Its turn has come. @returns the function as it is by then: it may have waited for hours. */
  readonly onTurn?: () => Promise<DeployedFunction>;
}

/** How many function processes run at once; further invocations wait. An account's limit is too much for one machine. */
const mostProcesses = Math.max(4, availableParallelism() * 2);

const allFunctions = "";

export class Throttled extends Error {
  override readonly name = "TooManyRequestsException";

  constructor(
    fn: DeployedFunction,
    reason: string,
    /** It waited for a place until its patience was over. */
    readonly hasWaited = false,
  ) {
    super(`Rate Exceeded. ${fn.name} ${reason}.`);
  }

  static byConcurrency(fn: DeployedFunction, hasWaited = false): Throttled {
    const limit = fn.reservedConcurrency ?? 0;
    return new Throttled(fn, `is limited to ${limit} at a time by its reserved concurrency`, hasWaited);
  }
}

interface Warm {
  readonly environment: ExecutionEnvironment;
  /** The deployment that it was started for. */
  readonly deployment: string;
}

export interface InvokerDependencies {
  readonly api: RuntimeApi;
  readonly log: FunctionLog;
  readonly region: string;
  readonly endpoint: string;
  readonly faults: Faults;
}

/** Runs functions in warm processes, one event at a time in each, as many as their reserved concurrency allows. */
export class Invoker {
  private readonly pools = new Map<string, Warm[]>();
  /** Of each function's reserved concurrency: invocations that run, or wait for a process. */
  private readonly places = new Places();
  /** The processes of this machine that may run at a time, all functions together. */
  private readonly processes = new Places();
  private readonly closing = new AbortController();

  constructor(private readonly dependencies: InvokerDependencies) {
    this.processes.limit(allFunctions, mostProcesses);
    // Every invocation that waits adds a listener, and their number is no sign of a leak.
    setMaxListeners(0, this.closing.signal);
  }

  /** The function's reserved concurrency from now on; `undefined`: none. */
  limit(functionName: string, concurrency: number | undefined): void {
    this.places.limit(functionName, concurrency);
  }

  /** Why the call with this access key was made, if a function that runs here made it. */
  originOf(accessKeyId: string): InvocationOrigin | undefined {
    return this.environmentOf(accessKeyId)?.origin;
  }

  roleOf(accessKeyId: string): string | undefined {
    return this.environmentOf(accessKeyId)?.roleArn;
  }

  kill(accessKeyId: string): boolean {
    const environment = this.environmentOf(accessKeyId);
    environment?.kill();
    return environment !== undefined;
  }

  freeze(accessKeyId: string): boolean {
    const environment = this.environmentOf(accessKeyId);
    environment?.freeze();
    return environment !== undefined;
  }

  /** @throws Throttled */
  async invoke({
    fn,
    payload,
    origin = {},
    requestId = newId(),
    patience,
    onTurn = () => Promise.resolve(fn),
  }: InvokeRequest): Promise<Invocation> {
    if (!(await this.places.take(fn.name, patience))) throw Throttled.byConcurrency(fn, patience !== undefined);
    try {
      if (
        this.dependencies.faults.take("lambda", ["throttle"], () => ({ operation: "Invoke", text: payload })) !==
        undefined
      ) {
        throw new Throttled(fn, "is throttled by an injected fault");
      }
      await this.processes.take(allFunctions, { until: Infinity, signal: this.closing.signal });
      try {
        const current = await onTurn();
        return await this.run(current, { requestId, payload, functionArn: fn.arn, origin: { requestId, ...origin } });
      } finally {
        this.processes.giveBack(allFunctions);
      }
    } finally {
      this.places.giveBack(fn.name);
    }
  }

  /** Drops the warm environments of a function that has changed. Busy ones finish first. */
  drop(functionName: string): void {
    const pool = this.pools.get(functionName) ?? [];
    this.pools.set(
      functionName,
      pool.filter(({ environment }) => environment.isBusy),
    );
    for (const { environment } of pool) if (!environment.isBusy) void environment.stop();
  }

  async close(): Promise<void> {
    this.closing.abort();
    const all = [...this.pools.values()].flat();
    this.pools.clear();
    await Promise.all(all.map(({ environment }) => environment.stop()));
  }

  private environmentOf(accessKeyId: string): ExecutionEnvironment | undefined {
    const all = [...this.pools.values()].flat();
    return all.find(({ environment }) => environment.accessKeyId === accessKeyId)?.environment;
  }

  private async run(
    fn: DeployedFunction,
    request: { requestId: string; payload: string; functionArn: string; origin: InvocationOrigin },
  ): Promise<Invocation> {
    // Without a folder of its own it would run in the gateway's folder, and load what it finds there.
    if (fn.directory === "") return withoutPackage(fn);
    const environment = this.environmentFor(fn);
    environment.isBusy = true;
    try {
      const invocation = await environment.invoke({ ...request, version: "$LATEST" });
      await this.dependencies.log.write(fn.name, fn.logGroup, environment.logStream, invocation.log);
      return invocation;
    } finally {
      environment.isBusy = false;
    }
  }

  private environmentFor(fn: DeployedFunction): ExecutionEnvironment {
    const deployment = JSON.stringify({ ...fn, reservedConcurrency: undefined });
    const pool = (this.pools.get(fn.name) ?? []).filter(({ environment }) => environment.isAlive);
    const outdated = pool.filter((warm) => !warm.environment.isBusy && warm.deployment !== deployment);
    for (const { environment } of outdated) void environment.stop();
    const current = pool.filter((warm) => !outdated.includes(warm));
    const free = current.find(({ environment, ...warm }) => !environment.isBusy && warm.deployment === deployment);
    if (free === undefined) {
      const environment = new ExecutionEnvironment({
        fn,
        region: this.dependencies.region,
        endpoint: this.dependencies.endpoint,
        api: this.dependencies.api,
      });
      current.push({ environment, deployment });
      this.pools.set(fn.name, current);
      return environment;
    }
    this.pools.set(fn.name, current);
    return free.environment;
  }
}

/** The function is deleted by now, or was made in a way that the gateway did not see. */
function withoutPackage({ name }: DeployedFunction): Invocation {
  const error = { errorType: "Sandbox.NoPackage", errorMessage: `The sandbox has no package of ${name}.` };
  return { version: "$LATEST", payload: JSON.stringify(error), error, status: "error", log: [] };
}
