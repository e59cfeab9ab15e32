/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  testMatch: ["**/__tests__/**/*.test.ts"],
  // A synth leaves copies of the bundle here; they are output, not source.
  modulePathIgnorePatterns: ["<rootDir>/cdktf.out/", "<rootDir>/.sandbox/"],
  // The inbox page's modules are a browser's; TypeScript's parser reads them as well.
  transform: {
    "(?:^.+\\.ts|/sandbox/inbox/[^/]+\\.js)$": [
      "@swc/jest",
      { jsc: { target: "es2022", parser: { syntax: "typescript" } } },
    ],
  },
  setupFilesAfterEnv: ["<rootDir>/__tests__/support/setup.ts"],
};
