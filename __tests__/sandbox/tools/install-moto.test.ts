import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { installMoto } from "../../../sandbox/tools/install-moto";
import { type Machine } from "../../../sandbox/tools/lookup";
import { environmentName, findMoto, requirementsFile } from "../../../sandbox/tools/moto";
import { emptyMachine } from "../../support/machine";
import { programs, temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { until } from "aws-emulator/testing/until";

interface FakePython {
  readonly version?: string;
  /** The shell commands that run as pip. */
  readonly pip?: string;
  readonly hasEnsurepip?: boolean;
}

/**
 * A Python whose virtual environments have moto once pip has run. It writes a log of the commands, and of the
 * environment that pip gets.
 */
function fakePython({ version = "3 12", pip = "exit 0", hasEnsurepip = true }: FakePython = {}) {
  const log = temporaryFolder();
  const made = `#!/bin/sh
here=$(/usr/bin/dirname "$0")/..
case "$*" in
  "-I -m pip install "*)
    echo "$*" >> ${log}/pip; /usr/bin/env > ${log}/environment
    (${pip}) || exit 1
    : > "$here/installed" ;;
  "-c import importlib.metadata"*) [ -f "$here/installed" ] && [ ! -f "$here/broken" ] && echo 5.2.1 ;;
  *) exit 1 ;;
esac
`;
  writeFiles(log, { made });
  const folder = programs({
    python3: `case "$*" in
  "-I -c "*) echo "${version} ${hasEnsurepip ? "True" : "False"}" ;;
  "-I -m venv "*)
    /bin/mkdir -p "$4/bin" && /bin/cp ${log}/made "$4/bin/python" && /bin/chmod +x "$4/bin/python"
    echo "#!$4/bin/python" > "$4/bin/moto_server" ;;
  *) exit 1 ;;
esac`,
  });
  const logged = (name: string) => (existsSync(join(log, name)) ? readFileSync(join(log, name), "utf8") : "");
  return { python: join(folder, "python3"), folder, logged };
}

function machineWith({ folder }: { folder: string }, changes: Partial<Machine> = {}): Machine {
  return emptyMachine({ environment: { PATH: folder }, ...changes });
}

function installing(machine: Machine, signal?: AbortSignal) {
  const lines: string[] = [];
  return { lines, result: installMoto({ machine, signal, onFetch: (line) => lines.push(line) }) };
}

const placeOf = ({ directory }: Machine) => join(directory, ".sandbox", environmentName());
const namesIn = (machine: Machine) => readdirSync(dirname(placeOf(machine)));

it("makes an environment that a later start finds, and says first what is installed, from where, and where it goes", async () => {
  const fake = fakePython();
  const machine = machineWith(fake);
  const { lines, result } = installing(machine);
  const value = [join(placeOf(machine), "bin", "python"), "-m", "moto.server"];
  await expect(result).resolves.toEqual({ value, by: "installed" });
  expect(lines).toEqual([
    `Installing moto (about 60 packages) from pypi.org, or the index that pip is configured for, with ${fake.python} into ${placeOf(machine)}`,
  ]);
  expect(findMoto(machine)).toEqual({ found: { value, by: "installed before" } });
  expect(fake.logged("pip")).toBe(
    `-I -m pip install --no-input --disable-pip-version-check --no-deps -r ${requirementsFile}\n`,
  );
});

it("leaves no script there that names the folder in which it was made", async () => {
  const machine = machineWith(fakePython());
  await installing(machine).result;
  expect(readdirSync(join(placeOf(machine), "bin"))).toEqual(["python"]);
});

it("gives pip its index, its certificates and its proxies, and none of the user's tokens", async () => {
  const fake = fakePython();
  const environment = {
    PATH: fake.folder,
    PIP_INDEX_URL: "https://reader:secret@index.test/simple",
    PIP_CERT: "/certificates",
    REQUESTS_CA_BUNDLE: "/bundle",
    SSL_CERT_FILE: "/file",
    HTTPS_PROXY: "http://proxy.test:3128",
    no_proxy: "index.test",
  };
  const secrets = { GITHUB_TOKEN: "a token", AWS_SECRET_ACCESS_KEY: "a key", PIP_USER: "1" };
  const { lines, result } = installing(machineWith(fake, { environment: { ...environment, ...secrets } }));
  await result;
  for (const [name, value] of Object.entries(environment)) {
    expect(fake.logged("environment").split("\n")).toContain(`${name}=${value}`);
  }
  expect(fake.logged("environment")).toContain("PIP_USER=0");
  expect(fake.logged("environment")).not.toMatch(/a token|a key/);
  expect(lines.join()).toContain("from index.test with");
  expect(lines.join()).not.toContain("secret");
});

it.each([
  [
    "echo 'Looking in indexes'; echo 'ERROR: No matching distribution found for moto==5.2.1' >&2; echo '[notice] a new pip' >&2; exit 1",
    /pip install .*" failed \(ERROR: No matching distribution found for moto==5\.2\.1\)$/,
  ],
  [
    "echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1",
    /\[Errno 28\] No space left on device\)$/,
  ],
  ["kill -9 $$; exit 1", /failed \(it ended with SIGKILL\)$/],
])("names pip's reason and leaves nothing behind where it fails: %s", async (pip, message) => {
  const machine = machineWith(fakePython({ pip }));
  await expect(installing(machine).result).rejects.toThrow(message);
  expect(namesIn(machine)).toEqual([]);
  expect(findMoto(machine)).toHaveProperty("missing");
});

