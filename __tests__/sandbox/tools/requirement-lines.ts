import { readFileSync } from "node:fs";
import { requirementsFile } from "../../../sandbox/tools/moto";

/** The requirements in the file from which pip installs moto. */
export const lines = readFileSync(requirementsFile, "utf8")
  // The hashes of a requirement are on lines of their own, which a backslash joins to it.
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line !== "" && !/^\s*#/.test(line));
export const nameOf = (line: string) => line.split("==")[0] ?? "";
