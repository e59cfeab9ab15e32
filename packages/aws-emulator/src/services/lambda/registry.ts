import { GetFunctionConfigurationCommand, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { type Unzipped, unzipSync } from "fflate";
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { type Answer, type Call, isRecord, jsonError, jsonOf, type Next, succeeded, textOf } from "../../gateway/http";
import { type Moto } from "../../gateway/moto";
import { type DeployedFunction, parseFunctionName } from "./function";

/** What a client said of a function and moto does not keep: see `keepConfiguration` in moto-patches.ts. */
type Extras = (functionName: string) => Readonly<Record<string, unknown>>;

const functionsPath = /^\/2015-03-31\/functions\/?$/;
const codePath = /^\/2015-03-31\/functions\/([^/]+)\/code\/?$/;
const concurrencyPath = /^\/2017-10-31\/functions\/([^/]+)\/concurrency\/?$/;
const functionPath = /^\/2015-03-31\/functions\/([^/]+)\/?$/;

export interface FunctionRegistryDependencies {
  readonly moto: Moto;
  readonly workDirectory: string;
  readonly extras: Extras;
  /** Warm environments of a function that is gone, or whose code is, are of no use. */
  readonly onChange: (functionName: string) => void;
  readonly onConcurrency: (functionName: string, concurrency: number | undefined) => void;
}

/** The functions that are deployed, with their packages: moto's GetFunction names an address that does not exist. */
export class FunctionRegistry {
  /** Function name to the directory that holds its unpacked package. */
  private readonly directories = new Map<string, string>();
  /** Function name to its reserved concurrency. Nothing but the calls that come through the gateway sets one. */
  private readonly concurrency = new Map<string, number>();

  constructor(private readonly dependencies: FunctionRegistryDependencies) {}

  /** Keeps the package that a client uploads. */
  readonly intercept = async (call: Call, next: Next): Promise<Answer> => {
    if (call.service !== "lambda") return next(call);
    const { pathname } = call.url;
    const uploaded = uploadIn(call);
    const zip = uploaded && (await this.zipOf(uploaded.code));
    const files = zip && filesIn(zip);
    if (files instanceof InvalidPackage) return jsonError(400, "InvalidParameterValueException", files.message);
    const answer = await next(call);
    if (!succeeded(answer)) return answer;
    if (uploaded && zip && files && uploaded.code.DryRun !== true) await this.unpack(uploaded.name, zip, files);
    const limited = concurrencyPath.exec(pathname)?.[1];
    if (limited !== undefined && call.method !== "GET") this.limit(decodeURIComponent(limited), jsonOf(call));
    const deleted = call.method === "DELETE" ? functionPath.exec(pathname)?.[1] : undefined;
    if (deleted !== undefined && !call.url.searchParams.has("Qualifier")) {
      await this.forget(parseFunctionName(decodeURIComponent(deleted)).name);
    }
    return answer;
  };

  /** @returns `undefined` where there is no such function. */
  async find(nameOrArn: string): Promise<DeployedFunction | undefined> {
    const { name } = parseFunctionName(nameOrArn);
    try {
      const configuration = await this.dependencies.moto.lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: name }),
      );
      const extras = this.dependencies.extras(name);
      const logging = isRecord(extras.LoggingConfig) ? extras.LoggingConfig : {};
      const deadLetters = isRecord(extras.DeadLetterConfig) ? extras.DeadLetterConfig : {};
      return {
        name,
        arn: configuration.FunctionArn ?? "",
        roleArn: configuration.Role ?? "",
        handler: configuration.Handler ?? "index.handler",
        runtime: configuration.Runtime ?? "nodejs",
        timeoutSeconds: configuration.Timeout ?? 3,
        memoryMb: configuration.MemorySize ?? 128,
        variables: configuration.Environment?.Variables ?? {},
        reservedConcurrency: this.concurrency.get(name),
        logGroup: textOf(logging.LogGroup) ?? `/aws/lambda/${name}`,
        logFormat: logging.LogFormat === "JSON" ? "JSON" : "Text",
        logLevel: textOf(logging.ApplicationLogLevel),
        deadLetterArn: textOf(deadLetters.TargetArn),
        directory: this.directories.get(name) ?? "",
      };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  private async unpack(nameOrArn: string, zip: Uint8Array, files: Unzipped): Promise<void> {
    const { name } = parseFunctionName(nameOrArn);
    const hash = createHash("sha256").update(zip).digest("hex").slice(0, 16);
    const directory = join(this.dependencies.workDirectory, "functions", name, hash);
    // A process is started in it, whatever the package holds.
    await mkdir(directory, { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      const file = resolve(directory, path);
      // A package is a client's input: it may not write outside its directory.
      if (!file.startsWith(directory + sep) || path.endsWith("/")) continue;
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    this.directories.set(name, directory);
    this.dependencies.onChange(name);
  }

  private async zipOf(code: Readonly<Record<string, unknown>>): Promise<Uint8Array | undefined> {
    if (typeof code.ZipFile === "string") return Buffer.from(code.ZipFile, "base64");
    if (typeof code.S3Bucket === "string" && typeof code.S3Key === "string") {
      const path = [code.S3Bucket, ...code.S3Key.split("/")].map(encodeURIComponent).join("/");
      const object = await this.dependencies.moto.ask("s3", "GET", `/${path}`);
      return succeeded(object) ? object.body : undefined;
    }
    return undefined;
  }

  /** PutFunctionConcurrency, or DeleteFunctionConcurrency, which has no body. */
  private limit(nameOrArn: string, { ReservedConcurrentExecutions: concurrency }: Record<string, unknown>): void {
    const { name } = parseFunctionName(nameOrArn);
    if (typeof concurrency === "number") this.concurrency.set(name, concurrency);
    else this.concurrency.delete(name);
    this.dependencies.onConcurrency(name, this.concurrency.get(name));
  }

  private async forget(name: string): Promise<void> {
    this.limit(name, {});
    this.directories.delete(name);
    this.dependencies.onChange(name);
    await rm(join(this.dependencies.workDirectory, "functions", name), { recursive: true, force: true });
  }
}

class InvalidPackage extends Error {}

/** What moto takes, and Lambda refuses in these words. */
function filesIn(zip: Uint8Array): Unzipped | InvalidPackage {
  try {
    const files = unzipSync(zip);
    if (Object.keys(files).length > 0) return files;
    return new InvalidPackage("Uploaded file must be a non-empty zip");
  } catch {
    return new InvalidPackage("Could not unzip uploaded file. Please check your file, then try to upload again.");
  }
}

/** The package that CreateFunction or UpdateFunctionCode brings, and the function's name as the client has it. */
function uploadIn(call: Call): { readonly name: string; readonly code: Readonly<Record<string, unknown>> } | undefined {
  const { pathname } = call.url;
  if (call.method === "POST" && functionsPath.test(pathname)) {
    const { FunctionName: name, Code: code } = jsonOf(call);
    return isRecord(code) ? { name: textOf(name) ?? "", code } : undefined;
  }
  const updated = call.method === "PUT" ? codePath.exec(pathname)?.[1] : undefined;
  return updated === undefined ? undefined : { name: decodeURIComponent(updated), code: jsonOf(call) };
}
