import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { unzip } from "fflate";
import { type EnvHttpProxyAgent, type Response } from "undici";
import { type Found, type Machine, terraformPlatform } from "./lookup";
import { placeWhole, storageFor } from "./storage";
import { fetchedVersion, placeOfFetched, versionOf } from "./terraform";

/** A site that is laid out like HashiCorp's, and the key that signs its files. */
export interface Releases {
  readonly origin: string;
  /** The key in ASCII-armoured form. */
  readonly publicKey: string;
}

/**
 * HashiCorp's own site. Its key is published on https://www.hashicorp.com/trust/security. The key's fingerprint is C874
 * 011F 0AB4 0511 0D02 1055 3436 5D94 72D7 468F, and the signature file's name has the last eight digits.
 */
export const hashiCorp: Releases = {
  origin: "https://releases.hashicorp.com",
  publicKey: readFileSync(join(__dirname, "hashicorp.asc"), "utf8"),
};
const keyId = "72D7468F";

/** A download fails if the server sends nothing for this long, in milliseconds. */
const silenceMs = 30_000;

/** Terraform's archives have about 30 MB, the list 3 kB and the signature less than 1 kB. All of it is held in memory. */
const mostBytes = { archive: 300_000_000, list: 1_000_000, signature: 100_000 };

const mostRedirects = 3;

