import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { installArchiveStandIn } from "../../../sandbox/archive-provider/install";
import { parseCliConfiguration } from "../../../sandbox/tools/cli-configuration";
import { terraformPlatform } from "../../../sandbox/tools/lookup";
import { findProviderMirror, impliedMirrors } from "../../../sandbox/tools/mirrors";
import { archiveProvider, awsProvider } from "../../../sandbox/tools/pinned-providers";
import { emptyMachine } from "../../support/machine";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const { version } = awsProvider;

/** Makes a mirror with the unpacked AWS provider. */
function mirror(folder: string, host = "registry.test", platform = "linux_amd64"): string {
  return writeFiles(folder, {
    [`${host}/hashicorp/aws/${version}/${platform}/terraform-provider-aws_v${version}_x5`]: "",
  });
}

describe("a provider's mirror", () => {
  it("is read in both of Terraform's layouts", () => {
    const unpacked = mirror(temporaryFolder());
    const packed = writeFiles(temporaryFolder(), {
      [`registry.test/hashicorp/aws/terraform-provider-aws_${version}_linux_amd64.zip`]: "",
    });
    for (const folder of [unpacked, packed]) {
      const machine = emptyMachine({ environment: { TF_PROVIDER_MIRROR: folder } });
      expect(findProviderMirror(awsProvider, machine)).toEqual({
        value: { folder, hosts: ["registry.test"] },
        by: "environment variable TF_PROVIDER_MIRROR",
      });
    }
  });

  it("is taken from the first folder of TF_PROVIDER_MIRROR's list that holds it", () => {
    const folder = mirror(temporaryFolder());
    const machine = emptyMachine({ environment: { TF_PROVIDER_MIRROR: `${temporaryFolder()}:${folder}` } });
    expect(findProviderMirror(awsProvider, machine)?.value.folder).toBe(folder);
  });

  it("names every registry that holds the provider", () => {
    const folder = mirror(mirror(temporaryFolder(), "b.test"), "a.test");
    writeFiles(folder, { "c.test/hashicorp/random/1.0.0/linux_amd64/terraform-provider-random": "" });
    const machine = emptyMachine({ environment: { TF_PROVIDER_MIRROR: folder } });
    expect(findProviderMirror(awsProvider, machine)?.value.hosts).toEqual(["a.test", "b.test"]);
  });

  it.each([
    ["for another platform", `registry.test/hashicorp/aws/${version}/darwin_arm64/terraform-provider-aws_v${version}`],
    ["of another version", "registry.test/hashicorp/aws/4.0.0/linux_amd64/terraform-provider-aws_v4.0.0"],
    ["of which only the folders exist", `registry.test/hashicorp/aws/${version}/linux_amd64/LICENSE.txt`],
  ])("with a provider %s does not count", (_, file) => {
    const folder = writeFiles(temporaryFolder(), { [file]: "" });
    const machine = emptyMachine({ environment: { TF_PROVIDER_MIRROR: folder } });
    expect(findProviderMirror(awsProvider, machine)).toBeUndefined();
  });

  it("is found in the project's terraform.d, the home's, and those of XDG", () => {
    const data = temporaryFolder();
    const system = temporaryFolder();
    const environment = { XDG_DATA_HOME: data, XDG_DATA_DIRS: `/nowhere:${system}` };
    const places = (machine: ReturnType<typeof emptyMachine>) => [
      join(machine.directory, "terraform.d/plugins"),
      join(machine.home, ".terraform.d/plugins"),
      join(data, "terraform/plugins"),
      join(system, "terraform/plugins"),
    ];
    const count = places(emptyMachine()).length;
    for (let index = count - 1; index >= 0; index--) {
      const machine = emptyMachine({ environment });
      const folder = places(machine)[index] ?? "";
      mirror(folder);
      expect(findProviderMirror(awsProvider, machine)).toMatchObject({ value: { folder }, by: "implied mirror" });
    }
  });

  it("is looked for where Terraform looks on macOS and Windows", () => {
    expect(impliedMirrors(emptyMachine({ platform: "darwin", home: "/Users/ada" }))).toEqual([
      "terraform.d/plugins",
      "/Users/ada/.terraform.d/plugins",
      "/Users/ada/Library/Application Support/io.terraform/plugins",
      "/Library/Application Support/io.terraform/plugins",
    ]);
    expect(impliedMirrors(emptyMachine({ platform: "win32", environment: { APPDATA: "/data" } }))).toEqual([
      "terraform.d/plugins",
      "/data/terraform.d/plugins",
      "/data/HashiCorp/Terraform/plugins",
    ]);
  });

  it("is the one that the user's Terraform configuration names", () => {
    const folder = mirror(temporaryFolder());
    const text = `provider_installation {\n  filesystem_mirror {\n    path = "${folder}"\n  }\n}\n`;
    const home = writeFiles(temporaryFolder(), { ".terraformrc": text });
    const file = join(writeFiles(temporaryFolder(), { "own.tfrc": text }), "own.tfrc");
    const expected = { value: { folder }, by: "Terraform's CLI configuration" };
    expect(findProviderMirror(awsProvider, emptyMachine({ home }))).toMatchObject(expected);
    const machine = emptyMachine({ environment: { TF_CLI_CONFIG_FILE: file } });
    expect(findProviderMirror(awsProvider, machine)).toMatchObject(expected);
  });

  it("may be the cache of what was downloaded before", () => {
    const folder = mirror(temporaryFolder());
    const machine = emptyMachine({ environment: { TF_PLUGIN_CACHE_DIR: folder } });
    expect(findProviderMirror(awsProvider, machine)).toMatchObject({ value: { folder }, by: "plugin cache" });
  });

  it("is searched for last, some levels deep, and not in hidden, virtual or dependency folders", () => {
    const root = temporaryFolder();
    const machine = emptyMachine({ searchRoots: [root] });
    mirror(join(root, ".hidden"));
    mirror(join(root, "proc"));
    mirror(join(root, "node_modules", "mirror"));
    mirror(join(root, "one", "two", "three", "four", "five", "six"));
    expect(findProviderMirror(awsProvider, machine)).toBeUndefined();
    const folder = mirror(join(root, "one", "two", "three"));
    expect(findProviderMirror(awsProvider, machine)).toEqual({
      value: { folder, hosts: ["registry.test"] },
      by: "search",
    });
  });
});

