import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Readable } from "node:stream";
import { type InvocationOrigin } from "../../gateway/journal";
import { type DeployedFunction, type FunctionError, type Invocation, type LogLine } from "./function";
import { type RuntimeApi, type Work } from "./runtime-api";

const bootstrap = join(__dirname, "runtime/bootstrap.mjs");
/** Lambda gives the code before the handler 10 s; a machine that runs everything else too needs more. */
const initMs = 60_000;
/** How long output that the process has written may take to get here. */
const outputMs = 2_000;

export interface EnvironmentOptions {
  readonly fn: DeployedFunction;
  readonly region: string;
  /** Where the function's AWS clients find AWS. */
  readonly endpoint: string;
  readonly api: RuntimeApi;
}

export interface InvokeOptions {
  readonly requestId: string;
  readonly payload: string;
  readonly functionArn: string;
  readonly version: string;
  readonly origin: InvocationOrigin;
}

type Result = Pick<Invocation, "payload" | "status" | "error">;

interface Running {
  readonly options: InvokeOptions;
  readonly log: LogLine[];
  timer?: NodeJS.Timeout;
  /** The runtime has answered; the end of its output is awaited. */
  isAnswered: boolean;
  finish(result: Result): void;
}

interface EndOfOutput {
  streams: number;
  readonly reached: Promise<void>;
  reach(): void;
}

/** One execution environment: a Node.js process that handles one event at a time and stays warm. */
export class ExecutionEnvironment {
  readonly id = randomBytes(8).toString("hex");
  /** Unique, so that a call's signature tells which environment made it. */
  readonly accessKeyId = `ASIA${this.id.toUpperCase()}`;
  readonly logStream: string;
  isAlive = true;
  isBusy = false;
  private readonly process: ChildProcess;
  private readonly exited: Promise<void>;
  private running: Running | undefined;
  private pending: { resolve: (work: Work) => void } | undefined;
  private work: Work | undefined;
  private initError: string | undefined;
  private readonly createdAt = Date.now();
  private initMs: number | undefined;
  private readonly initLog: LogLine[] = [];
  private readonly endsOfOutput = new Map<string, EndOfOutput>();
  private memoryUsedMb = 0;

  get roleArn(): string {
    return this.options.fn.roleArn;
  }

