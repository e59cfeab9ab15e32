import { type Machine } from "../../sandbox/tools";
import { temporaryFolder } from "aws-emulator/testing/temporary";

/** A machine that has only what a test puts there. */
export function emptyMachine(changes: Partial<Machine> = {}): Machine {
  return {
    environment: { PATH: "" },
    platform: "linux",
    arch: "x64",
    home: temporaryFolder(),
    directory: temporaryFolder(),
    searchRoots: [],
    ...changes,
  };
}
