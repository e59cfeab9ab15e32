import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { type Command } from "commander";
import { localStateFolder, stateBackendKey } from "../../stacks/state-places";
import { findBucket, type FoundBucket, readState, type StateBucket } from "../bootstrap/bucket";
import { knowsAllOf, readSnapshot, type Snapshot } from "../bootstrap/snapshot";
import { StackFolder } from "../bootstrap/stack-folder";
import { exitCodes, exitCodesHelp, type Io, UsageError } from "../command";
import { clientOf, configOf, placeOf, refuseSandboxAtAws, sourceTheSandbox } from "../stage";

const projectRoot = join(__dirname, "..", "..");

/** `npm run bootstrap`: makes the bucket for the states, and keeps the bucket's own state in it. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return command
    .option("--auto-approve", "do not ask before anything is changed", false)
    .addHelpText(
      "after",
      `
It is needed once a project and account, and it can be run again at any time: it goes on where an earlier run was
interrupted, takes a bucket of this project that no state knows, and changes nothing where all is done.
The environment names the stage (docs/configuration.md). ${sourceTheSandbox}.
${exitCodesHelp("the bucket is there, and its state is in it", "it could not be done, or was not wanted, or a file holds another state")}`,
    )
    .action(async ({ autoApprove }: { readonly autoApprove: boolean }) => {
      const wanted = wantedBucket(io);
      if (!autoApprove && !io.isTerminal) {
        throw new UsageError(
          "npm run bootstrap asks before it changes anything, and there is no terminal to answer at. Nothing was started. Say yes beforehand: npm run bootstrap -- --auto-approve",
        );
      }
      const workDirectory = mkdtempSync(join(tmpdir(), "bootstrap-"));
      try {
        end(await bootstrap({ io, wanted, autoApprove, workDirectory }));
      } finally {
        rmSync(workDirectory, { recursive: true, force: true });
      }
    });
}

/** @throws UsageError where the configuration can't be used, or keeps no state in a bucket. */
function wantedBucket({ environment, stderr }: Io): StateBucket {
  const config = configOf(environment, sourceTheSandbox);
  refuseSandboxAtAws(config, environment);
  const { accountId, projectName, backend } = config;
  if (backend.kind !== "s3") {
    throw new UsageError(`With BACKEND=${backend.kind} no bucket holds the state, so there is nothing to bootstrap.`);
  }
  stderr.write(`${placeOf(config, environment)}: the bucket ${backend.bucket} in ${backend.region}\n`);
  return {
    accountId,
    projectName,
    bucket: backend.bucket,
    region: backend.region,
    key: stateBackendKey(projectName),
  };
}

interface Run {
  readonly io: Io;
  readonly wanted: StateBucket;
  readonly autoApprove: boolean;
  readonly workDirectory: string;
}

/** @returns the exit code. */
async function bootstrap({ io, wanted, autoApprove, workDirectory }: Run): Promise<number> {
  const s3 = new S3Client({ ...clientOf(wanted.region, io.environment), followRegionRedirects: true });
  const found = await findBucket(s3, wanted);
  const file = stateFileOf(wanted);
  const inFile = readSnapshot(file);
  // While there is no bucket, a file is the only place. A state in a file that an earlier run has left comes first, too.
  const startsInFile = found === undefined || (found.state === undefined && inFile !== undefined);
  const state = startsInFile ? inFile : found.state;

  const folder = await StackFolder.synthesize(projectRoot, workDirectory, io);
  if (startsInFile) folder.useFile(file);
  folder.importThese(unknownTo(state, found, folder), wanted.bucket);
  await folder.init();
  const isChanged = await folder.plan();
  const place = `s3://${wanted.bucket}/${wanted.key}`;
  if (isChanged || startsInFile) {
    if (!autoApprove && !(await isWanted(io, startsInFile ? `Do this, and keep the state in ${place}?` : "Do this?"))) {
      io.stderr.write("Nothing was changed.\n");
      return exitCodes.problems;
    }
    if (isChanged) await folder.apply();
    if (startsInFile) {
      folder.useBucket();
      await folder.init();
      await folder.push(file);
    }
  }
  const stored = await readState(s3, wanted.bucket, wanted.key);
  if (stored === undefined) throw new Error(`${place} is empty, and the state stays in ${file}: run it again.`);
  io.stdout.write(`The state of the bucket ${wanted.bucket} is in ${place}.\n`);
  return removeFile(file, stored, place, io);
}

/**
 * The file that holds the bucket's state until it is in the bucket. Versions of this project that knew no bootstrap kept
 * it there for ever, and the first ones kept it beside the project's files.
 */
function stateFileOf({ bucket }: StateBucket): string {
  const file = join(projectRoot, localStateFolder, `${bucket}.tfstate`);
  const ofFirstVersions = join(projectRoot, "terraform.state-backend.tfstate");
  if (existsSync(file)) return file;
  const ids = [...(readSnapshot(ofFirstVersions)?.resources.values() ?? [])];
  return ids.includes(bucket) ? ofFirstVersions : file;
}

/** What is at AWS and not in the state, because an earlier run was killed, or because its state is lost. */
function unknownTo(state: Snapshot | undefined, found: FoundBucket | undefined, { addresses }: StackFolder): string[] {
  return [...addresses]
    .filter(([type, address]) => found?.resourceTypes.has(type) && !state?.resources.has(address))
    .map(([, address]) => address);
}

async function isWanted({ ask }: Io, question: string): Promise<boolean> {
  return (await ask(`\n${question} Only "yes" goes on: `)).trim() === "yes";
}

/**
 * Removes the file whose state is in the bucket now, and Terraform's backup of it.
 * @returns the exit code.
 */
function removeFile(file: string, stored: Snapshot, place: string, { stderr }: Io): number {
  const left = readSnapshot(file);
  if (left !== undefined && !knowsAllOf(stored, left)) {
    stderr.write(
      `${file} knows resources that the state in ${place} does not know. The one in the bucket counts. Compare the two, and move the file away.\n`,
    );
    return exitCodes.problems;
  }
  for (const each of [file, `${file}.backup`]) rmSync(each, { force: true });
  return exitCodes.well;
}
