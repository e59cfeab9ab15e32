import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startMoto } from "../../sandbox/moto";
import { type Command } from "../../sandbox/tools";
import { describeWith } from "../support/requires";
import { programs, temporaryFolder } from "../support/temporary";

const foundAs = (value: Command) => ({ moto: { value, by: "test" } });
const script = (text: string) => foundAs([join(programs({ moto_server: text }), "moto_server")]);

/** Answers every request with its environment; its words are those of moto: -H <host> -p <port>. */
const server = `#!${process.execPath}
  const port = process.argv.at(-1);
  require("node:http").createServer((_, answer) => answer.end(JSON.stringify(process.env))).listen(port, "127.0.0.1");
`;

describe("a moto that can't start", () => {
  it("is reported with its last lines", async () => {
    const tools = script('echo "Traceback"; echo "No module named flask" >&2; exit 3');
    await expect(startMoto(tools)).rejects.toThrow(
      `moto (${tools.moto.value[0]}) ended by itself (3):\nTraceback\nNo module named flask`,
    );
  });

  it("is reported where there is no such program", async () => {
    await expect(startMoto(foundAs(["/nowhere/moto_server"]))).rejects.toThrow(/could not be started \(.*ENOENT\)/);
  });

  it("gets another port where its own was taken", async () => {
    const calls = join(temporaryFolder(), "calls");
    const real = join(programs({ server }), "server");
    const moto = await startMoto(
      script(`echo "$4" >> ${calls}
        if [ "$(wc -l < ${calls})" -lt 2 ]; then echo "Address already in use" >&2; exit 1; fi
        exec ${real} "$@"`),
    );
    await moto.stop();
    const ports = readFileSync(calls, "utf8").trim().split("\n");
    expect(ports).toHaveLength(2);
    expect(moto.url).toBe(`http://127.0.0.1:${ports[1] ?? ""}`);
  });

  it("is given up after some ports", async () => {
    const calls = join(temporaryFolder(), "calls");
    await expect(startMoto(script(`echo >> ${calls}; echo "Address in use"; exit 1`))).rejects.toThrow(
      "Address in use",
    );
    expect(readFileSync(calls, "utf8").split("\n")).toHaveLength(4);
  });
});

it("gives moto nothing of the user's AWS settings, and the account that the sandbox names", async () => {
  process.env.AWS_PROFILE = "production";
  process.env.MOTO_ACCOUNT_ID = "999999999999";
  try {
    const moto = await startMoto(script(server));
    const environment: unknown = await (await fetch(moto.url)).json();
    await moto.stop();
    expect(environment).toMatchObject({ MOTO_ACCOUNT_ID: "123456789012", MOTO_IAM_LOAD_MANAGED_POLICIES: "true" });
    expect(environment).not.toHaveProperty("AWS_PROFILE");
  } finally {
    delete process.env.AWS_PROFILE;
    delete process.env.MOTO_ACCOUNT_ID;
  }
});

describeWith(["moto"], "moto itself", (tools) => {
  jest.setTimeout(90_000);

  it("answers with the sandbox's account, and leaves nothing when it is stopped", async () => {
    const moto = await startMoto(tools);
    const response = await fetch(moto.url, {
      method: "POST",
      headers: {
        authorization: "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/sts/aws4_request",
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
    });
    expect(await response.text()).toContain("<Account>123456789012</Account>");
    expect(readFileSync(moto.logFile, "utf8")).toContain("POST /");
    await moto.stop();
    await expect(fetch(moto.url)).rejects.toThrow("fetch failed");
    expect(existsSync(moto.logFile)).toBe(false);
  });
});
