import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { CreateBucketCommand, HeadObjectCommand, PutBucketEncryptionCommand, S3Client } from "@aws-sdk/client-s3";
import { createApp } from "../../main";
import { awsClientConfig } from "aws-emulator/client-config";
import {
  baseEnvironment,
  Progress,
  sandboxEnvironment,
  Terraform,
  type TerraformOptions,
} from "../../sandbox/terraform";
import { resolveProviders } from "../../sandbox/tools";
import { awsProvider } from "../../sandbox/tools/pinned-providers";
import { startMoto } from "aws-emulator/testing/moto";
import { startPassage } from "../support/passage";
import { describeWith } from "../support/requires";
import { type Environment } from "../../stacks/config";
import { configOf } from "../support/stack";
import { failure } from "../support/terraform-failure";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

describeWith(["terraform"], "the runner with Terraform itself", (tools) => {
  function stack(content: object, options: Partial<TerraformOptions> = {}) {
    const directory = writeFiles(temporaryFolder(), { "main.tf.json": JSON.stringify(content) });
    const environment = baseEnvironment({});
    return { directory, run: new Terraform({ binary: tools.terraform.value, directory, environment, ...options }) };
  }

  it("plans, applies, reads and destroys a stack", async () => {
    const { run } = stack({
      resource: { terraform_data: { one: { input: "hello" } } },
      output: { greeting: { value: "${terraform_data.one.output}" } },
    });
    await run.init();
    await run.validate();
    await expect(run.stateList()).resolves.toEqual([]);
    await expect(run.plan({ planFile: "plan.bin" })).resolves.toMatchObject({
      changes: true,
      text: expect.stringContaining("terraform_data.one will be created") as string,
    });
    await expect(run.show("plan.bin")).resolves.toMatchObject({
      resource_changes: [{ address: "terraform_data.one" }],
    });
    const progress = new Progress();
    await run.apply({ onLine: (line) => progress.take(line) });
    expect(progress.toString()).toBe("1 of 1 done");
    await expect(run.outputs()).resolves.toEqual({ greeting: "hello" });
    await expect(run.stateList()).resolves.toEqual(["terraform_data.one"]);
    await expect(run.findChanges()).resolves.toBeUndefined();
    await run.destroy();
    await expect(run.stateList()).resolves.toEqual([]);
  });

  it("shows Terraform's own error", async () => {
    const { run } = stack({ output: { broken: { value: "${terraform_data.nowhere.id}" } } });
    await run.init();
    const error = await failure(run.validate());
    expect(error.detail).toMatch(/^Error: Reference to undeclared resource\n[\s\S]*"terraform_data" "nowhere"/);
  });

  it("saves the state and gives back the lock when it is interrupted", async () => {
    const stopping = new AbortController();
    const waiting = {
      depends_on: ["terraform_data.one"],
      provisioner: [{ "local-exec": { command: "exec sleep 60" } }],
    };
    let wasRunning: boolean | undefined;
    const { directory, run } = stack(
      { resource: { terraform_data: { one: {}, two: waiting } } },
      {
        signal: stopping.signal,
        beforeInterrupt: async () => {
          await setTimeout(100);
          wasRunning = existsSync(join(directory, ".terraform.tfstate.lock.info"));
        },
      },
    );
    await run.init();
    const applied = run.apply({
      onLine: (line) => {
        if (line.includes("Executing:")) stopping.abort();
      },
    });
    expect((await failure(applied)).message).toMatch("terraform apply -auto-approve was interrupted");
    expect(wasRunning).toBe(true);
    expect(existsSync(join(directory, ".terraform.tfstate.lock.info"))).toBe(false);
    const after = new Terraform({ binary: tools.terraform.value, directory, environment: baseEnvironment({}) });
    await expect(after.stateList()).resolves.toContain("terraform_data.one");
  });
});