describe("the stand-in of a sandbox", () => {
  const file = `registry.test/hashicorp/archive/${archiveProvider.version}/linux_amd64`;
  /** Makes a mirror with the stand-in of a sandbox, of this checkout or of another. */
  function standIn(folder: string): string {
    installArchiveStandIn(folder, ["registry.test"], emptyMachine());
    return folder;
  }

  it("of a running sandbox is not taken for a mirror by the search: it is gone when that one ends", () => {
    const root = temporaryFolder();
    const machine = emptyMachine({ searchRoots: [root] });
    standIn(join(root, "email-sandbox-x", "archive-provider"));
    expect(findProviderMirror(archiveProvider, machine)).toBeUndefined();
    const real = writeFiles(join(root, "one", "mirrors"), { [`${file}/terraform-provider-archive_v1`]: "\x7fELF" });
    expect(findProviderMirror(archiveProvider, machine)).toMatchObject({ value: { folder: real }, by: "search" });
  });

  it("is taken from no other place either, though a plug-in cache may hold a copy or a link of it", () => {
    const folder = standIn(temporaryFolder());
    const linked = temporaryFolder();
    mkdirSync(join(linked, file, ".."), { recursive: true });
    symlinkSync(join(folder, file), join(linked, file));
    for (const place of [folder, linked]) {
      for (const name of ["TF_PLUGIN_CACHE_DIR", "TF_PROVIDER_MIRROR"]) {
        const machine = emptyMachine({ environment: { [name]: place } });
        expect(findProviderMirror(archiveProvider, machine)).toBeUndefined();
      }
    }
  });

  it("does not hide the real provider of another registry in the same folder", () => {
    const folder = writeFiles(standIn(temporaryFolder()), {
      [`${file.replace("registry.test", "real.test")}/terraform-provider-archive_v1_x5`]: "\x7fELF",
    });
    const machine = emptyMachine({ environment: { TF_PROVIDER_MIRROR: folder } });
    expect(findProviderMirror(archiveProvider, machine)?.value.hosts).toEqual(["real.test"]);
  });
});

describe("Terraform's CLI configuration", () => {
  it("is read in its usual form, without what is commented out", () => {
    const text = `
      plugin_cache_dir = "$HOME/.terraform.d/plugin-cache"
      provider_installation {
        # filesystem_mirror { path = "/commented/out" }
        filesystem_mirror {
          path    = "/one"
          include = ["hashicorp/aws"]
        }
        filesystem_mirror { path = "/two \\"quoted\\"" }
        // filesystem_mirror { path = "/commented/too" }
        network_mirror { url = "https://mirror.test/" }
        direct {}
      }`;
    expect(parseCliConfiguration(text, { HOME: "/users/ada" })).toEqual({
      mirrors: ["/one", '/two "quoted"'],
      pluginCache: "/users/ada/.terraform.d/plugin-cache",
    });
  });

  it("in another form gives nothing", () => {
    expect(parseCliConfiguration('provider_installation { filesystem_mirror { path = file("x") } }', {})).toEqual({
      mirrors: [],
    });
  });
});

it.each([
  ["linux", "x64", "linux_amd64"],
  ["darwin", "arm64", "darwin_arm64"],
  ["win32", "ia32", "windows_386"],
] as const)("names %s %s as Terraform does: %s", (platform, arch, expected) => {
  expect(terraformPlatform({ platform, arch })).toBe(expected);
});