  constructor(private readonly options: EnvironmentOptions) {
    const { fn, api } = options;
    const date = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
    const ownGroup = fn.logGroup === `/aws/lambda/${fn.name}`;
    this.logStream = `${date}/${ownGroup ? "" : fn.name}[$LATEST]${this.id}${this.id}`;
    const runtimeApi = api.register(this.id, {
      next: () => this.next(),
      succeeded: (requestId, payload) => {
        void this.complete(requestId, { payload, status: "success" });
      },
      failed: (requestId, error) => {
        void this.complete(requestId, { payload: error, status: "error", error: parseError(error) });
      },
      initFailed: (error) => {
        this.initError = error;
      },
    });
    this.process = spawn(process.execPath, [`--max-old-space-size=${fn.memoryMb}`, bootstrap], {
      cwd: fn.directory,
      env: this.variables(runtimeApi),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = new Promise((resolve) => {
      this.process.once("close", (code, signal) => {
        this.onExit(signal === null ? `exit status ${code ?? 0}` : `signal: ${signal}`);
        resolve();
      });
      // It could not be started: its folder went with the function, or the machine has no more processes.
      this.process.on("error", (error) => {
        this.onExit(error.message);
        resolve();
      });
    });
    for (const stream of [this.process.stdout, this.process.stderr]) if (stream) this.readLines(stream);
  }

  /** What made the call that carries this environment's access key. */
  get origin(): InvocationOrigin | undefined {
    return this.running?.options.origin;
  }

  async invoke(options: InvokeOptions): Promise<Invocation> {
    const { fn } = this.options;
    const isCold = this.initMs === undefined;
    const log = this.initLog.splice(0);
    log.push(toLine(startLine(fn, options)));
    const startedAt = Date.now();
    const result = await new Promise<Result>((resolve) => {
      this.running = { options, log, isAnswered: false, finish: resolve };
      if (this.isAlive) this.offer(options);
      else resolve(exitResult(options.requestId, "exited before the invocation"));
    });
    clearTimeout(this.running?.timer);
    this.running = undefined;
    const report = {
      durationMs: Date.now() - startedAt,
      initDurationMs: isCold ? this.initMs : undefined,
      maxMemoryUsedMB: this.memoryUsedMb,
    };
    log.push(...endLines(fn, options.requestId, result.status, report).map(toLine));
    return { version: options.version, log, ...result };
  }

  /** As a crash ends it: what runs fails, and Lambda reports how the process went. */
  kill(): void {
    this.process.kill("SIGKILL");
  }

  /** As a handler that hangs: only the time-out ends it. */
  freeze(): void {
    this.process.kill("SIGSTOP");
  }

  async stop(): Promise<void> {
    this.isAlive = false;
    this.options.api.unregister(this.id);
    this.process.kill("SIGKILL");
    await this.exited;
  }

  /** Hands work to the runtime, at once or when it asks. */
  private offer({ requestId, payload, functionArn }: InvokeOptions): void {
    const timeoutMs = this.options.fn.timeoutSeconds * 1000;
    const work: Work = {
      requestId,
      payload,
      functionArn,
      deadline: Date.now() + timeoutMs,
      traceId: `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString("hex")};Sampled=0`,
    };
    if (this.pending === undefined) {
      this.work = work;
      this.startTimer(initMs, () => {
        this.timedOut(initMs / 1000);
      });
      return;
    }
    this.startTimer(timeoutMs, () => {
      this.timedOut(this.options.fn.timeoutSeconds);
    });
    this.pending.resolve(work);
    this.pending = undefined;
  }

  private next(): Promise<Work> {
    this.initMs ??= Date.now() - this.createdAt;
    if (this.work === undefined) {
      return new Promise((resolve) => {
        this.pending = { resolve };
      });
    }
    const timeoutMs = this.options.fn.timeoutSeconds * 1000;
    const work = { ...this.work, deadline: Date.now() + timeoutMs };
    this.work = undefined;
    this.startTimer(timeoutMs, () => {
      this.timedOut(this.options.fn.timeoutSeconds);
    });
    return Promise.resolve(work);
  }

  private startTimer(ms: number, expired: () => void): void {
    if (this.running === undefined) return;
    clearTimeout(this.running.timer);
    this.running.timer = setTimeout(expired, ms);
  }

  private timedOut(seconds: number): void {
    const running = this.running;
    if (running === undefined) return;
    const { requestId } = running.options;
    const error = {
      errorType: "Sandbox.Timedout",
      errorMessage: `${new Date().toISOString()} ${requestId} Task timed out after ${seconds.toFixed(2)} seconds`,
    };
    if (this.options.fn.logFormat === "Text") running.log.push(toLine(error.errorMessage));
    running.finish({ payload: JSON.stringify(error), status: "timeout", error });
    void this.stop();
  }

  private onExit(how: string): void {
    this.isAlive = false;
    this.options.api.unregister(this.id);
    for (const end of this.endsOfOutput.values()) end.reach();
    const running = this.running;
    if (running === undefined || running.isAnswered) return;
    running.log.push(...this.initLog.splice(0));
    if (this.initError !== undefined) {
      running.finish({ payload: this.initError, status: "error", error: parseError(this.initError) });
    } else {
      running.finish(exitResult(running.options.requestId, `exited with error: ${how}`));
    }
  }

  private async complete(requestId: string, result: Result): Promise<void> {
    const running = this.running;
    if (running?.options.requestId !== requestId) return;
    running.isAnswered = true;
    const timer = setTimeout(() => {
      this.endOfOutput(requestId).reach();
    }, outputMs);
    if (this.isAlive) await this.endOfOutput(requestId).reached;
    clearTimeout(timer);
    this.endsOfOutput.delete(requestId);
    running.finish(result);
  }

  private endOfOutput(requestId: string): EndOfOutput {
    const known = this.endsOfOutput.get(requestId);
    if (known !== undefined) return known;
    let reach: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const end = { streams: 0, reached, reach };
    this.endsOfOutput.set(requestId, end);
    return end;
  }

  private readLines(stream: Readable): void {
    createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => {
      const [, rest = "", requestId, memoryUsedMb] = /^(.*)\0end (\S+) (\d+)$/s.exec(line) ?? [];
      if (requestId === undefined) {
        this.addLine(line);
        return;
      }
      // A handler may have left a line without its end.
      if (rest !== "") this.addLine(rest);
      this.memoryUsedMb = Number(memoryUsedMb);
      const end = this.endOfOutput(requestId);
      end.streams += 1;
      if (end.streams === 2) end.reach();
    });
  }

  private addLine(line: string): void {
    (this.running?.log ?? this.initLog).push(toLine(line));
  }

  private variables(runtimeApi: string): NodeJS.ProcessEnv {
    const { fn, region, endpoint } = this.options;
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Defined runtime environment variables"
    return {
      // The unreserved ones, which a function's own may replace. PATH is AWS's value on every machine, not this one's:
      // a program that only this machine has is not found here either.
      LANG: "en_US.UTF-8",
      PATH: "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
      ...fn.variables,
      TZ: ":UTC",
      _HANDLER: fn.handler,
      LAMBDA_TASK_ROOT: fn.directory,
      LAMBDA_RUNTIME_DIR: join(__dirname, "runtime"),
      AWS_LAMBDA_RUNTIME_API: runtimeApi,
      AWS_EXECUTION_ENV: `AWS_Lambda_${fn.runtime}`,
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_LAMBDA_FUNCTION_NAME: fn.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: fn.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: this.logStream,
      AWS_LAMBDA_LOG_FORMAT: fn.logFormat,
      ...(fn.logLevel === undefined ? {} : { AWS_LAMBDA_LOG_LEVEL: fn.logLevel }),
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: this.accessKeyId,
      AWS_SECRET_ACCESS_KEY: "sandbox",
      AWS_SESSION_TOKEN: "sandbox",
      AWS_ENDPOINT_URL: endpoint,
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }
}

const toLine = (message: string): LogLine => ({ timestamp: Date.now(), message });

function parseError(text: string): FunctionError {
  try {
    const { errorType, errorMessage } = JSON.parse(text) as Partial<FunctionError>;
    return { errorType: errorType ?? "Error", errorMessage: errorMessage ?? "" };
  } catch {
    return { errorType: "Error", errorMessage: text };
  }
}

function exitResult(requestId: string, how: string) {
  const error = { errorType: "Runtime.ExitError", errorMessage: `RequestId: ${requestId} Error: Runtime ${how}` };
  return { payload: JSON.stringify(error), status: "error" as const, error };
}

/** Lambda's own log lines: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html */
function startLine(fn: DeployedFunction, { requestId, version }: InvokeOptions): string {
  return fn.logFormat === "JSON"
    ? platformLine("platform.start", { requestId, version })
    : `START RequestId: ${requestId} Version: ${version}`;
}

interface Report {
  readonly durationMs: number;
  readonly initDurationMs: number | undefined;
  readonly maxMemoryUsedMB: number;
}

function endLines(fn: DeployedFunction, requestId: string, status: Invocation["status"], report: Report): string[] {
  const { durationMs, initDurationMs, maxMemoryUsedMB } = report;
  const billedDurationMs = Math.ceil(durationMs);
  const memorySizeMB = fn.memoryMb;
  if (fn.logFormat === "JSON") {
    const metrics = { durationMs, billedDurationMs, memorySizeMB, maxMemoryUsedMB, initDurationMs };
    return [platformLine("platform.report", { requestId, metrics, status })];
  }
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${billedDurationMs} ms`,
    `Memory Size: ${memorySizeMB} MB`,
    `Max Memory Used: ${maxMemoryUsedMB} MB`,
    ...(initDurationMs === undefined ? [] : [`Init Duration: ${initDurationMs.toFixed(2)} ms`]),
  ];
  return [`END RequestId: ${requestId}`, fields.join("\t")];
}

function platformLine(type: string, record: Record<string, unknown>): string {
  return JSON.stringify({ time: new Date().toISOString(), type, record });
}
