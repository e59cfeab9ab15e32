import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Child, startChild, stopChild } from "../../src/processes/child-processes";
import { temporaryFolder, writeFiles } from "../support/temporary";

function shell(script: string): Child {
  return startChild(["/bin/sh", "-c", script], {
    directory: temporaryFolder(),
    environment: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const speaks = ({ process: { stdout } }: Child) => once(stdout ?? process.stdin, "data");

it("tells how a program ended", async () => {
  const child = shell("exit 3");
  await expect(child.ended).resolves.toEqual({ code: 3, signal: null });
  expect(child.ending()).toEqual({ code: 3, signal: null });
});

it("tells that a program could not be started", async () => {
  const child = startChild(["/nowhere/program"], { directory: temporaryFolder(), environment: {}, stdio: "ignore" });
  await expect(child.ended).resolves.toMatchObject({ error: { code: "ENOENT" } });
});

it("stops what a program started, too", async () => {
  // The inner program holds the pipe: the end is not seen before it has gone.
  const child = shell("sleep 60 & echo started; wait");
  await speaks(child);
  await stopChild(child, 60_000);
  expect(child.ending()).toMatchObject({ signal: "SIGTERM" });
});

it("kills a program that does not listen", async () => {
  const child = shell("trap '' TERM; echo started; while :; do sleep 0.05; done");
  await speaks(child);
  await stopChild(child, 50);
  expect(child.ending()).toMatchObject({ signal: "SIGKILL" });
});

it("ends a program whose parent was killed", async () => {
  const script = writeFiles(temporaryFolder(), {
    "parent.ts": `
      import { startChild } from ${JSON.stringify(join(__dirname, "../../src/processes/child-processes"))};
      startChild(["/bin/sh", "-c", "exec sleep 60"], {
        directory: "/", environment: { PATH: process.env.PATH ?? "" }, stdio: ["ignore", "inherit", "inherit"],
      });
      console.log("started");
    `,
  });
  const parent = spawn(process.execPath, ["--import", require.resolve("tsx"), join(script, "parent.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(parent.stdout, "data");
  // The child holds the other end of this pipe.
  const closed = once(parent.stdout, "close");
  parent.stdout.resume();
  parent.kill("SIGKILL");
  await closed;
});
