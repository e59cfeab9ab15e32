import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { fetchTerraform, hashiCorp, redirectedTo, type Releases } from "../../../sandbox/tools/fetch-terraform";
import { type Machine } from "../../../sandbox/tools/lookup";
import { fetchedVersion, findTerraform } from "../../../sandbox/tools/terraform";
import { emptyMachine } from "../../support/machine";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const archive = `terraform_${fetchedVersion}_linux_amd64.zip`;
const list = `terraform_${fetchedVersion}_SHA256SUMS`;
const signature = `${list}.72D7468F.sig`;
const program = `#!/bin/sh\necho '{"terraform_version": "${fetchedVersion}"}'\n`;
const zipOf = (files: Record<string, string>) =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));
const sumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const zip = zipOf({ "LICENSE.txt": "a licence", terraform: program });
const sums = `${"0".repeat(64)}  terraform_${fetchedVersion}_darwin_arm64.zip\n${sumOf(zip)}  ${archive}\n`;

interface Key {
  /** The key in ASCII-armoured form. */
  readonly publicKey: string;
  readonly sign: (text: string) => Promise<Uint8Array>;
}
let key: Key;
let otherKey: Key;
const servers: Server[] = [];

async function newKey(name: string): Promise<Key> {
  const { createMessage, generateKey, sign } = await import("openpgp");
  const { privateKey: signingKeys, publicKey } = await generateKey({ userIDs: [{ name }], format: "object" });
  return {
    publicKey: publicKey.armor(),
    sign: async (text) =>
      sign({
        message: await createMessage({ binary: strToU8(text) }),
        signingKeys,
        detached: true,
        format: "binary",
      }) as Promise<Uint8Array>,
  };
}

beforeAll(async () => {
  key = await newKey("HashiCorp");
  otherKey = await newKey("Somebody else");
});

afterAll(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Answer = Uint8Array | string | ((request: IncomingMessage, response: ServerResponse) => void);

/** Starts a site like HashiCorp's. `changes` replaces single files, and `undefined` removes one. */
async function site(changes: Readonly<Record<string, Answer | undefined>> = {}) {
  const files: Record<string, Answer | undefined> = {
    [archive]: zip,
    [list]: sums,
    [signature]: await key.sign(sums),
    ...changes,
  };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url?.split("/").pop() ?? "";
    asked.push(name);
    const answer = request.url === `/terraform/${fetchedVersion}/${name}` ? files[name] : undefined;
    if (typeof answer === "function") answer(request, response);
    else response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  const releases: Releases = { origin: await listen(server), publicKey: key.publicKey };
  return { releases, asked, server };
}

function fetching(machine: Machine, releases: Releases, signal?: AbortSignal) {
  const lines: string[] = [];
  return { lines, result: fetchTerraform({ machine, releases, signal, onFetch: (line) => lines.push(line) }) };
}

const folderOf = ({ directory }: Machine) => join(directory, ".sandbox", "terraform");
const fileOf = (machine: Machine) => join(folderOf(machine), `${fetchedVersion}_linux_amd64`, "terraform");

it("keeps a Terraform that a later start finds, and says first what is fetched, from where, and where it goes", async () => {
  const machine = emptyMachine();
  const { releases } = await site();
  const { lines, result } = fetching(machine, releases);
  const { host } = new URL(releases.origin);
  await expect(result).resolves.toEqual({ value: fileOf(machine), by: `fetched from ${host}` });
  expect(lines).toEqual([
    `Fetching Terraform ${fetchedVersion} (about 30 MB) from ${host} into ${join(fileOf(machine), "..")}`,
  ]);
  expect(findTerraform(machine)).toEqual({ found: { value: fileOf(machine), by: "fetched before" } });
  expect(readdirSync(folderOf(machine))).toHaveLength(1);
});

/** Sends more than `megabytes`, in pieces, and says nothing of a length; `sent` counts what was taken. */
function endless(sent: { megabytes: number }): Answer {
  return (_, response) => {
    const more = () => {
      if (response.destroyed) return;
      sent.megabytes += 1;
      response.write(Buffer.alloc(1_000_000), more);
    };
    response.on("error", () => undefined);
    more();
  };
}
const announcing =
  (bytes: number): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-length": bytes });
    response.write("PK");
  };
const webPage: Answer = (_, response) => {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<h1>Please log in</h1>");
};
const redirecting =
  (location?: string): Answer =>
  (_, response) => {
    response.writeHead(302, location === undefined ? {} : { location }).end();
  };

const half = zip.subarray(0, zip.length / 2);
const other = zipOf({ terraform: "#!/bin/sh\nrm -rf /\n" });
const withoutProgram = zipOf({ "LICENSE.txt": "a licence" });
const sumsOf = (bytes: Uint8Array) => `${sumOf(bytes)}  ${archive}\n`;

