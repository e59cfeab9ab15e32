import { createRequire } from "node:module";

const { projects } = createRequire(import.meta.url)("./jest.config.js");
const unit = projects.find(({ displayName }) => displayName === "unit");

/**
 * `npm run mutation` changes the code below, one expression at a time, and reports each change that no test notices
 * (docs/mutation.md). For a single file: `npm run mutation -- --mutate handler/claims.ts`.
 *
 * @type {import("@stryker-mutator/api/core").PartialStrykerOptions}
 */
export default {
  mutate: [
    "handler/**/*.ts",
    // These two are tested against moto and as a deployed package, and a server for each mutant takes hours.
    "!handler/adapters/dynamodb-claims.ts",
    "!handler/index.ts",
    "stacks/policy/**/*.ts",
    "stacks/send-budget.ts",
    "operations/dead-letters/decision.ts",
  ],
  testRunner: "jest",
  // Of the tests, those that reach a mutant are run for it.
  coverageAnalysis: "perTest",
  jest: {
    config: {
      ...unit,
      // Stryker adds these settings to those of jest.config.js, and each of its projects would run the same tests.
      projects: [],
      testMatch: [
        "**/__tests__/handler/**/*.test.ts",
        "**/__tests__/stacks/{policy,policy-*,send-budget}.test.ts",
        "**/__tests__/operations/dead-letters/{decision,redrive,report}.test.ts",
      ],
      testPathIgnorePatterns: [
        ...unit.testPathIgnorePatterns,
        // Thousands of random runs take seconds a mutant, and kill nothing that the other tests leave alive.
        "/handler/properties\\.test",
        "/handler/regular-expressions\\.test",
      ],
      // Whole stacks are synthesized here, and what they show of a rule is shown by an example of its own.
      testNamePattern: "^(?!is kept by stage|has production alone|refuses a stage whose)",
    },
  },
  // A mutant that loops is stopped by time, so a busy machine must not make the others look the same.
  concurrency: 1,
  timeoutMS: 20_000,
  // The goal is of all files together; a single one may be below it for its equivalent mutants.
  thresholds: { high: 95, low: 90, break: process.argv.some((word) => /^(?:-m|--mutate)/.test(word)) ? null : 95 },
  // A second run tries only what has changed.
  incremental: true,
  incrementalFile: ".stryker/incremental.json",
  tempDirName: ".stryker/sandbox",
  ignorePatterns: ["cdktf.out", ".sandbox", ".stryker", "coverage"],
  reporters: ["progress-append-only", "clear-text", "html", "json"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: ".stryker/report.html" },
  jsonReporter: { fileName: ".stryker/report.json" },
};
