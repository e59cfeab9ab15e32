import { type TrialResult } from "./trial";
import { type Way } from "./ways";

/** What was found, as the text of docs/migrating.md. */
export function reportOf(results: readonly (readonly [Way, TrialResult])[]): string {
  return results.map(([way, result]) => sectionOf(way, result)).join("\n\n");
}

function sectionOf(way: Way, { typeErrors, differences }: TrialResult): string {
  const packages = Object.entries(way.packages).map(([name, version]) => `\`${name}\` ${version}`);
  return [
    `### ${way.title}`,
    `Packages: ${packages.join(", ")}.`,
    typeErrors.length === 0
      ? "The types fit."
      : `The compiler refuses ${typeErrors.length} places:\n\n${typeErrors.map((line) => `- \`${line}\``).join("\n")}`,
    differences.length === 0
      ? "The Terraform JSON is the same."
      : [
          "| In the Terraform JSON | Here | There | Stacks |",
          "| --- | --- | --- | --- |",
          ...differences.map(
            ({ path, here, there, stacks }) =>
              `| \`${path}\` | ${cell(here)} | ${cell(there)} | ${stacks === "all" ? "all" : stacks.map((name) => `\`${name}\``).join(", ")} |`,
          ),
        ].join("\n"),
  ].join("\n\n");
}

const cell = (value: string | undefined) => (value === undefined ? "nothing" : `\`${value.replaceAll("|", "\\|")}\``);
