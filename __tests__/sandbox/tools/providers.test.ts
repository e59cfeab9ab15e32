import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Found, MissingToolsError, type ProviderMirror } from "../../../sandbox/tools";
import { archiveProvider, ownPluginCache } from "../../../sandbox/tools/pinned-providers";
import { resolveProviders } from "../../../sandbox/tools/providers";
import { emptyMachine } from "../../support/machine";
import { programs, temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const mirror = (folder: string): Found<ProviderMirror> => ({
  value: { folder, hosts: ["registry.test"] },
  by: "search",
});
const offline = () => "no such host";
const online = () => undefined;

function resolve(options: Partial<Parameters<typeof resolveProviders>[0]>) {
  const resolved = resolveProviders({
    terraform: "/nowhere/terraform",
    awsMirror: undefined,
    archiveMirror: undefined,
    workDirectory: temporaryFolder(),
    machine: emptyMachine(),
    whyNotInstallable: () => {
      throw new Error("asked without need");
    },
    ...options,
  });
  return { ...resolved, configuration: readFileSync(resolved.environment.TF_CLI_CONFIG_FILE ?? "", "utf8") };
}

it("takes both providers from mirrors without asking a registry", () => {
  const resolved = resolve({ awsMirror: mirror("/one"), archiveMirror: mirror('/two "quoted"') });
  expect(resolved).toMatchObject({
    aws: { kind: "mirror", by: "mirror (search)" },
    archive: { kind: "mirror", by: "mirror (search)" },
  });
  expect(Object.keys(resolved.environment)).toEqual(["TF_CLI_CONFIG_FILE"]);
  expect(resolved.configuration).toBe(`provider_installation {
  filesystem_mirror {
    path    = "/one"
    include = ["hashicorp/aws"]
  }
  filesystem_mirror {
    path    = "/two \\"quoted\\""
    include = ["hashicorp/archive"]
  }
  direct {
    exclude = ["hashicorp/aws","hashicorp/archive"]
  }
}
`);
});

it("prefers the real archive provider where Terraform can install it", () => {
  const resolved = resolve({ awsMirror: mirror("/one"), whyNotInstallable: online });
  expect(resolved.archive).toEqual({ kind: "registry", by: "registry" });
  expect(resolved.configuration).toContain('exclude = ["hashicorp/aws"]');
  expect(resolved.environment).not.toHaveProperty("TF_DISABLE_PLUGIN_TLS");
});

it("puts the stand-in beside the AWS provider's registry where it can't", () => {
  const workDirectory = temporaryFolder();
  const resolved = resolve({ awsMirror: mirror("/one"), whyNotInstallable: offline, workDirectory });
  const folder = join(workDirectory, "archive-provider");
  expect(resolved.archive).toEqual({ kind: "stand-in", by: "stand-in", folder });
  expect(resolved.environment).toMatchObject({ TF_DISABLE_PLUGIN_TLS: "1" });
  // In a plug-in cache, Terraform would keep the stand-in under the real provider's name.
  expect(resolved.environment).not.toHaveProperty("TF_PLUGIN_CACHE_DIR");
  const { version } = archiveProvider;
  const executable = `registry.test/hashicorp/archive/${version}/linux_amd64/terraform-provider-archive_v${version}`;
  expect(readFileSync(join(folder, executable), "utf8")).toContain(process.execPath);
});

it("keeps what comes from the registry in a cache: the user's, else the project's", () => {
  const machine = emptyMachine();
  expect(resolve({ whyNotInstallable: online, machine }).environment).toMatchObject({
    TF_PLUGIN_CACHE_DIR: join(machine.directory, ".sandbox", ownPluginCache),
  });
  const TF_PLUGIN_CACHE_DIR = temporaryFolder();
  expect(
    resolve({ whyNotInstallable: online, machine: emptyMachine({ environment: { TF_PLUGIN_CACHE_DIR } }) }).environment,
  ).toMatchObject({ TF_PLUGIN_CACHE_DIR });
});

it("keeps it in the user's cache where the checkout can't be written to, and says so where neither can", () => {
  const directory = writeFiles(temporaryFolder(), { ".sandbox": "" });
  const machine = emptyMachine({ directory });
  const cache = join(machine.home, ".cache", "event-driven-email", ownPluginCache);
  expect(resolve({ whyNotInstallable: online, machine }).environment).toMatchObject({ TF_PLUGIN_CACHE_DIR: cache });
  const home = writeFiles(temporaryFolder(), { ".cache": "" });
  const run = () => resolve({ whyNotInstallable: online, machine: emptyMachine({ directory, home }) });
  expect(run).toThrow(MissingToolsError);
  expect(run).toThrow(/The providers need a folder: nothing can be kept in .*; name a folder .* in XDG_CACHE_HOME\.$/);
});

it("says what is missing, why, and the way out where there is neither a mirror nor a registry", () => {
  const run = () => resolve({ whyNotInstallable: offline });
  expect(run).toThrow(MissingToolsError);
  expect(run).toThrow(/No mirror holds hashicorp\/aws .* and hashicorp\/archive .*no such host.*TF_PROVIDER_MIRROR/);
});

it("names the AWS provider alone where a mirror holds the other", () => {
  const run = () => resolve({ archiveMirror: mirror("/two"), whyNotInstallable: offline });
  expect(run).toThrow(/No mirror holds hashicorp\/aws [\d.]+, and Terraform can't install .*no such host/);
  const resolved = resolve({ archiveMirror: mirror("/two"), whyNotInstallable: online });
  expect(resolved).toMatchObject({ aws: { kind: "registry" }, archive: { kind: "mirror" } });
});

it("does not offer the stand-in, a shell script, to Windows", () => {
  const machine = emptyMachine({ platform: "win32" });
  const run = () => resolve({ awsMirror: mirror("/one"), whyNotInstallable: offline, machine });
  expect(run).toThrow(/No mirror holds hashicorp\/archive [\d.]+, and/);
});

it("asks Terraform once a process whether it can install the archive provider", () => {
  const log = join(temporaryFolder(), "calls");
  const terraform = join(
    programs({ terraform: `echo "$*" >> ${log}; echo "Error: no such host" >&2; exit 1` }),
    "terraform",
  );
  const options = { terraform, awsMirror: mirror("/one"), archiveMirror: undefined, machine: emptyMachine() };
  for (let run = 0; run < 2; run++) {
    expect(resolveProviders({ ...options, workDirectory: temporaryFolder() }).archive.kind).toBe("stand-in");
  }
  expect(readFileSync(log, "utf8")).toBe("init -backend=false -input=false -no-color\n");
});
