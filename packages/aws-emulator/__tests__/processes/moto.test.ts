import { readdirSync, statSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { startMoto } from "../../src/processes/moto";
import { askMoto } from "../support/moto";
import { programs, temporaryFolder, writeFiles } from "../support/temporary";

const script = (text: string): [string] => [join(programs({ moto_server: text }), "moto_server")];

/** Answers every request with its words and its environment; its words are those of moto: -H unix://<path> -p <port>. */
const server = `#!${process.execPath}
  const answer = JSON.stringify({ words: process.argv.slice(2), environment: process.env });
  require("node:http").createServer((_, response) => response.end(answer)).listen(process.argv[3].slice("unix://".length));
`;

describe("a moto that can't start", () => {
  it("is reported with its last lines", async () => {
    const tools = script('echo "Traceback"; echo "No module named flask" >&2; exit 3');
    await expect(startMoto(tools)).rejects.toThrow(
      `moto (${tools[0]}) ended by itself (3):\nTraceback\nNo module named flask`,
    );
  });

  it("is reported where there is no such program", async () => {
    await expect(startMoto(["/nowhere/moto_server"])).rejects.toThrow(/could not be started \(.*ENOENT\)/);
  });

  it("is reported where the path of its socket is longer than a system takes", async () => {
    const tools = script(server);
    const folder = writeFiles(join(temporaryFolder(), "x".repeat(80)), { empty: "" });
    const tmpdir = jest.spyOn(os, "tmpdir").mockReturnValue(folder);
    await expect(startMoto(tools)).rejects.toThrow(/may have 103 bytes: name a shorter folder in TMPDIR/);
    tmpdir.mockRestore();
    expect(readdirSync(folder)).toEqual(["empty"]);
  });
});

it("gives moto nothing of the user's but where programs are, and the account that the sandbox names", async () => {
  const ofUser = { AWS_PROFILE: "production", MOTO_ACCOUNT_ID: "999999999999", GITHUB_TOKEN: "a secret" };
  Object.assign(process.env, ofUser, { PYENV_VERSION: "3.11" });
  try {
    const moto = await startMoto(script(server));
    const { environment } = JSON.parse(await askMoto(moto)) as { environment: object };
    await moto.stop();
    expect(environment).toMatchObject({
      MOTO_ACCOUNT_ID: "123456789012",
      MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
      PYENV_VERSION: "3.11",
    });
    expect(environment).not.toHaveProperty("AWS_PROFILE");
    expect(environment).not.toHaveProperty("GITHUB_TOKEN");
  } finally {
    for (const name of [...Object.keys(ofUser), "PYENV_VERSION"]) Reflect.deleteProperty(process.env, name);
  }
});

it("listens on a socket in a folder of this user's alone, and on no port that a web page could reach", async () => {
  const moto = await startMoto(script(server));
  const { words } = JSON.parse(await askMoto(moto)) as { words: string[] };
  expect(words).toEqual(["-H", `unix://${moto.socket}`, "-p", "0"]);
  expect(statSync(dirname(moto.socket)).mode & 0o777).toBe(0o700);
  await moto.stop();
});
