/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  testMatch: ["**/__tests__/**/*.test.ts"],
  // A synth leaves copies of the bundle here, and Stryker its copies of the project; they are output, not source.
  modulePathIgnorePatterns: ["<rootDir>/cdktf.out/", "<rootDir>/.sandbox/", "<rootDir>/.stryker/"],
  // The inbox page's modules are a browser's; TypeScript's parser reads them as well.
  transform: {
    "(?:^.+\\.ts|/inbox/[^/]+\\.js)$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }],
  },
  // A test ends by what it waits for. This ends one that hangs, on a machine that is many times slower than usual, too.
  testTimeout: 300_000,
  globalSetup: "<rootDir>/__tests__/support/global-setup.ts",
  setupFilesAfterEnv: ["<rootDir>/__tests__/support/setup.ts"],
};
