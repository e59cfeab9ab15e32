import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { environmentScript } from "../../sandbox/environment-script";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

it("leaves a shell with the sandbox's AWS settings alone, and with everything else that it had", () => {
  const script = environmentScript({
    AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
    AWS_REGION: "us-east-1",
    TF_CLI_CONFIG_FILE: "/tmp/it's here/terraform.rc",
    PATH: "/nowhere",
  });
  const file = join(writeFiles(temporaryFolder(), { "environment.sh": script }), "environment.sh");
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", `. ${file}; env`], {
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      OWN: "kept",
      AWS_PROFILE: "production",
      AWS_ENDPOINT_URL_S3: "https://s3.example",
      AWS_USE_FIPS_ENDPOINT: "true",
      AWS_REGION: "eu-west-1",
    },
  });
  expect(stderr).toBe("");
  const lines = stdout.split("\n").filter((line) => /^(AWS_|TF_|OWN|PATH)/.test(line));
  expect(lines.sort()).toEqual(
    [
      "AWS_ENDPOINT_URL=http://127.0.0.1:4566",
      "AWS_REGION=us-east-1",
      "OWN=kept",
      `PATH=${process.env.PATH ?? ""}`,
      "TF_CLI_CONFIG_FILE=/tmp/it's here/terraform.rc",
    ].sort(),
  );
});
