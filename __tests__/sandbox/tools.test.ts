import { join } from "node:path";
import { findTools, MissingToolsError } from "../../sandbox/tools";
import { findChromium } from "../../sandbox/tools/chromium";
import { findMoto } from "../../sandbox/tools/moto";
import { findTerraform } from "../../sandbox/tools/terraform";
import { emptyMachine } from "../support/machine";
import { programs, temporaryFolder } from "aws-emulator/testing/temporary";

const terraform = (version: string) => `echo '{"terraform_version": "${version}"}'`;
/** A Python that has moto in this version. It fails for everything but the question for the version. */
const python = (version: string) => `[ "$1" = -c ] && echo ${version}`;
const onPath = (...folders: string[]) => ({ environment: { PATH: folders.join(":") } });

describe("Terraform", () => {
  it("is found on PATH, as an absolute path", () => {
    const folder = programs({ terraform: terraform("1.10.0") });
    expect(findTerraform(emptyMachine(onPath(folder)))).toEqual({
      found: { value: join(folder, "terraform"), by: "PATH" },
    });
  });

  it.each(["TERRAFORM_BINARY_NAME", "TERRAFORM"])("comes from %s before PATH", (variable) => {
    const PATH = programs({ terraform: terraform("1.11.4") });
    const own = join(programs({ own: terraform("1.12.0") }), "own");
    expect(findTerraform(emptyMachine({ environment: { PATH, [variable]: own } }))).toEqual({
      found: { value: own, by: `environment variable ${variable}` },
    });
  });

  it("may be named by a name on PATH, as cdktf allows", () => {
    const PATH = programs({ "terraform-next": terraform("1.10.1") });
    const machine = emptyMachine({ environment: { PATH, TERRAFORM_BINARY_NAME: "terraform-next" } });
    expect(findTerraform(machine)).toMatchObject({ found: { value: join(PATH, "terraform-next") } });
  });

  it.each(["1.9.8", "0.15.5"])("%s is too old, and the message says which version was found", (version) => {
    const folder = programs({ terraform: terraform(version) });
    expect(findTerraform(emptyMachine(onPath(folder)))).toEqual({
      missing: `Terraform 1.10 or newer is needed for the state's lock file; ${folder}/terraform (by PATH) is ${version}: install it (https://developer.hashicorp.com/terraform/install), or name it in TERRAFORM_BINARY_NAME or TERRAFORM.`,
    });
  });

  it.each(["1.10.0-beta1", "1.100.0", "2.0.0"])("%s is new enough", (version) => {
    const folder = programs({ terraform: terraform(version) });
    expect(findTerraform(emptyMachine(onPath(folder)))).toHaveProperty("found");
  });

  it("named by a variable that leads nowhere is missing, whatever PATH holds", () => {
    const PATH = programs({ terraform: terraform("1.11.4") });
    const machine = emptyMachine({ environment: { PATH, TERRAFORM: "/nowhere/terraform" } });
    expect(findTerraform(machine)).toHaveProperty(
      "missing",
      expect.stringContaining('("/nowhere/terraform", by environment variable TERRAFORM)'),
    );
  });
});

describe("moto", () => {
  it("is the moto_server on PATH whose Python has moto 5", () => {
    const python3 = join(programs({ python3: python("5.2.1") }), "python3");
    const PATH = programs({ moto_server: `#!${python3}\n` });
    expect(findMoto(emptyMachine(onPath(PATH)))).toEqual({
      found: { value: [join(PATH, "moto_server")], by: "PATH" },
    });
  });

  it("may be a version manager's shim, with the shim of Python beside it", () => {
    const PATH = programs({ moto_server: "#!/usr/bin/env bash\n", python3: python("5.0.0") });
    expect(findMoto(emptyMachine(onPath(PATH)))).toMatchObject({ found: { value: [join(PATH, "moto_server")] } });
  });

  it("is a module of a Python on PATH where there is no moto_server", () => {
    const without = programs({ python3: "exit 1" });
    const withMoto = programs({ python3: python("5.1.0") });
    expect(findMoto(emptyMachine(onPath(without, withMoto)))).toEqual({
      found: { value: [join(withMoto, "python3"), "-m", "moto.server"], by: "python3 -m moto.server" },
    });
  });

  it("is the project's own, in .venv", () => {
    const directory = temporaryFolder();
    const bin = programs({ python: python("5.1.0") }, join(directory, ".venv", "bin"));
    expect(findMoto(emptyMachine({ directory }))).toMatchObject({
      found: { value: [join(bin, "python"), "-m", "moto.server"] },
    });
  });

  it("comes from MOTO_SERVER before PATH", () => {
    const PATH = programs({ moto_server: "#!/bin/sh\n", python3: python("5.2.1") });
    const own = join(programs({ server: "#!/bin/sh\n", python3: python("5.2.0") }), "server");
    expect(findMoto(emptyMachine({ environment: { PATH, MOTO_SERVER: own } }))).toEqual({
      found: { value: [own], by: "environment variable MOTO_SERVER" },
    });
  });

  it("4 is too old: a newer one is taken, else the message names its version", () => {
    const old = programs({ moto_server: "#!/bin/sh\n", python3: python("4.2.14") });
    const recent = programs({ python3: python("5.0.0") });
    expect(findMoto(emptyMachine(onPath(old, recent)))).toMatchObject({ found: { by: "python3 -m moto.server" } });
    expect(findMoto(emptyMachine(onPath(old)))).toHaveProperty(
      "missing",
      expect.stringMatching(
        /^The server of moto 5 or newer is missing \(.*moto_server \(by PATH\) is moto 4\.2\.14.*\): put it into a virtual environment/,
      ),
    );
  });

  it("without its server does not count: the message says that it does not run", () => {
    const PATH = programs({ moto_server: "#!/bin/sh\n", python3: "exit 1" });
    expect(findMoto(emptyMachine(onPath(PATH)))).toHaveProperty(
      "missing",
      expect.stringContaining(`moto_server (by PATH) does not run with ${join(PATH, "python3")}`),
    );
  });

  it("named by a variable that leads nowhere is missing", () => {
    expect(findMoto(emptyMachine({ environment: { PATH: "", MOTO_SERVER: "/nowhere" } }))).toHaveProperty(
      "missing",
      expect.stringContaining('MOTO_SERVER="/nowhere" names no program'),
    );
  });
});

describe("Chromium", () => {
  it("comes from CHROMIUM, then from PATH", () => {
    const PATH = programs({ "google-chrome": "" });
    const own = join(programs({ own: "" }), "own");
    expect(findChromium(emptyMachine({ environment: { PATH } }))).toMatchObject({ found: { by: "PATH" } });
    expect(findChromium(emptyMachine({ environment: { PATH, CHROMIUM: own } }))).toMatchObject({
      found: { value: own, by: "environment variable CHROMIUM" },
    });
  });

  it("is missing where CHROMIUM leads nowhere", () => {
    const machine = emptyMachine({ environment: { PATH: "", CHROMIUM: "/nowhere" } });
    expect(findChromium(machine)).toHaveProperty(
      "missing",
      expect.stringContaining('CHROMIUM="/nowhere" names no program: install it'),
    );
  });
});

describe("all tools", () => {
  it("names everything that is missing in one error, and how to get it", () => {
    const find = () => findTools(emptyMachine());
    expect(find).toThrow(MissingToolsError);
    expect(find).toThrow(
      /Terraform 1\.10 or newer is missing.*developer\.hashicorp\.com[\s\S]*moto 5 or newer is missing.*\.venv\/bin\/pip install/,
    );
  });
});