describeWith(["terraform", "moto", "awsProvider"], "the AWS provider and the S3 backend", (tools) => {
  it("talk to the emulator by the environment alone", async () => {
    const moto = await startMoto();
    try {
      const { environment } = resolveProviders({
        terraform: tools.terraform.value,
        awsMirror: tools.awsProvider,
        // This stack does not use the archive provider, so any mirror will do.
        archiveMirror: tools.awsProvider,
        workDirectory: temporaryFolder(),
      });
      const authorization = "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/s3/aws4_request";
      await fetch(`${moto.url}/state`, { method: "PUT", headers: { authorization } });
      const directory = writeFiles(temporaryFolder(), {
        "main.tf.json": JSON.stringify({
          terraform: {
            required_providers: { aws: { source: awsProvider.source, version: awsProvider.version } },
            backend: {
              s3: {
                bucket: "state",
                key: "stage/terraform.tfstate",
                region: "us-east-1",
                use_lockfile: true,
              },
            },
          },
          provider: { aws: [{ region: "us-east-1" }] },
          data: { aws_caller_identity: { me: {} } },
          resource: { aws_s3_bucket: { one: { bucket: "one" } } },
          output: { account: { value: "${data.aws_caller_identity.me.account_id}" } },
        }),
      });
      const run = new Terraform({
        binary: tools.terraform.value,
        directory,
        environment: { ...baseEnvironment(environment), ...sandboxEnvironment(moto.url, "us-east-1") },
      });
      await run.init();
      await run.apply();
      await expect(run.outputs()).resolves.toEqual({ account: "123456789012" });
      await expect(run.findChanges()).resolves.toBeUndefined();
      await run.destroy();
    } finally {
      await moto.stop();
    }
  });
});

describeWith(["terraform", "moto"], "the stage's own S3 backend", (tools) => {
  /** A stack without a provider. It has the backend that the stage is synthesized with. */
  async function stackWith(environment: Environment) {
    const outdir = temporaryFolder();
    createApp(configOf(environment), { outdir }).synth();
    const synthesized = JSON.parse(readFileSync(join(outdir, "stacks", "notification-dev", "cdk.tf.json"), "utf8")) as {
      terraform: { backend: { s3: { bucket: string; key: string; region: string } } };
    };
    const { backend } = synthesized.terraform;
    const directory = writeFiles(temporaryFolder(), {
      "main.tf.json": JSON.stringify({ terraform: { backend }, resource: { terraform_data: { one: {} } } }),
    });
    const moto = await startMoto();
    const puts: { readonly path: string; readonly headers: object }[] = [];
    const passage = await startPassage(moto.url, ({ method, path, headers }) => {
      if (method === "PUT") puts.push({ path: path.replace(/\?.*/, ""), headers });
      return undefined;
    });
    const { bucket, region } = backend.s3;
    const s3 = new S3Client(awsClientConfig(moto.url, region));
    const CreateBucketConfiguration = { LocationConstraint: region as "eu-west-1" };
    await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }));
    const terraform = new Terraform({
      binary: tools.terraform.value,
      directory,
      environment: { ...baseEnvironment({}), ...sandboxEnvironment(passage.url, region) },
    });
    const close = async () => {
      await passage.close();
      await moto.stop();
    };
    return { backend: backend.s3, s3, terraform, puts, close };
  }

  it("asks for no encryption but the bucket's own, which is KMS, for the state and for its lock", async () => {
    const { backend, terraform, s3, puts, close } = await stackWith({});
    try {
      const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" as const } }];
      const encryption = { Bucket: backend.bucket, ServerSideEncryptionConfiguration: { Rules } };
      await s3.send(new PutBucketEncryptionCommand(encryption));
      await terraform.init();
      await terraform.apply();
      const state = `/${backend.bucket}/${backend.key}`;
      expect(new Set(puts.map(({ path }) => path))).toEqual(new Set([state, `${state}.tflock`]));
      for (const { headers } of puts) {
        expect(Object.keys(headers).filter((name) => name.startsWith("x-amz-server-side-encryption"))).toEqual([]);
      }
      const stored = await s3.send(new HeadObjectCommand({ Bucket: backend.bucket, Key: backend.key }));
      expect(stored.ServerSideEncryption).toBe("aws:kms");
    } finally {
      await close();
    }
  });

  it("takes a region that is younger than Terraform", async () => {
    const { terraform, close } = await stackWith({ AWS_REGION: "eusc-de-east-1" });
    try {
      await expect(terraform.init()).resolves.toBeUndefined();
    } finally {
      await close();
    }
  });

  it("refuses the credentials of another account before it reads a state", async () => {
    const { terraform, puts, close } = await stackWith({ AWS_ACCOUNT_ID: "999999999999" });
    try {
      expect((await failure(terraform.init())).detail).toMatch(/AWS account ID not allowed: 123456789012/);
      expect(puts).toEqual([]);
    } finally {
      await close();
    }
  });
});
