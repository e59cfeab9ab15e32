import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type Worker } from "./worker";

/**
 * A stand-in of HCP Terraform's API with one organization and one workspace, as far as `terraform` 1.11 and the
 * documented API-driven workflow call it. Paths, types and attributes are those of
 * https://developer.hashicorp.com/terraform/cloud-docs/api-docs, and of the client that Terraform uses
 * (hashicorp/go-tfe 1.70.0). It has no policies, cost estimates, run tasks, queue and permissions.
 */

export interface CloudOptions {
  readonly organization: string;
  readonly workspace: string;
  readonly token: string;
  /** Where `terraform plan` and `apply` on a person's machine run: there, or on the worker. */
  readonly executionMode: "local" | "remote";
}

interface StateVersion {
  readonly id: string;
  readonly serial: number;
  readonly lineage: string;
  readonly md5: string;
  readonly outputs: Readonly<Record<string, { value: unknown; type: unknown; sensitive?: boolean }>>;
  state: Buffer | undefined;
}

interface Run {
  readonly id: string;
  readonly configuration: string;
  readonly autoApply: boolean;
  readonly isDestroy: boolean;
  status: "planning" | "planned" | "planned_and_finished" | "applying" | "applied" | "errored";
  hasChanges: boolean;
  persisted: Buffer | undefined;
  readonly logs: { plan: string | undefined; apply: string | undefined };
}

interface Answer {
  readonly status: number;
  readonly body?: object | Buffer;
}

interface JsonApi {
  readonly data?: {
    readonly type: string;
    readonly attributes?: Readonly<Record<string, unknown>>;
    readonly relationships?: Readonly<Record<string, { readonly data: { readonly id: string } | null }>>;
  };
}

const contentType = "application/vnd.api+json";
const notFound: Answer = { status: 404, body: { errors: [{ status: "404", title: "not found" }] } };
const errorOf = (status: number, title: string): Answer => ({
  status,
  body: { errors: [{ status: `${status}`, title }] },
});

export class TerraformCloud {
  /** The requests, for example `POST /api/v2/runs`. */
  readonly requests: string[] = [];
  worker: Worker | undefined;
  private readonly server: Server;
  private isLocked = false;
  private readonly versions: StateVersion[] = [];
  private readonly configurations = new Map<string, Buffer | undefined>();
  private readonly runs = new Map<string, Run>();
  private count = 0;

