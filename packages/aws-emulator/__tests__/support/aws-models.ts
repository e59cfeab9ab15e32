import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { motoCommand } from "./moto";

/**
 * AWS's published models of its APIs, as botocore has them: moto depends on it, so that they are there wherever these
 * tests can run.
 */
export interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  readonly member?: Member;
  readonly key?: Member;
  readonly value?: Member;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
  readonly exception?: boolean;
  readonly error?: { readonly code?: string; readonly httpStatusCode?: number };
  readonly payload?: string;
  readonly flattened?: boolean;
}

export interface Member {
  readonly shape: string;
  readonly location?: "uri" | "querystring" | "header" | "headers" | "statusCode";
  readonly locationName?: string;
}

export interface Operation {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: Member;
  readonly output?: Member & { readonly resultWrapper?: string };
  readonly errors?: readonly Member[];
}

export interface Model {
  readonly metadata: { readonly protocol: string; readonly targetPrefix?: string };
  readonly operations: Readonly<Record<string, Operation>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const models = new Map<string, Model>();
let folder: string | undefined;

/** @param service as botocore names it: `events`, `lambda`, `ses`, `sesv2`, .. */
export function modelOf(service: string): Model {
  const known = models.get(service);
  if (known !== undefined) return known;
  folder ??= findFolder();
  const versions = readdirSync(join(folder, service)).sort();
  const file = join(folder, service, versions.at(-1) ?? "", "service-2.json.gz");
  const model = JSON.parse(gunzipSync(readFileSync(file)).toString("utf8")) as Model;
  models.set(service, model);
  return model;
}

/** Where moto was installed into an environment of its own, botocore is there, too. */
function pythonOfMoto(): string {
  const [program, ...words] = motoCommand();
  if (words[0] === "-m") return program;
  // A script of pip names its Python in its first line.
  const [firstLine = ""] = isAbsolute(program) ? readFileSync(program, "latin1").split("\n") : [];
  return /^#!\s*(\S*python\S*)\s*$/.exec(firstLine)?.[1] ?? "python3";
}

function findFolder(): string {
  const script = "import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), 'data'))";
  try {
    return execFileSync(pythonOfMoto(), ["-c", script], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (cause) {
    throw new Error(
      "AWS's models are read from botocore, which the Python of moto does not have. Run npm start -- --once, which installs moto.",
      { cause },
    );
  }
}
