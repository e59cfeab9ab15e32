import { availableParallelism } from "node:os";
import { type Faults } from "../faults";
import { type Cause, newId } from "../journal";
import { Environment } from "./environment";
import { type DeployedFunction, type Invocation } from "./function";
import { type FunctionLog } from "./function-log";
import { type RuntimeApi } from "./runtime-api";

export interface InvokeRequest {
  readonly fn: DeployedFunction;
  readonly payload: string;
  readonly cause?: Omit<Cause, "requestId">;
  /** An asynchronous invocation keeps its id through its retries. */
  readonly requestId?: string;
  readonly invokedArn?: string;
}

/** As Lambda's own limit of an account would be too much for one machine, what exceeds this waits. */
const mostProcesses = Math.max(4, availableParallelism() * 2);

export class Throttled extends Error {
  override readonly name = "TooManyRequestsException";

  constructor(fn: DeployedFunction, reason: string) {
    super(`Rate Exceeded. ${fn.name} ${reason}.`);
  }
}

interface Warm {
  readonly environment: Environment;
  /** The deployment that it was started for. */
  readonly deployment: string;
}

/** Runs functions in warm processes, one event at a time in each, as many as their reserved concurrency allows. */
export class Invoker {
  private readonly pools = new Map<string, Warm[]>();
  /** Invocations of a function that run or wait for a process. */
  private readonly inFlight = new Map<string, number>();
  private busy = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly api: RuntimeApi,
    private readonly log: FunctionLog,
    private readonly region: string,
    private readonly endpoint: string,
    private readonly faults: Faults,
  ) {}

  /** Why the call with this access key was made, if a function that runs here made it. */
  causeOf(accessKeyId: string): Cause | undefined {
    return this.environmentOf(accessKeyId)?.cause;
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
    cause = {},
    requestId = newId(),
    invokedArn = fn.arn,
  }: InvokeRequest): Promise<Invocation> {
    const count = this.inFlight.get(fn.name) ?? 0;
    if (fn.reservedConcurrency !== undefined && count >= fn.reservedConcurrency) {
      throw new Throttled(fn, `is limited to ${fn.reservedConcurrency} at a time by its reserved concurrency`);
    }
    if (this.faults.take("lambda", ["throttle"], () => ({ operation: "Invoke", text: payload })) !== undefined) {
      throw new Throttled(fn, "is throttled by an injected fault");
    }
    this.inFlight.set(fn.name, count + 1);
    try {
      await this.takeTurn();
      try {
        return await this.run(fn, { requestId, payload, functionArn: invokedArn, cause: { requestId, ...cause } });
      } finally {
        this.endTurn();
      }
    } finally {
      this.inFlight.set(fn.name, (this.inFlight.get(fn.name) ?? 1) - 1);
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
    const all = [...this.pools.values()].flat();
    this.pools.clear();
    await Promise.all(all.map(({ environment }) => environment.stop()));
  }

  private environmentOf(accessKeyId: string): Environment | undefined {
    const all = [...this.pools.values()].flat();
    return all.find(({ environment }) => environment.accessKeyId === accessKeyId)?.environment;
  }

  private async run(
    fn: DeployedFunction,
    request: { requestId: string; payload: string; functionArn: string; cause: Cause },
  ): Promise<Invocation> {
    const environment = this.environmentFor(fn);
    environment.isBusy = true;
    try {
      const invocation = await environment.invoke({ ...request, version: "$LATEST" });
      await this.log.write(fn.name, fn.logGroup, environment.logStream, invocation.log);
      return invocation;
    } finally {
      environment.isBusy = false;
    }
  }

  private environmentFor(fn: DeployedFunction): Environment {
    const deployment = JSON.stringify({ ...fn, reservedConcurrency: undefined });
    const pool = (this.pools.get(fn.name) ?? []).filter(({ environment }) => environment.isAlive);
    const outdated = pool.filter((warm) => !warm.environment.isBusy && warm.deployment !== deployment);
    for (const { environment } of outdated) void environment.stop();
    const current = pool.filter((warm) => !outdated.includes(warm));
    const free = current.find(({ environment, ...warm }) => !environment.isBusy && warm.deployment === deployment);
    if (free === undefined) {
      const environment = new Environment({ fn, region: this.region, endpoint: this.endpoint, api: this.api });
      current.push({ environment, deployment });
      this.pools.set(fn.name, current);
      return environment;
    }
    this.pools.set(fn.name, current);
    return free.environment;
  }

  private async takeTurn(): Promise<void> {
    if (this.busy >= mostProcesses) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
      return;
    }
    this.busy += 1;
  }

  /** Hands the turn on, so that nobody can take it in between. */
  private endTurn(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.busy -= 1;
    else next();
  }
}
