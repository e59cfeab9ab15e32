import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { installArchiveStandIn } from "../../../sandbox/archive-provider/install";
import { baseEnvironment, Terraform } from "../../../sandbox/terraform";
import { cliConfiguration } from "../../../sandbox/tools/cli-configuration";
import { terraformPlatform } from "../../../sandbox/tools/lookup";
import { archiveProvider } from "../../../sandbox/tools/pinned-providers";
import { describeWith } from "../../support/requires";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

// Node, tsx and Terraform are each started several times, which takes long.
const host = "registry.test";
const { version } = archiveProvider;
const mirror = temporaryFolder();
installArchiveStandIn(mirror, [host], process);

describeWith(["terraform"], "the archive stand-in in Terraform", ({ terraform }) => {
  function stack(archive: object, others: object = {}) {
    const directory = temporaryFolder();
    const configuration = join(temporaryFolder(), "terraform.rc");
    writeFileSync(configuration, cliConfiguration([{ provider: `${host}/hashicorp/archive`, folder: mirror }]));
    writeFiles(directory, {
      "main.tf.json": JSON.stringify(
        {
          terraform: { required_providers: { archive: { source: `${host}/hashicorp/archive`, version } } },
          data: { archive_file: { bundle: { type: "zip", output_path: "out/bundle.zip", ...archive } } },
          output: { state: { value: "${data.archive_file.bundle}" } },
          ...others,
        },
        null,
        // Each attribute is on a line of its own, so that Terraform can point at it.
        2,
      ),
    });
    const environment = baseEnvironment({ TF_CLI_CONFIG_FILE: configuration, TF_DISABLE_PLUGIN_TLS: "1" });
    return { directory, run: new Terraform({ binary: terraform.value, directory, environment }) };
  }

  it("is installed, validated, planned and applied like the real one", async () => {
    const { directory, run } = stack({ source_dir: "bundle", output_file_mode: "0644", excludes: ["*.map"] });
    writeFiles(directory, { "bundle/index.mjs": "code", "bundle/index.mjs.map": "map" });
    await run.init();
    await run.validate();
    await run.apply();
    const { state } = await run.outputs();
    expect(state).toMatchObject({
      source_dir: "bundle",
      source_file: null,
      source: [],
      output_size: readFileSync(join(directory, "out/bundle.zip")).length,
    });
    utimesSync(join(directory, "bundle/index.mjs"), new Date(), new Date());
    await expect(run.plan()).resolves.toMatchObject({ changes: false });
    writeFiles(directory, { "bundle/index.mjs": "other code" });
    await expect(run.plan()).resolves.toMatchObject({ changes: true });
  });

  it("waits for what an apply has to make first", async () => {
    const { run } = stack(
      {
        source: [
          { filename: "a", content: "a" },
          { filename: "b", content: "${terraform_data.made.output}" },
        ],
      },
      { resource: { terraform_data: { made: { input: "b" } } } },
    );
    await run.init();
    await run.apply();
    await expect(run.outputs()).resolves.toMatchObject({ state: { output_size: expect.any(Number) as number } });
    await expect(run.findChanges()).resolves.toBeUndefined();
  });

  it("names the missing folder", async () => {
    const { run } = stack({ source_dir: "nowhere/bundle" });
    await run.init();
    await expect(run.plan()).rejects.toThrow(
      /terraform plan .*failed with exit code 1:\nError: The archive could not be made\n[\s\S]*source_dir "nowhere\/bundle" is no folder/,
    );
  });

  it("refuses two sources at validation, at the attribute's line", async () => {
    const { run } = stack({ source_dir: "a", source_file: "b" });
    await run.init();
    await expect(run.validate()).rejects.toThrow(
      /Error: Invalid source_dir\n[\s\S]*on main\.tf\.json line \d+, in data\.archive_file\.bundle:\n +\d+: +"source_dir"[\s\S]*can't be set together with source_file/,
    );
  });
});

describe("the archive stand-in's process", () => {
  const executable = join(
    mirror,
    host,
    "hashicorp",
    "archive",
    version,
    terraformPlatform(),
    `terraform-provider-archive_v${version}`,
  );
  const cookie = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
  // The provider starts as Terraform starts it: without any variable of this process, and in a folder without a
  // node_modules or tsconfig.json.
  const surroundings = { cwd: temporaryFolder(), env: { TF_PLUGIN_MAGIC_COOKIE: cookie } };

  async function firstLine({ stdout }: ChildProcess): Promise<string> {
    const [chunk] = (await once(stdout ?? process.stdin, "data")) as [Buffer];
    return chunk.toString();
  }

  it("tells a person that Terraform starts it", async () => {
    const child = spawn(executable, { ...surroundings, env: {} });
    const [[chunk], [code]] = (await Promise.all([once(child.stderr, "data"), once(child, "exit")])) as [
      [Buffer],
      [number],
    ];
    expect(chunk.toString()).toMatch("This is a Terraform provider: Terraform starts it.");
    expect(code).toBe(1);
  });

  it("shakes hands, lives through Ctrl-C, and ends when Terraform says so", async () => {
    const child = spawn(executable, { ...surroundings, stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    const handshake = await firstLine(child);
    expect(handshake).toMatch(/^1\|5\|unix\|\/.+\|grpc\n$/);
    const socket = handshake.split("|")[3] ?? "";
    expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
    child.kill("SIGINT");
    const controller = join(__dirname, "../../../sandbox/archive-provider/controller.proto");
    const { plugin } = loadPackageDefinition(loadSync(controller)) as unknown as {
      plugin: { GRPCController: ServiceClientConstructor };
    };
    const client = new plugin.GRPCController(`unix:${socket}`, credentials.createInsecure());
    client.makeUnaryRequest(
      "/plugin.GRPCController/Shutdown",
      () => Buffer.alloc(0),
      () => undefined,
      {},
      () => {
        client.close();
      },
    );
    await expect(exited).resolves.toEqual([0, null]);
    expect(existsSync(dirname(socket))).toBe(false);
  });

  it("ends when Terraform is gone without a word", async () => {
    const parent = spawn("/bin/sh", ["-c", '"$0" & wait', executable], {
      ...surroundings,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await firstLine(parent);
    // The provider holds the other end of this pipe, so the pipe closes when the provider ends.
    const closed = once(parent.stdout, "close");
    parent.stdout.resume();
    parent.kill("SIGKILL");
    await closed;
  });
});