export interface FetchOptions {
  readonly machine: Machine;
  /** Is called with one line that says what is fetched, from where, and where it goes. */
  readonly onFetch: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads Terraform, checks HashiCorp's signature and the archive's SHA-256, and keeps the program for later starts.
 * @returns the absolute path of the program.
 * @throws Error whose message is the reason, without a full stop.
 */
export async function fetchTerraform({
  machine,
  onFetch,
  signal,
  releases = hashiCorp,
}: FetchOptions & { readonly releases?: Releases }): Promise<Found<string>> {
  const { host } = new URL(releases.origin);
  const { folder, file } = placeOfFetched(machine);
  const place = join(storageFor("terraform", machine), folder);
  onFetch(`Fetching Terraform ${fetchedVersion} (about 30 MB) from ${host} into ${place}`);
  const dispatcher = await throughProxies(machine);
  const get: Get = (name, most) =>
    download(`${releases.origin}/terraform/${fetchedVersion}/${name}`, most, { dispatcher, signal });
  try {
    const archive = `terraform_${fetchedVersion}_${terraformPlatform(machine)}.zip`;
    const sums = await signedSums(get, releases.publicKey);
    const expected = sums.get(archive);
    if (expected === undefined) throw new Error(`${host} has no ${archive}`);
    const bytes = await get(archive, mostBytes.archive);
    const actual = createHash("sha256").update(bytes).digest("hex");
    if (actual !== expected) {
      throw new Error(`${archive} came with the SHA-256 ${actual}, where HashiCorp's list says ${expected}`);
    }
    const program = await entryOf(bytes, file);
    await placeWhole({
      place,
      isWhole: () => versionOf(join(place, file), machine) === fetchedVersion,
      make: (temporary) => writeProgram(join(temporary, file), program),
    });
  } finally {
    await dispatcher.destroy();
  }
  return { value: join(place, file), by: `fetched from ${host}` };
}

/** Makes requests go through the user's proxies. Node's own fetch ignores HTTPS_PROXY and NO_PROXY before Node 24. */
async function throughProxies({ environment }: Machine): Promise<EnvHttpProxyAgent> {
  // undici is loaded only where something is fetched, so that other starts do not pay for it.
  const { EnvHttpProxyAgent } = await import("undici");
  const named = (name: string) => environment[name.toLowerCase()] ?? environment[name] ?? "";
  const proxy = (name: string) => {
    const address = named(name);
    // The message leaves out the address, because it may hold a password.
    if (address !== "" && !(/^(?:https?|socks5?):/i.test(address) && URL.canParse(address))) {
      throw new Error(`${name} is no address: use http://<host>:<port>`);
    }
    return address;
  };
  return new EnvHttpProxyAgent({
    // An empty text means no proxy. With `undefined`, undici would read the variables of this process.
    httpProxy: proxy("HTTP_PROXY"),
    httpsProxy: proxy("HTTPS_PROXY"),
    noProxy: named("NO_PROXY"),
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  });
}

/** @throws Error that names the file, for one of more than `most` bytes. */
type Get = (name: string, most: number) => Promise<Uint8Array>;

async function download(
  url: string,
  most: number,
  { dispatcher, signal }: { dispatcher: EnvHttpProxyAgent; signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  const { fetch } = await import("undici");
  const ask = (address: string) => fetch(address, { dispatcher, signal: signal ?? null, redirect: "manual" });
  try {
    const response = await following(url, ask);
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    // A network that asks for a log-in first answers with its own page.
    if (/^text\/html\b/i.test(response.headers.get("content-type") ?? "")) {
      throw new Error(`it answers with a web page in place of the file; ${whatToDo}`);
    }
    return await bodyOf(response, most);
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`${url}: ${reasonOf(error)}`, { cause: error });
  }
}

const whatToDo = "look at what your network or proxy puts in its place, or install Terraform yourself";

async function following(url: string, ask: (address: string) => Promise<Response>): Promise<Response> {
  let address = url;
  for (let redirects = 0; ; redirects += 1) {
    const response = await ask(address);
    const isRedirect = [301, 302, 303, 307, 308].includes(response.status);
    if (!isRedirect) return response;
    await response.body?.cancel();
    if (redirects === mostRedirects) throw new Error(`it redirects more than ${mostRedirects} times; ${whatToDo}`);
    address = redirectedTo(response.headers.get("location"), address);
  }
}

/** @throws Error where it leads away from https, or nowhere. */
export function redirectedTo(location: string | null, from: string): string {
  if (location === null || !URL.canParse(location, from)) {
    throw new Error(`it redirects, and names no address that can be read; ${whatToDo}`);
  }
  const { protocol, host, href } = new URL(location, from);
  if (protocol === "https:" || (protocol === "http:" && new URL(from).protocol === "http:")) return href;
  throw new Error(`it redirects to ${protocol}//${host}, which is not https; ${whatToDo}`);
}

async function bodyOf({ headers, body }: Response, most: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new Error(`it is larger than ${most / 1_000_000} MB, the most that is taken of it; ${whatToDo}`);
  if (Number(headers.get("content-length") ?? 0) > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // The server may send more than its content-length says.
    if (length > most) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The innermost cause of an error. fetch itself only says "fetch failed" or "terminated". */
function reasonOf(error: unknown): string {
  let innermost = error as NodeJS.ErrnoException;
  while (innermost.cause) innermost = innermost.cause as NodeJS.ErrnoException;
  const { message, code = "" } = innermost;
  // If several addresses were tried, the error has no message but only a code.
  const reason = message === "" ? code : message;
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code);
  return isCertificate ? `${reason}; name the certificate of your proxy's authority in NODE_EXTRA_CA_CERTS` : reason;
}

/**
 * Checks the signature of HashiCorp's list.
 * @returns the SHA-256 of each archive, by the archive's name.
 */
async function signedSums(get: Get, publicKey: string): Promise<ReadonlyMap<string, string>> {
  const list = `terraform_${fetchedVersion}_SHA256SUMS`;
  const signatureFile = `${list}.${keyId}.sig`;
  const [sums, signature] = await Promise.all([get(list, mostBytes.list), get(signatureFile, mostBytes.signature)]);
  const openpgp = await import("openpgp");
  try {
    await openpgp.verify({
      message: await openpgp.createMessage({ binary: sums }),
      signature: await openpgp.readSignature({ binarySignature: signature }),
      verificationKeys: (await openpgp.readKey({ armoredKey: publicKey })).toPublic(),
      // Without this option, `verify` also resolves for a wrong signature.
      expectSigned: true,
    });
  } catch (error) {
    const reason = (error as Error).message;
    throw new Error(`${list} is not signed by HashiCorp's key ${keyId} (${reason})`, { cause: error });
  }
  const lines = Buffer.from(sums).toString("utf8").trim().split("\n");
  return new Map(lines.map((line) => line.split(/\s+/)).map(([sum = "", name = ""]) => [name, sum]));
}

function entryOf(zip: Uint8Array, name: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    unzip(zip, { filter: (entry) => entry.name === name }, (error, entries) => {
      const entry = error === null ? entries[name] : undefined;
      if (entry === undefined) reject(new Error(`the archive has no ${name}`, { cause: error }));
      else resolve(entry);
    });
  });
}

async function writeProgram(path: string, program: Uint8Array): Promise<void> {
  const handle = await open(path, "w", 0o755);
  try {
    await handle.writeFile(program);
    // The file is written to the disk before it is renamed. Otherwise a power failure could leave an incomplete
    // program.
    await handle.sync();
  } finally {
    await handle.close();
  }
}
