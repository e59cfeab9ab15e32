/** The settings that all kinds of tests share. */
const shared = {
  testEnvironment: "node",
  // On Node 20, each client of the AWS SDK would print that it needs Node 22 from 2027 on. The first of these files turns
  // that off.
  setupFiles: [
    "<rootDir>/packages/aws-emulator/src/aws-sdk-settings.ts",
    "<rootDir>/__tests__/support/forgotten-contexts.ts",
    "<rootDir>/__tests__/support/cheap-tokens.ts",
    "<rootDir>/__tests__/support/shared-bundle.ts",
    "<rootDir>/__tests__/support/few-languages.ts",
  ],
  // These folders hold output and no source: a synth copies the bundle into them, and Stryker copies the project.
  modulePathIgnorePatterns: [
    "<rootDir>/cdktf.out/",
    "<rootDir>/.sandbox/",
    "<rootDir>/.stryker/",
    "<rootDir>/.migration/",
  ],
  moduleNameMapper: {
    // As `paths` in tsconfig.json.
    "^event-driven-email-producer$": "<rootDir>/packages/producer/src/index.ts",
    // Prettier's main module imports an ES module when it is loaded, which Jest can't do for json-schema-to-typescript.
    "^prettier$": "prettier/standalone",
  },
  // Graphviz is an ES module, which Jest can't require as Node.js does.
  transformIgnorePatterns: ["/node_modules/(?!@hpcc-js/)"],
  // The modules of the inbox page are JavaScript for a browser. TypeScript's parser can read them as well.
  transform: {
    "(?:^.+\\.ts|/inbox/[^/]+\\.js|/@hpcc-js/.+\\.js)$": [
      "@swc/jest",
      { jsc: { target: "es2022", parser: { syntax: "typescript" } } },
    ],
  },
};

/**
 * Which tests a file belongs to follows from its name. `npx jest <file>` runs a file of any kind.
 *
 * @type {import("jest").Config}
 */
module.exports = {
  // A test waits for a state and has no time limit of its own. This limit only ends a test that hangs. It is long,
  // because a machine may be many times slower than usual.
  testTimeout: 300_000,
  globalSetup: "<rootDir>/__tests__/support/run-folder.ts",
  globalTeardown: "<rootDir>/__tests__/support/run-folder-teardown.ts",
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
