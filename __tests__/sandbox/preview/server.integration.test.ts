import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { type Previews } from "../../../sandbox/preview/previews";
import { type PreviewServer, startPreview } from "../../../sandbox/preview/server";
import { cloneTo } from "../../support/clone";

const root = cloneTo(join(temporaryFolder(), "clone"));
const path = (file: string) => join(root, "handler", "notifications", "email-request", file);
const body = readFileSync(path("body.txt"), "utf8");
const definition = readFileSync(path("index.ts"), "utf8");

let server: PreviewServer;
/** The readings of the catalogue after the first. */
let readings: Previews[] = [];
let onReading: () => void = () => undefined;
beforeAll(async () => {
  server = await startPreview({
    root,
    onChange: (previews) => {
      readings.push(previews);
      onReading();
    },
  });
});
afterAll(() => server.close());

const page = async () => (await fetch(server.url)).text();
const versionOf = (html: string) => /data-version="(\w+)"/.exec(html)?.[1];

/** As most editors save: another file takes the old one's place. */
function save(file: string, content: string): void {
  writeFileSync(`${path(file)}.new`, content);
  renameSync(`${path(file)}.new`, path(file));
}

/** Saves the file, and waits for a reading that is as wanted. A save may be read in two parts. */
async function afterSave(file: string, content: string, isWanted: (previews: Previews) => boolean): Promise<Previews> {
  readings = [];
  const found = new Promise<Previews>((resolve) => {
    onReading = () => {
      const wanted = readings.find(isWanted);
      if (wanted !== undefined) resolve(wanted);
    };
  });
  save(file, content);
  return found;
}

const emailRequest = ({ editions }: Previews) => editions.find(({ notification }) => notification === "email-request");

it("follows a template, a definition and a mistake, and tells the page", async () => {
  const { body: stream } = await fetch(`${server.url}changes`);
  const first = await page();
  expect(first).toContain("Your export is ready");

  // Twice, because a watcher that follows the file and not its name sees the first change alone.
  for (const word of ["first", "second"]) {
    await afterSave("body.txt", `${body}The ${word} change.\n`, (previews) =>
      Boolean(emailRequest(previews)?.mail?.text.includes(`The ${word} change.`)),
    );
  }
  const second = await page();
  expect(second).toContain("The second change.");
  const versions = [versionOf(first), versionOf(second)];
  let told = "";
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
    told += Buffer.from(chunk).toString();
    if (versions.every((version) => told.includes(`data: ${String(version)}\n\n`))) break;
  }

  // A module that was read once is read anew.
  const renamed = definition.replaceAll("Your export is ready", "Your archive is ready");
  await afterSave("index.ts", renamed, (previews) => emailRequest(previews)?.mail?.subject === "Your archive is ready");

  await afterSave("body.txt", "{{titel}}\n", (previews) => emailRequest(previews)?.mail === undefined);
  const failed = await page();
  expect(failed).toContain("handler/notifications/email-request/body.txt:1:3: {{titel}} is not supplied");
  expect(failed).toContain("Checkout is failing");

  const broken = await afterSave("index.ts", `${definition}\nconst = ;\n`, ({ editions }) => editions.length === 0);
  const line = definition.split("\n").length + 1;
  expect(broken.problems).toEqual([expect.stringContaining(`handler/notifications/email-request/index.ts:${line}:6`)]);

  writeFileSync(path("body.txt"), body);
  await afterSave("index.ts", definition, (previews) => emailRequest(previews)?.mail?.text !== undefined);
  expect(versionOf(await page())).toBe(versionOf(first));
});

it("answers this machine alone, and with nothing but the page", async () => {
  const ask = (target: string, host: string) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request(server.url, { path: target, headers: { host } }, (response) => {
        text(response).then((answer) => {
          resolve({ status: response.statusCode, body: answer });
        }, reject);
      })
        .once("error", reject)
        .end();
    });
  const own = new URL(server.url).host;
  expect(await ask("/", "evil.example")).toEqual({ status: 403, body: "The preview answers as 127.0.0.1 only.\n" });
  expect((await ask("/", own)).status).toBe(200);
  expect((await ask("/../package.json", own)).status).toBe(404);
  await expect(startPreview({ root, port: Number(new URL(server.url).port) })).rejects.toThrow(
    "is in use: choose another with --port",
  );
});
