/** What the tests of each kind have in common. */
const shared = {
  testEnvironment: "node",
  // The SDK says at each client, on Node 20, that it wants Node 22 from 2027 on.
  setupFiles: [
    "<rootDir>/packages/aws-emulator/src/aws-sdk-settings.ts",
    "<rootDir>/__tests__/support/cheap-tokens.ts",
  ],
  // A synth leaves copies of the bundle here, and Stryker its copies of the project; they are output, not source.
  modulePathIgnorePatterns: ["<rootDir>/cdktf.out/", "<rootDir>/.sandbox/", "<rootDir>/.stryker/"],
  // The inbox page's modules are a browser's; TypeScript's parser reads them as well.
  transform: {
    "(?:^.+\\.ts|/inbox/[^/]+\\.js)$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }],
  },
};

/**
 * The file's name says what a test needs. `npx jest <file>` runs a file of any kind.
 *
 * @type {import("jest").Config}
 */
module.exports = {
  // A test ends by what it waits for. This ends one that hangs, on a machine that is many times slower than usual, too.
  testTimeout: 300_000,
  projects: [
    {
      ...shared,
      displayName: "unit",
      testMatch: ["**/__tests__/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", "/end-to-end/", "\\.integration\\.test\\.ts$"],
    },
    {
      ...shared,
      displayName: "integration",
      testMatch: ["**/__tests__/**/*.integration.test.ts"],
      globalSetup: "<rootDir>/__tests__/support/integration-setup.ts",
      globalTeardown: "<rootDir>/__tests__/support/integration-teardown.ts",
    },
    { ...shared, displayName: "end-to-end", testMatch: ["**/__tests__/**/end-to-end/*.test.ts"] },
  ],
};