it("takes no environment whose moto does not run", async () => {
  const fake = fakePython({ pip: ': > "$here/broken"' });
  const machine = machineWith(fake);
  await expect(installing(machine).result).rejects.toThrow(
    `moto does not run in the environment that ${fake.python} made`,
  );
  expect(namesIn(machine)).toEqual([]);
});

it("stops pip at once when it is interrupted, and leaves nothing behind", async () => {
  const fake = fakePython({ pip: "/bin/sleep 600" });
  const machine = machineWith(fake);
  const stopping = new AbortController();
  const { result } = installing(machine, stopping.signal);
  const ended = expect(result).rejects.toThrow("stopped");
  await until("pip runs", () => (fake.logged("environment") === "" ? undefined : true));
  stopping.abort(new Error("stopped"));
  await ended;
  expect(namesIn(machine)).toEqual([]);
});

it("takes nothing that a killed start left half done", async () => {
  const machine = machineWith(fakePython());
  writeFiles(dirname(placeOf(machine)), { ".unfinished-x/made/bin/python": "" });
  expect(findMoto(machine)).toHaveProperty("missing");
  await installing(machine).result;
  expect(findMoto(machine)).toHaveProperty("found");
});

it("serves two starts at once: both end with the same whole environment", async () => {
  const machine = machineWith(fakePython({ pip: "/bin/sleep 0.2" }));
  const results = await Promise.all([1, 2, 3].map(() => installing(machine).result));
  expect(new Set(results.map(({ value }) => value[0])).size).toBe(1);
  expect(findMoto(machine)).toHaveProperty("found");
  expect(namesIn(machine)).toHaveLength(1);
});

it("replaces an environment whose Python is gone", async () => {
  const machine = machineWith(fakePython());
  writeFiles(placeOf(machine), { "bin/python": "#!/nowhere/python3" });
  expect(findMoto(machine)).toHaveProperty("missing");
  await installing(machine).result;
  expect(findMoto(machine)).toHaveProperty("found");
  expect(namesIn(machine)).toHaveLength(1);
});

it("goes to the user's cache where the checkout can't be written to", async () => {
  const machine = machineWith(fakePython(), { directory: writeFiles(temporaryFolder(), { ".sandbox": "" }) });
  const { value } = await installing(machine).result;
  expect(value[0]).toBe(join(machine.home, ".cache", "event-driven-email", environmentName(), "bin", "python"));
  expect(findMoto(machine)).toEqual({ found: { value, by: "installed before" } });
});

describe("the Python that makes it", () => {
  it("is told to be missing in one sentence, with the command of each system", async () => {
    await expect(installing(emptyMachine()).result).rejects.toThrow(
      "Python 3.10 or newer is missing (looked for python3 and python on PATH): install it (Debian, Ubuntu: apt-get install python3 python3-venv; Fedora: dnf install python3; macOS: brew install python3)",
    );
  });

  it("may be too old, which the message says", async () => {
    const fake = fakePython({ version: "3 9" });
    await expect(installing(machineWith(fake)).result).rejects.toThrow(
      `Python 3.10 or newer is missing (looked for python3 and python on PATH; ${fake.python} is 3.9): install it`,
    );
  });

  it("without the module for environments, as Debian has it, gets a sentence of its own", async () => {
    const fake = fakePython({ hasEnsurepip: false });
    await expect(installing(machineWith(fake)).result).rejects.toThrow(
      `${fake.python} lacks the module that makes virtual environments: install it (Debian, Ubuntu: apt-get install python3-venv)`,
    );
  });

  it("is the first on PATH that can: an old one, or one without the module, stands in nobody's way", async () => {
    const [old, without, whole] = [{ version: "3 9" }, { hasEnsurepip: false }, {}].map(fakePython);
    const folders = [old, without, whole].map((fake) => fake?.folder ?? "");
    const { lines, result } = installing(emptyMachine({ environment: { PATH: folders.join(":") } }));
    await result;
    expect(lines.join()).toContain(`with ${whole?.python ?? ""} into`);
  });
});
