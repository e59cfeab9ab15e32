import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Fetchers, type Machine, MissingToolsError, prepareTerraform, prepareTools } from "../../../sandbox/tools";
import { emptyMachine } from "../../support/machine";
import { programs, temporaryFolder } from "aws-emulator/testing/temporary";

const terraform = `echo '{"terraform_version": "1.11.4"}'`;
const moto = { python3: `[ "$1" = -c ] && echo 5.2.1` };

/** Stand-ins for the two downloads. They record which of them were asked for. */
function fetchers(changes: Partial<Fetchers> = {}) {
  const asked: string[] = [];
  const all: Fetchers = {
    terraform: ({ onFetch }) => {
      asked.push("terraform");
      onFetch("Fetching Terraform");
      return Promise.resolve({ value: "/fetched/terraform", by: "fetched" });
    },
    moto: ({ onFetch }) => {
      asked.push("moto");
      onFetch("Installing moto");
      return Promise.resolve({ value: ["/installed/python"], by: "installed" });
    },
    ...changes,
  };
  return { asked, fetchers: all };
}

const failing = (reason: string) => () => Promise.reject(new Error(reason));

function prepare(machine: Machine, { fetchers: given }: { fetchers: Fetchers } = fetchers(), signal?: AbortSignal) {
  const lines: string[] = [];
  const tools = prepareTools({
    machine,
    fetchers: given,
    onFetch: (line) => lines.push(line),
    ...(signal === undefined ? {} : { signal }),
  });
  return { tools, lines };
}

describe("a start", () => {
  it("fetches nothing where the tools are found, and prints no line", async () => {
    const PATH = programs({ terraform, ...moto });
    const machine = emptyMachine({ environment: { PATH } });
    const given = fetchers();
    const { tools, lines } = prepare(machine, given);
    await expect(tools).resolves.toMatchObject({
      terraform: { value: join(PATH, "terraform"), by: "PATH" },
      moto: { value: [join(PATH, "python3"), "-m", "moto.server"] },
    });
    expect([...given.asked, ...lines]).toEqual([]);
    expect(existsSync(join(machine.directory, ".sandbox"))).toBe(false);
  });

  it.each([
    ["Terraform", moto, ["terraform"], ["Fetching Terraform"]],
    ["moto", { terraform }, ["moto"], ["Installing moto"]],
    ["both", {}, ["terraform", "moto"], ["Fetching Terraform", "Installing moto"]],
    [
      "a Terraform that is new enough",
      { terraform: `echo '{"terraform_version": "1.9.8"}'`, ...moto },
      ["terraform"],
      ["Fetching Terraform"],
    ],
  ])("without %s fetches what is missing and nothing else", async (_, present, fetched, said) => {
    const given = fetchers();
    const { tools, lines } = prepare(emptyMachine({ environment: { PATH: programs(present) } }), given);
    await expect(tools).resolves.toHaveProperty("moto");
    expect(given.asked).toEqual(fetched);
    expect(lines).toEqual(said);
  });

  it.each(["TERRAFORM", "TERRAFORM_BINARY_NAME", "MOTO_SERVER"])(
    "fetches nothing in place of what %s names and is not there",
    async (variable) => {
      const environment = { PATH: programs({ terraform, ...moto }), [variable]: "/nowhere/tool" };
      const given = fetchers();
      await expect(prepare(emptyMachine({ environment }), given).tools).rejects.toThrow("/nowhere/tool");
      expect(given.asked).toEqual([]);
    },
  );

  it("without a network names all that is missing, how to get it, and why it can't be fetched, in one error", async () => {
    const given = fetchers({ terraform: failing("no such host"), moto: failing("no index") });
    const { tools } = prepare(emptyMachine(), given);
    await expect(tools).rejects.toThrow(MissingToolsError);
    await expect(tools).rejects.toThrow(
      /^The sandbox can't start:\n {2}- Terraform 1\.10 or newer is missing \("terraform", by PATH\): install it \(https:\/\/developer\.hashicorp\.com\/terraform\/install\), or name it in TERRAFORM_BINARY_NAME or TERRAFORM\. It can't be fetched either: no such host\.\n {2}- The server of moto 5 or newer is missing: put it into a virtual environment .*\. It can't be fetched either: no index\.$/,
    );
  });

  it("that is interrupted ends with the reason of its signal, and says nothing of missing tools", async () => {
    const stopping = new AbortController();
    const given = fetchers({
      terraform: ({ signal }) => {
        stopping.abort(new Error("Ctrl-C"));
        return Promise.reject(new Error(`aborted: ${String(signal?.aborted)}`));
      },
    });
    await expect(prepare(emptyMachine(), given, stopping.signal).tools).rejects.toThrow("Ctrl-C");
  });

  it("never advises to install into the system's Python, which Debian refuses", async () => {
    const { tools } = prepare(emptyMachine(), fetchers({ moto: failing("no index") }));
    const message = await tools.then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
    expect(message).toMatch(/moto/);
    expect(message).not.toMatch(/(?<!\.venv\/bin\/)pip install/);
  });

  it("on Windows, where moto does not run, installs none", async () => {
    const given = fetchers();
    const machine = emptyMachine({ platform: "win32", directory: temporaryFolder() });
    await expect(prepare(machine, given).tools).rejects.toThrow(/moto 5 or newer is missing/);
    expect(given.asked).toEqual(["terraform"]);
  });
});

describe("a synth, which needs Terraform alone", () => {
  const prepareSynth = (machine: Machine, given: Fetchers = fetchers().fetchers) =>
    prepareTerraform({ machine, fetchers: given, onFetch: () => undefined });

  it("uses the one that is found, and fetches none", async () => {
    const PATH = programs({ terraform });
    const given = fetchers();
    const found = await prepareSynth(emptyMachine({ environment: { PATH } }), given.fetchers);
    expect(found).toEqual({ value: join(PATH, "terraform"), by: "PATH" });
    expect(given.asked).toEqual([]);
  });

  it("fetches one where none is found, and no moto", async () => {
    const given = fetchers();
    const found = await prepareSynth(emptyMachine(), given.fetchers);
    expect(found).toEqual({ value: "/fetched/terraform", by: "fetched" });
    expect(given.asked).toEqual(["terraform"]);
  });

  it("fetches none in place of the one that a variable names", async () => {
    const given = fetchers();
    const machine = emptyMachine({ environment: { PATH: "", TERRAFORM: "/nowhere/tool" } });
    await expect(prepareSynth(machine, given.fetchers)).rejects.toThrow("/nowhere/tool");
    expect(given.asked).toEqual([]);
  });

  it("says without a network what a start says", async () => {
    const { fetchers: given } = fetchers({ terraform: failing("no such host"), moto: failing("no index") });
    const messageOf = (preparing: Promise<unknown>) =>
      preparing.then(
        () => "",
        (error: unknown) => (error as Error).message,
      );
    const said = await messageOf(prepareSynth(emptyMachine(), given));
    const [first, sentence, ...others] = said.split("\n");
    expect({ first, others }).toEqual({ first: "The synth can't start:", others: [] });
    expect(sentence).toContain("It can't be fetched either: no such host.");
    const start = prepareTools({ machine: emptyMachine(), fetchers: given, onFetch: () => undefined });
    expect((await messageOf(start)).split("\n")).toContain(sentence);
  });
});
