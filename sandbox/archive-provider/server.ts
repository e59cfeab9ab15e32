import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  loadPackageDefinition,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { decode, encode } from "@msgpack/msgpack";
import { readArchiveFile } from "./archive-file";
import { type Config, type Problem, problemsOf } from "./config";
import { archiveFileSchema } from "./schema";

/**
 * A stand-in for hashicorp/archive (a test double), for machines where the real provider can't be installed. Terraform
 * starts it like any provider. It speaks go-plugin's protocol: a cookie in the environment, a handshake line on
 * standard output, and then gRPC.
 */

interface DynamicValue {
  readonly msgpack: Buffer;
}
type Call = (request: { readonly config?: DynamicValue }) => object;

/**
 * The environment variable that go-plugin sets for Terraform's providers. Without it, a person has started the program
 * by hand, which is of no use.
 */
const cookie = {
  name: "TF_PLUGIN_MAGIC_COOKIE",
  value: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

const provider: Record<string, Call> = {
  GetSchema: () => ({ provider: { block: {} }, data_source_schemas: { archive_file: archiveFileSchema } }),
  PrepareProviderConfig: ({ config }) => ({ prepared_config: config }),
  ValidateDataSourceConfig: (request) => ({ diagnostics: problemsOf(configOf(request)).map(diagnosticOf) }),
  Configure: () => ({}),
  ReadDataSource: (request) => {
    const config = configOf(request);
    const problems = problemsOf(config);
    if (problems.length > 0) return { diagnostics: problems.map(diagnosticOf) };
    try {
      return { state: { msgpack: Buffer.from(encode(readArchiveFile(config))) } };
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { diagnostics: [{ severity: "ERROR", summary: "The archive could not be made", detail }] };
    }
  },
  Stop: () => ({}),
};

function configOf({ config }: { readonly config?: DynamicValue }): Config {
  return decode(config?.msgpack ?? encode({})) as Config;
}

function diagnosticOf({ attribute, message }: Problem): object {
  return {
    severity: "ERROR",
    summary: `Invalid ${attribute}`,
    detail: message,
    attribute: { steps: [{ attribute_name: attribute }] },
  };
}

function serve(): void {
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  const controller: Record<string, Call> = {
    Shutdown: () => {
      // The process ends only after the answer was sent.
      setImmediate(() => process.exit(0));
      return {};
    },
  };
  add(server, "tfplugin5.proto", ["tfplugin5", "Provider"], provider);
  add(server, "controller.proto", ["plugin", "GRPCController"], controller);
  // The server listens on a socket in a folder that only this user can read, and not on a port that others could reach.
  // Providers that are written in Go do the same.
  const folder = mkdtempSync(join(tmpdir(), "plugin-"));
  process.on("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const socket = join(folder, "socket");
  server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
    // The handshake line has the version of the core protocol (1), that of the plugin protocol (5), and the address.
    process.stdout.write(`1|5|unix|${socket}|grpc\n`);
  });
}

/**
 * Ends this process when Terraform has ended. A closed standard input would not tell, because Terraform's own, which
 * its plugins share, may be closed from the start.
 */
function endWith(parent: number): void {
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, 500).unref();
}

function add(
  server: Server,
  file: string,
  [group, service]: readonly [string, string],
  calls: Record<string, Call>,
): void {
  const definition = loadSync(join(__dirname, file), { keepCase: true, enums: String });
  const loaded = loadPackageDefinition(definition)[group] as Record<string, ServiceClientConstructor>;
  const constructor = loaded[service];
  if (constructor === undefined) throw new Error(`${file} has no service ${service}`);
  server.addService(
    constructor.service,
    Object.fromEntries(
      Object.entries(calls).map(([name, call]) => [
        name,
        ({ request }: ServerUnaryCall<{ config?: DynamicValue }, object>, answer: sendUnaryData<object>) => {
          answer(null, call(request));
        },
      ]),
    ),
  );
}

if (process.env[cookie.name] === cookie.value) {
  // Ctrl-C reaches every process of the terminal. The provider ignores it, because Terraform itself tells its plugins
  // when to end.
  process.on("SIGINT", () => undefined);
  endWith(process.ppid);
  serve();
} else {
  process.stderr.write("This is a Terraform provider: Terraform starts it. See sandbox/archive-provider.\n");
  process.exitCode = 1;
}