  constructor(public options: CloudOptions) {
    this.server = createServer((request, response) => {
      void this.answer(request)
        .catch((error: unknown): Answer => errorOf(500, String(error)))
        .then(({ status, body }) => {
          response.writeHead(status, {
            "TFP-API-Version": "2.6",
            "TFP-AppName": "HCP Terraform",
            "Content-Type": Buffer.isBuffer(body) ? "application/octet-stream" : contentType,
          });
          response.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body));
        });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /**
   * What a person's CLI configuration says of this host. The block `host` takes the place of service discovery, which
   * would need TLS: https://developer.hashicorp.com/terraform/cli/config/config-file.
   */
  get cliConfiguration(): string {
    const { token } = this.options;
    return `host "app.terraform.io" {\n  services = { "tfe.v2" = "${this.url}/api/v2/" }\n}\ncredentials "app.terraform.io" {\n  token = "${token}"\n}\n`;
  }

  /** The newest stored state. */
  get state(): { readonly serial: number; readonly resources: readonly unknown[] } | undefined {
    const stored = this.current?.state;
    return stored === undefined ? undefined : (JSON.parse(stored.toString()) as NonNullable<TerraformCloud["state"]>);
  }

  /** The newest run, with the logs of its phases as the workspace shows them. */
  get lastRun(): Pick<Run, "status" | "logs"> | undefined {
    return [...this.runs.values()].at(-1);
  }

  private get current(): StateVersion | undefined {
    return this.versions.findLast(({ state }) => state !== undefined);
  }

  private id(prefix: string): string {
    this.count += 1;
    return `${prefix}-${String(this.count).padStart(16, "0")}`;
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const { method = "GET", headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
    const body = await buffer(request);
    this.requests.push(`${method} ${pathname}`);
    // The addresses for uploads and logs carry their own permission.
    const upload = /^\/(state|json-state|configuration)\/([\w-]+)$/.exec(pathname);
    if (upload !== null && method === "PUT") return this.takeUpload(upload[1] ?? "", upload[2] ?? "", body);
    const log = /^\/log\/(plan|apply)\/([\w-]+)$/.exec(pathname);
    if (log !== null) return this.logOf(log[1] as "plan" | "apply", log[2] ?? "", searchParams);
    if (pathname === "/api/v2/ping") return { status: 204 };
    if (headers.authorization !== `Bearer ${this.options.token}`) return errorOf(401, "unauthorized");
    const content = method === "POST" && body.length > 0 ? (JSON.parse(body.toString()) as JsonApi) : {};
    return this.api(`${method} ${pathname.replace(/^\/api\/v2\//, "")}`, content);
  }

  private async api(call: string, content: JsonApi): Promise<Answer> {
    const { organization, workspace } = this.options;
    const match = (pattern: RegExp) => pattern.exec(call)?.slice(1);
    switch (call) {
      case `GET organizations/${organization}/entitlement-set`:
        return one("entitlement-sets", "org-1", {
          operations: true,
          "state-storage": true,
          "private-module-registry": true,
        });
      case `GET organizations/${organization}/workspaces/${workspace}`:
      case "GET workspaces/ws-1":
        return this.workspaceAnswer();
      case "POST workspaces/ws-1/actions/lock":
        if (this.isLocked) return errorOf(409, "conflict");
        this.isLocked = true;
        return this.workspaceAnswer();
      case "POST workspaces/ws-1/actions/unlock":
      case "POST workspaces/ws-1/actions/force-unlock":
        this.isLocked = false;
        return this.workspaceAnswer();
      case "GET workspaces/ws-1/current-state-version":
        return this.current === undefined ? notFound : this.versionAnswer(this.current);
      case "GET workspaces/ws-1/current-state-version-outputs":
        return { status: 200, body: { data: this.outputs() } };
      case "POST workspaces/ws-1/state-versions":
        return this.makeVersion(content);
      case "POST workspaces/ws-1/configuration-versions":
        return this.makeConfiguration();
      case "POST runs":
        return this.makeRun(content);
    }
    const [version] = match(/^GET state-versions\/([\w-]+)$/) ?? [];
    const [download] = match(/^GET state-versions\/([\w-]+)\/download$/) ?? [];
    const [configuration] = match(/^GET configuration-versions\/([\w-]+)$/) ?? [];
    const [run] = match(/^GET runs\/([\w-]+)$/) ?? [];
    const [confirmed] = match(/^POST runs\/([\w-]+)\/actions\/apply$/) ?? [];
    const [kind, phase] = match(/^GET (plan|applie)s\/[a-z]+-([\w-]+)$/) ?? [];
    const versionOf = (id: string) => this.versions.find((each) => each.id === id);
    if (version !== undefined) return this.versionAnswer(versionOf(version));
    if (download !== undefined) return { status: 200, body: versionOf(download)?.state ?? Buffer.from("") };
    if (configuration !== undefined) return this.configurationAnswer(configuration);
    if (run !== undefined) return this.runAnswer(run);
    if (confirmed !== undefined) return this.confirm(confirmed);
    if (phase !== undefined) return this.phaseAnswer(kind === "plan" ? "plan" : "apply", phase);
    if (match(/^GET runs\/[\w-]+\/run-events$/) !== undefined) return { status: 200, body: { data: [] } };
    return Promise.resolve(notFound);
  }

  private workspaceAnswer(): Answer {
    const { workspace, executionMode } = this.options;
    return one("workspaces", "ws-1", {
      name: workspace,
      "execution-mode": executionMode,
      operations: executionMode === "remote",
      locked: this.isLocked,
      "terraform-version": "latest",
      "structured-run-output-enabled": false,
      permissions: {
        "can-lock": true,
        "can-unlock": true,
        "can-force-unlock": true,
        "can-queue-run": true,
        "can-queue-apply": true,
        "can-queue-destroy": true,
        "can-update": true,
      },
    });
  }

  private makeVersion({ data }: JsonApi): Answer {
    const attributes = data?.attributes as
      { serial?: number; lineage?: string; md5?: string; force?: boolean; "json-state-outputs"?: string } | undefined;
    const { serial, lineage = "", md5, force = false } = attributes ?? {};
    if (serial === undefined || md5 === undefined) return errorOf(422, "param is missing or the value is empty");
    const { current } = this;
    // "Lineage conflict" and "serial conflict" are a 409 each: API_docs, state-versions.
    if (!force && current !== undefined && (current.lineage !== lineage || serial <= current.serial)) {
      return errorOf(409, "conflict");
    }
    const outputs = Buffer.from(attributes?.["json-state-outputs"] ?? "e30=", "base64").toString();
    const version: StateVersion = {
      id: this.id("sv"),
      serial,
      lineage,
      md5,
      outputs: JSON.parse(outputs) as StateVersion["outputs"],
      state: undefined,
    };
    this.versions.push(version);
    return { ...this.versionAnswer(version), status: 201 };
  }

  private versionAnswer(version: StateVersion | undefined): Answer {
    if (version === undefined) return notFound;
    const { id, serial, state } = version;
    return one("state-versions", id, {
      serial,
      status: state === undefined ? "pending" : "finalized",
      "hosted-state-upload-url": `${this.url}/state/${id}`,
      "hosted-json-state-upload-url": `${this.url}/json-state/${id}`,
      "hosted-state-download-url": `${this.url}/api/v2/state-versions/${id}/download`,
      "resources-processed": true,
    });
  }

  private outputs(): object[] {
    return Object.entries(this.current?.outputs ?? {}).map(([name, { value, type, sensitive = false }]) => ({
      id: `wsout-${name}`,
      type: "state-version-outputs",
      attributes: { name, sensitive, value, "detailed-type": type, type: typeof value },
    }));
  }

  private takeUpload(kind: string, id: string, body: Buffer): Answer {
    const version = this.versions.find((each) => each.id === id);
    if (kind === "configuration" && this.configurations.has(id)) this.configurations.set(id, body);
    else if (version === undefined) return notFound;
    else if (kind === "state") {
      if (createHash("md5").update(body).digest("hex") !== version.md5) return errorOf(422, "MD5 mismatch");
      version.state = body;
    }
    return { status: 200 };
  }

  private makeConfiguration(): Answer {
    const id = this.id("cv");
    this.configurations.set(id, undefined);
    return { ...this.configurationAnswer(id), status: 201 };
  }

  private configurationAnswer(id: string): Answer {
    if (!this.configurations.has(id)) return notFound;
    const status = this.configurations.get(id) === undefined ? "pending" : "uploaded";
    return one("configuration-versions", id, { status, "upload-url": `${this.url}/configuration/${id}` });
  }

  private makeRun({ data }: JsonApi): Answer {
    const { attributes = {}, relationships = {} } = data ?? {};
    const configuration =
      relationships["configuration-version"]?.data?.id ?? [...this.configurations.keys()].at(-1) ?? "";
    const uploaded = this.configurations.get(configuration);
    if (relationships.workspace?.data?.id !== "ws-1" || uploaded === undefined) return errorOf(422, "no configuration");
    const run: Run = {
      id: this.id("run"),
      configuration,
      autoApply: attributes["auto-apply"] === true,
      isDestroy: attributes["is-destroy"] === true,
      status: "planning",
      hasChanges: false,
      persisted: undefined,
      logs: { plan: undefined, apply: undefined },
    };
    this.runs.set(run.id, run);
    void this.plan(run, uploaded);
    return { ...this.runAnswer(run.id), status: 201 };
  }

  private async plan(run: Run, configuration: Buffer): Promise<void> {
    const planned = await this.worker?.plan(run.id, configuration);
    run.persisted = planned?.persisted;
    run.hasChanges = planned?.code === 2;
    run.status = run.hasChanges ? "planned" : planned?.code === 0 ? "planned_and_finished" : "errored";
    run.logs.plan = planned?.log ?? "There is no worker.";
    if (run.hasChanges && run.autoApply) this.confirm(run.id);
  }

  private confirm(id: string): Answer {
    const run = this.runs.get(id);
    if (run === undefined) return notFound;
    if (run.status !== "planned" || run.persisted === undefined) return errorOf(409, "transition not allowed");
    run.status = "applying";
    void this.worker?.apply(run.id, run.persisted).then(({ code, log }) => {
      run.status = code === 0 ? "applied" : "errored";
      run.logs.apply = log;
    });
    return { status: 202 };
  }

  private runAnswer(id: string): Answer {
    const run = this.runs.get(id);
    if (run === undefined) return notFound;
    const { status, hasChanges, autoApply, isDestroy } = run;
    return one(
      "runs",
      id,
      {
        status,
        "has-changes": hasChanges,
        "auto-apply": autoApply,
        "is-destroy": isDestroy,
        actions: {
          "is-confirmable": status === "planned",
          "is-cancelable": false,
          "is-discardable": status === "planned",
        },
        permissions: { "can-apply": true },
      },
      { plan: ["plans", `plan-${id}`], apply: ["applies", `apply-${id}`], workspace: ["workspaces", "ws-1"] },
    );
  }

  private phaseAnswer(phase: "plan" | "apply", id: string): Answer {
    const run = this.runs.get(id);
    if (run === undefined) return notFound;
    const isDone = run.logs[phase] !== undefined;
    return one(phase === "plan" ? "plans" : "applies", `${phase}-${id}`, {
      status: !isDone ? "running" : run.status === "errored" ? "errored" : "finished",
      "has-changes": run.hasChanges,
      "log-read-url": `${this.url}/log/${phase}/${id}`,
    });
  }

  /** A log stands between the characters STX and ETX, and is read in pieces (go-tfe, logreader.go). */
  private logOf(phase: "plan" | "apply", id: string, range: URLSearchParams): Answer {
    const log = this.runs.get(id)?.logs[phase];
    const bytes = log === undefined ? Buffer.from("\u0002") : Buffer.from(`\u0002${log}\u0003`);
    const from = Number(range.get("offset") ?? 0);
    return { status: 200, body: bytes.subarray(from, from + Number(range.get("limit") ?? bytes.length)) };
  }
}

function one(
  type: string,
  id: string,
  attributes: object,
  relations: Readonly<Record<string, readonly [string, string]>> = {},
): Answer {
  const relationships = Object.fromEntries(
    Object.entries(relations).map(([name, [relatedType, related]]) => [
      name,
      { data: { type: relatedType, id: related } },
    ]),
  );
  return { status: 200, body: { data: { id, type, attributes, relationships } } };
}
