import { readFileSync } from "node:fs";
import { requirementsFile } from "../../../sandbox/tools/moto";

/** A requirement each, of the file from which pip installs moto. */
export const lines = readFileSync(requirementsFile, "utf8")
  // A requirement's hashes stand in lines of their own.
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line !== "" && !/^\s*#/.test(line));
export const nameOf = (line: string) => line.split("==")[0] ?? "";
