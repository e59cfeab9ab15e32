/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  testMatch: ["**/__tests__/**/*.test.ts"],
  // A synth leaves copies of the bundle here; they are output, not source.
  modulePathIgnorePatterns: ["<rootDir>/cdktf.out/", "<rootDir>/.sandbox/"],
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }] },
  setupFilesAfterEnv: ["<rootDir>/__tests__/support/setup.ts"],
};
