import { existsSync, readFileSync } from "node:fs";
import { startMoto } from "../../src/processes/moto";
import { askMoto, motoCommand } from "../support/moto";

describe("moto itself", () => {
  it("answers with the sandbox's account, and leaves nothing when it is stopped", async () => {
    const moto = await startMoto(motoCommand());
    const headers = {
      authorization: "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/sts/aws4_request",
      "content-type": "application/x-www-form-urlencoded",
    };
    const body = "Action=GetCallerIdentity&Version=2011-06-15";
    expect(await askMoto(moto, { method: "POST", headers }, body)).toContain("<Account>123456789012</Account>");
    expect(readFileSync(moto.logFile, "utf8")).toContain("POST /");
    await moto.stop();
    await expect(askMoto(moto)).rejects.toThrow("ENOENT");
    expect(existsSync(moto.logFile)).toBe(false);
  });
});
