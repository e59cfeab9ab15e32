import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { type EnvironmentFile, writeEnvironmentFile } from "../../sandbox/environment-file";
import { environmentScript } from "../../sandbox/environment-script";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) server.close();
});

/**
 * Starts a server that answers every request as a sandbox does.
 * @returns its port.
 */
async function answeringPort(): Promise<number> {
  const server = createServer((_, response) => response.end());
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** The id of a process that has ended. */
async function formerPid(): Promise<number> {
  const child = spawn("true");
  await once(child, "close");
  return child.pid ?? 0;
}

const scriptOf = (pid: number, port: number) => environmentScript({ SANDBOX_PORT: String(port) }, { pid, port });

function write(folder: string, pid: number, port: number, spareFolder = temporaryFolder()): Promise<EnvironmentFile> {
  return writeEnvironmentFile({ folder, spareFolder, owner: { pid, port }, script: scriptOf(pid, port) });
}

const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));

it.each([
  ["to nowhere", "environment.sh", "nowhere"],
  ["to a file", "environment.sh", "precious"],
  ["to a file, under the name of the one that is being written", `environment.sh.${process.pid}`, "precious"],
])("a link %s is replaced, and nothing is written through it", async (_, name, target) => {
  const outside = writeFiles(temporaryFolder(), { precious: "mine" });
  const folder = temporaryFolder();
  symlinkSync(join(outside, target), join(folder, name));
  await write(folder, process.pid, 4566);
  expect(contents(folder)).toEqual({ "environment.sh": scriptOf(process.pid, 4566) });
  expect(contents(outside)).toEqual({ precious: "mine" });
});

describe("the first sandbox of a checkout", () => {
  it("has environment.sh, and nothing else is in the folder", async () => {
    const folder = join(temporaryFolder(), ".sandbox");
    const file = await write(folder, process.pid, 4566);
    expect(file).toMatchObject({ path: join(folder, "environment.sh") });
    expect(file.remark).toBeUndefined();
    expect(contents(folder)).toEqual({ "environment.sh": scriptOf(process.pid, 4566) });
    file.remove();
    expect(contents(folder)).toEqual({});
  });
});

describe("the second sandbox", () => {
  it("has a file of its own and says why; neither removes the other's", async () => {
    const folder = join(temporaryFolder(), ".sandbox");
    const port = await answeringPort();
    const first = await write(folder, process.pid, port);
    const second = await write(folder, process.pid, 4600);
    expect(second.path).toBe(join(folder, "environment-4600.sh"));
    expect(second.remark).toBe(`${first.path} belongs to the sandbox on port ${port} (process ${process.pid}).`);
    const both = {
      "environment.sh": scriptOf(process.pid, port),
      "environment-4600.sh": scriptOf(process.pid, 4600),
    };
    expect(contents(folder)).toEqual(both);
    second.remove();
    expect(contents(folder)).toEqual({ "environment.sh": both["environment.sh"] });
    const third = await write(folder, process.pid, 4601);
    first.remove();
    expect(readdirSync(folder)).toEqual(["environment-4601.sh"]);
    third.remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("replaces a file of its own port that a killed one left behind", async () => {
    const folder = join(temporaryFolder(), ".sandbox");
    await write(folder, process.pid, await answeringPort());
    writeFiles(folder, { "environment-4600.sh": scriptOf(await formerPid(), 4600) });
    await write(folder, process.pid, 4600);
    expect(contents(folder)["environment-4600.sh"]).toBe(scriptOf(process.pid, 4600));
  });
});

describe("a file that was left behind", () => {
  it.each([
    [
      "by a process that is gone, though its port is another's now",
      async () => scriptOf(await formerPid(), await answeringPort()),
    ],
    ["by a sandbox whose id is another program's now", () => scriptOf(process.pid, 1)],
    ["by an older version, which named no owner", () => "export AWS_REGION='us-east-1'\n"],
    ["empty", () => ""],
  ])("%s is replaced", async (_, left) => {
    const folder = writeFiles(temporaryFolder(), { "environment.sh": await left() });
    const file = await write(folder, process.pid, 4566);
    expect(file.remark).toBeUndefined();
    expect(contents(folder)).toEqual({ "environment.sh": scriptOf(process.pid, 4566) });
  });
});

it("leaves a file alone that another sandbox has written since", async () => {
  const folder = temporaryFolder();
  const file = await write(folder, process.pid, 4566);
  writeFiles(folder, { "environment.sh": scriptOf(1, 4600) });
  file.remove();
  expect(contents(folder)).toEqual({ "environment.sh": scriptOf(1, 4600) });
});

it("is won by one of several that start at once, and the others have files of their own", async () => {
  const folder = writeFiles(temporaryFolder(), { "environment.sh": scriptOf(await formerPid(), 4566) });
  const ports = await Promise.all(Array.from({ length: 8 }, answeringPort));
  const files = await Promise.all(ports.map((port) => write(folder, process.pid, port)));
  const paths = files.map(({ path }) => path);
  expect(new Set(paths).size).toBe(8);
  expect(paths).toContain(join(folder, "environment.sh"));
  for (const [index, path] of paths.entries()) {
    expect(readFileSync(path, "utf8")).toBe(scriptOf(process.pid, ports[index] ?? 0));
  }
});

it("goes to another folder where its own can't be written, and says so", async () => {
  const folder = join(writeFiles(temporaryFolder(), { ".sandbox": "a file, not a folder" }), ".sandbox");
  const spareFolder = temporaryFolder();
  const file = await write(folder, process.pid, 4566, spareFolder);
  expect(file.path).toBe(join(spareFolder, "environment.sh"));
  expect(file.remark).toBe(`${folder} can't be written (EEXIST).`);
  expect(readFileSync(file.path, "utf8")).toBe(scriptOf(process.pid, 4566));
  file.remove();
  expect(existsSync(file.path)).toBe(false);
});
