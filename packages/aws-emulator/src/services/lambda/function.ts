/** A function as it is deployed: what the emulator holds, and what the gateway remembers beside it. */
export interface DeployedFunction {
  readonly name: string;
  readonly arn: string;
  /** Its execution role. */
  readonly roleArn: string;
  readonly handler: string;
  readonly runtime: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly variables: Readonly<Record<string, string>>;
  /** `undefined`: no reservation. */
  readonly reservedConcurrency: number | undefined;
  readonly logGroup: string;
  readonly logFormat: "JSON" | "Text";
  readonly logLevel: string | undefined;
  readonly deadLetterArn: string | undefined;
  /** Where its package is unpacked. */
  readonly directory: string;
}

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
}

export interface LogLine {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly message: string;
}

export interface Invocation {
  readonly version: string;
  /** The function's answer, or its error, as JSON. */
  readonly payload: string;
  readonly error?: FunctionError;
  readonly status: "success" | "error" | "timeout";
  /** The log lines of the invocation, Lambda's own among them. */
  readonly log: readonly LogLine[];
}

/** `arn:..:function:<name>[:<qualifier>]`, `<account>:function:<name>[:<qualifier>]` or `<name>[:<qualifier>]`. */
export function parseFunctionName(nameOrArn: string): { readonly name: string; readonly qualifier?: string } {
  const [name = "", qualifier] = nameOrArn.replace(/^.*:function:/, "").split(":");
  return qualifier === undefined ? { name } : { name, qualifier };
}