describe("takes no archive", () => {
  it.each<[string, () => Promise<Record<string, Answer | undefined>>, RegExp]>([
    [
      "whose connection breaks",
      () =>
        Promise.resolve({
          [archive]: (_, response) => {
            response.writeHead(200, { "content-length": zip.length });
            response.write(half, () => response.destroy());
          },
        }),
      /linux_amd64\.zip: other side closed/,
    ],
    [
      "that ends too early",
      () => Promise.resolve({ [archive]: half }),
      new RegExp(`came with the SHA-256 ${sumOf(half)}, where HashiCorp's list says ${sumOf(zip)}`),
    ],
    ["with other bytes", () => Promise.resolve({ [archive]: other }), /came with the SHA-256/],
    [
      "of a list that another key signed",
      async () => ({ [signature]: await otherKey.sign(sums) }),
      /SHA256SUMS is not signed by HashiCorp's key 72D7468F \(.*/,
    ],
    [
      "of a list that was changed after it was signed",
      () => Promise.resolve({ [archive]: other, [list]: sumsOf(other) }),
      /is not signed by HashiCorp's key 72D7468F \(.*/,
    ],
    ["with a signature that is none", () => Promise.resolve({ [signature]: "<html>" }), /is not signed by HashiCorp/],
    ["with an empty signature", () => Promise.resolve({ [signature]: "" }), /is not signed by HashiCorp/],
    ["without a signature", () => Promise.resolve({ [signature]: undefined }), /72D7468F\.sig: it answers 404/],
    ["that is not there", () => Promise.resolve({ [archive]: undefined }), /linux_amd64\.zip: it answers 404/],
    [
      "that the list does not have",
      async () => ({ [list]: "", [signature]: await key.sign("") }),
      /127\.0\.0\.1:\d+ has no terraform_.*_linux_amd64\.zip/,
    ],
    [
      "that says that it is too large",
      () => Promise.resolve({ [archive]: announcing(300_000_001) }),
      /linux_amd64\.zip: it is larger than 300 MB, the most that is taken of it; look at .*, or install Terraform yourself$/,
    ],
    [
      "of a list that does not end",
      () => Promise.resolve({ [list]: endless({ megabytes: 0 }) }),
      /SHA256SUMS: it is larger than 1 MB, the most/,
    ],
    [
      "of a list that says that it is too large",
      () => Promise.resolve({ [list]: announcing(1_000_001) }),
      /SHA256SUMS: it is larger than 1 MB, the most/,
    ],
    [
      "with a signature that does not end",
      () => Promise.resolve({ [signature]: endless({ megabytes: 0 }) }),
      /72D7468F\.sig: it is larger than 0\.1 MB, the most/,
    ],
    ...[archive, list, signature].map((name): [string, () => Promise<Record<string, Answer>>, RegExp] => [
      `where a web page answers in the place of ${name}`,
      () => Promise.resolve({ [name]: webPage }),
      /: it answers with a web page in place of the file; look at what your network or proxy puts in its place/,
    ]),
    [
      "that redirects in a circle",
      () => Promise.resolve({ [archive]: redirecting(archive) }),
      /linux_amd64\.zip: it redirects more than 3 times; look at/,
    ],
    [
      "that redirects nowhere",
      () => Promise.resolve({ [archive]: redirecting() }),
      /linux_amd64\.zip: it redirects, and names no address/,
    ],
    [
      "that redirects to a file of this machine",
      () => Promise.resolve({ [archive]: redirecting("file:///etc/passwd") }),
      /linux_amd64\.zip: it redirects to file:\/\/, which is not https/,
    ],
    [
      "without Terraform in it",
      async () => ({
        [archive]: withoutProgram,
        [list]: sumsOf(withoutProgram),
        [signature]: await key.sign(sumsOf(withoutProgram)),
      }),
      /the archive has no terraform/,
    ],
  ])("%s, and leaves nothing behind", async (_, changes, message) => {
    const machine = emptyMachine();
    const { releases } = await site(await changes());
    await expect(fetching(machine, releases).result).rejects.toThrow(message);
    expect(readdirSync(folderOf(machine))).toEqual([]);
    expect(findTerraform(machine)).toHaveProperty("missing");
  });

  it("signed by anybody but HashiCorp, with the key that is used in earnest", async () => {
    const { releases } = await site();
    const { result } = fetching(emptyMachine(), { ...releases, publicKey: hashiCorp.publicKey });
    await expect(result).rejects.toThrow(/is not signed by HashiCorp's key/);
  });
});

it("follows a few redirects", async () => {
  const elsewhere = await listen(createServer((_, response) => response.end(zip)));
  const { releases, asked } = await site({
    [archive]: redirecting("second"),
    second: redirecting("third"),
    third: redirecting(`${elsewhere}/terraform.zip`),
  });
  const machine = emptyMachine();
  await expect(fetching(machine, releases).result).resolves.toMatchObject({ value: fileOf(machine) });
  expect(asked.slice(-3)).toEqual([archive, "second", "third"]);
});

it("follows three redirects and no more", async () => {
  const { releases, asked } = await site({ [archive]: redirecting(archive) });
  await expect(fetching(emptyMachine(), releases).result).rejects.toThrow(/more than 3 times/);
  expect(asked.filter((name) => name === archive)).toHaveLength(4);
});

it("stops to read where the limit is reached", async () => {
  const sent = { megabytes: 0 };
  const { releases } = await site({ [list]: endless(sent) });
  await expect(fetching(emptyMachine(), releases).result).rejects.toThrow(/larger than 1 MB/);
  // What the two machines' buffers hold may be on its way.
  expect(sent.megabytes).toBeLessThan(50);
});

describe("a redirect", () => {
  const https = "https://releases.hashicorp.com/terraform/terraform.zip";

  it.each([
    ["https://cdn.example/terraform.zip", "https://cdn.example/terraform.zip"],
    ["/other.zip", "https://releases.hashicorp.com/other.zip"],
    ["//cdn.example/other.zip", "https://cdn.example/other.zip"],
  ])("may lead from https to %s", (location, expected) => {
    expect(redirectedTo(location, https)).toBe(expected);
  });

  it.each(["http://cdn.example/terraform.zip", "ftp://cdn.example/x", "file:///etc/passwd", "data:,x", "javascript:1"])(
    "may not lead from https to %s",
    (location) => {
      expect(() => redirectedTo(location, https)).toThrow(/^it redirects to .*, which is not https; look at/);
    },
  );

  it("is named without the secrets that its address may hold", () => {
    expect(() => redirectedTo("http://user:secret@cdn.example/x?token=secret", https)).toThrow(
      /^it redirects to http:\/\/cdn\.example, which/,
    );
  });

  it.each([null, "https://[bad"])("has to lead to an address, not to %s", (location) => {
    expect(() => redirectedTo(location, https)).toThrow(/^it redirects, and names no address/);
  });
});

it("says the reason without a network", async () => {
  const { releases, server } = await site();
  server.close();
  const { result } = fetching(emptyMachine(), releases);
  await expect(result).rejects.toThrow(/SHA256SUMS.*: connect ECONNREFUSED 127\.0\.0\.1/);
});

it("stops at once when it is interrupted, and leaves nothing behind", async () => {
  const machine = emptyMachine();
  const stopping = new AbortController();
  const { releases } = await site({
    [archive]: (_, response) => {
      response.writeHead(200, { "content-length": zip.length });
      response.write(half, () => {
        stopping.abort(new Error("stopped"));
      });
    },
  });
  await expect(fetching(machine, releases, stopping.signal).result).rejects.toThrow("stopped");
  expect(readdirSync(folderOf(machine))).toEqual([]);
});

it("takes nothing that a killed start left half done, and clears it away when it is an hour old", async () => {
  const machine = emptyMachine();
  const folder = writeFiles(folderOf(machine), {
    ".unfinished-old/made/terraform": program.slice(0, 20),
    ".unfinished-new/made/terraform": program.slice(0, 20),
  });
  const old = new Date(Date.now() - 2 * 3_600_000);
  utimesSync(join(folder, ".unfinished-old"), old, old);
  expect(findTerraform(machine)).toHaveProperty("missing");
  const { releases } = await site();
  await fetching(machine, releases).result;
  expect(readdirSync(folder).sort()).toEqual([".unfinished-new", `${fetchedVersion}_linux_amd64`]);
});

it("serves two starts at once: both end with the same whole Terraform", async () => {
  const machine = emptyMachine();
  const { releases } = await site();
  const results = await Promise.all([1, 2, 3].map(() => fetching(machine, releases).result));
  expect(new Set(results.map(({ value }) => value))).toEqual(new Set([fileOf(machine)]));
  expect(findTerraform(machine)).toHaveProperty("found");
  expect(readdirSync(folderOf(machine))).toHaveLength(1);
});

it("leaves a whole one that another start made meanwhile where it is, and replaces a damaged one", async () => {
  const machine = emptyMachine();
  const { releases } = await site();
  await fetching(machine, releases).result;
  const { ino } = statSync(fileOf(machine));
  await fetching(machine, releases).result;
  expect(statSync(fileOf(machine)).ino).toBe(ino);
  writeFileSync(fileOf(machine), program.slice(0, 20));
  expect(findTerraform(machine)).toHaveProperty("missing");
  await fetching(machine, releases).result;
  expect(findTerraform(machine)).toHaveProperty("found");
  expect(readdirSync(folderOf(machine))).toHaveLength(1);
});

describe("a proxy", () => {
  /** Starts a proxy that lets each connection through, or that refuses each. */
  async function proxy(isOpen: boolean) {
    const asked: string[] = [];
    const server = createServer().on("connect", (request, client) => {
      asked.push(request.url ?? "");
      if (!isOpen) {
        client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
        return;
      }
      const { hostname, port } = new URL(`http://${request.url ?? ""}`);
      const upstream = connect(Number(port), hostname, () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      for (const socket of [client, upstream]) socket.on("error", () => undefined);
    });
    return { asked, url: await listen(server) };
  }

  it.each(["HTTP_PROXY", "http_proxy"])("in %s carries the download of an http site", async (name) => {
    const { releases, asked: askedOfSite } = await site();
    const { url, asked } = await proxy(true);
    const machine = emptyMachine({ environment: { PATH: "", [name]: url } });
    await fetching(machine, releases).result;
    expect(new Set(asked)).toEqual(new Set([new URL(releases.origin).host]));
    expect(askedOfSite).toContain(archive);
    expect(findTerraform(machine)).toHaveProperty("found");
  });

  it.each(["HTTPS_PROXY", "https_proxy"])(
    "in %s is asked for HashiCorp's site, and its refusal is told",
    async (name) => {
      const { url, asked } = await proxy(false);
      const { result } = fetching(emptyMachine({ environment: { PATH: "", [name]: url } }), hashiCorp);
      await expect(result).rejects.toThrow(/https:\/\/releases\.hashicorp\.com\/.*: .*403/);
      expect(new Set(asked)).toEqual(new Set(["releases.hashicorp.com:443"]));
    },
  );

  it.each(["http://user:secret@[bad", "proxy.example:3128"])(
    "that is no address is named, without the password that it may hold: %s",
    async (HTTPS_PROXY) => {
      const machine = emptyMachine({ environment: { PATH: "", HTTPS_PROXY } });
      const { releases } = await site();
      await expect(fetching(machine, releases).result).rejects.toThrow(
        /^HTTPS_PROXY is no address: use http:\/\/<host>:<port>$/,
      );
    },
  );

  it("is passed by for a host in NO_PROXY", async () => {
    const { releases } = await site();
    const { url, asked } = await proxy(false);
    const machine = emptyMachine({ environment: { PATH: "", HTTP_PROXY: url, NO_PROXY: "127.0.0.1" } });
    await fetching(machine, releases).result;
    expect(asked).toEqual([]);
  });

  it("of this process is not used for a machine without one", async () => {
    const { releases } = await site();
    const { url, asked } = await proxy(false);
    process.env.HTTP_PROXY = url;
    try {
      await fetching(emptyMachine(), releases).result;
    } finally {
      delete process.env.HTTP_PROXY;
    }
    expect(asked).toEqual([]);
  });
});

describe("a checkout that can't be written to", () => {
  // A file is in the folder's place. The tests may run as root, who is not refused anything else.
  const readOnly = (changes: Partial<Machine> = {}) =>
    emptyMachine({ directory: writeFiles(temporaryFolder(), { ".sandbox": "" }), ...changes });

  it("leaves it to the user's cache", async () => {
    const machine = readOnly();
    const { releases } = await site();
    const { value } = await fetching(machine, releases).result;
    expect(value).toBe(
      join(machine.home, ".cache/event-driven-email/terraform", `${fetchedVersion}_linux_amd64/terraform`),
    );
    expect(findTerraform(machine)).toEqual({ found: { value, by: "fetched before" } });
  });

  it("and a cache that can't either are told in one sentence, before anything is downloaded", async () => {
    const home = writeFiles(temporaryFolder(), { ".cache": "" });
    const machine = readOnly({ home });
    const { releases, asked } = await site();
    const { lines, result } = fetching(machine, releases);
    await expect(result).rejects.toThrow(
      /^nothing can be kept in .*\.sandbox\/terraform \(ENOTDIR.*\) or .*\.cache.* \(ENOTDIR.*\); name a folder that can be written to in XDG_CACHE_HOME$/,
    );
    expect([...lines, ...asked]).toEqual([]);
    const XDG_CACHE_HOME = temporaryFolder();
    await fetching(readOnly({ home, environment: { PATH: "", XDG_CACHE_HOME } }), releases).result;
    expect(existsSync(join(XDG_CACHE_HOME, "event-driven-email", "terraform"))).toBe(true);
  });
});
