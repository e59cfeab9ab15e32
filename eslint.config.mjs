import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

/** A root import of a generated provider costs seconds and hundreds of megabytes at each synth. */
const noProviderRoots = {
  paths: ["@cdktf/provider-aws", "@cdktf/provider-archive"].map((name) => ({
    name,
    message: `Import the one resource you need (${name}/lib/<resource>): the root loads every resource of the provider.`,
  })),
};

/** Bars the imports of folders of ours, which are named from another one: `../../operations/lanes`. */
const no = (folders, message) => ({ regex: `^(?:\\.\\./)+(?:${folders.join("|")})(?:/|$)`, message });

/** An error that is made of a caught one keeps it, so that a log shows both. */
const causesKept = [
  "CatchClause ThrowStatement > NewExpression:not(:has(Property[key.name='cause']))",
  "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression[params.length=1] ThrowStatement > NewExpression:not(:has(Property[key.name='cause']))",
].map((selector) => ({ selector, message: "Give it the caught error: { cause }." }));

export default tseslint.config(
  { ignores: ["cdktf.out/", "coverage/", ".sandbox/", ".stryker/", "**/.terraform/"] },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-restricted-imports": ["error", noProviderRoots],
      "preserve-caught-error": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // A construct is created for its effect on the tree.
      "no-new": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    // The Lambda package carries no infrastructure code; one file in it knows the SES SDK.
    files: ["handler/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [
            {
              group: ["cdktf", "cdktf/*", "constructs", "@cdktf/*", "aws-emulator", "aws-emulator/*"],
              message: "The handler is deployed; infrastructure code is not.",
            },
            no(
              ["stacks", "operations", "sandbox", "bench", "docs", "main"],
              "The handler is deployed; what deploys, runs and watches it is not.",
            ),
          ],
        },
      ],
      "no-console": "error",
    },
  },
  {
    // The emulator is a package of its own: it knows nothing of the notifications, and another project can take it.
    files: ["packages/aws-emulator/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            no(
              ["stacks", "handler", "operations", "sandbox", "bench", "docs", "__tests__", "main"],
              "The emulator knows nothing of this project: give it what it needs.",
            ),
          ],
        },
      ],
    },
  },
  {
    files: ["stacks/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [
            no(["operations", "sandbox", "bench", "docs"], "What is deployed does not know who runs and watches it."),
          ],
        },
      ],
    },
  },
  {
    files: ["sandbox/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [
            no(
              ["operations", "bench", "docs"],
              "The sandbox is below the commands and the measurements: they may know it, it does not know them.",
            ),
          ],
        },
      ],
    },
  },
  {
    files: ["bench/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [no(["operations", "docs"], "A command is a program: take what both need from a layer below.")],
        },
      ],
    },
  },
  {
    // The commands work on any stage. What runs the sandbox on this machine is not theirs.
    files: ["operations/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [
            no(
              ["sandbox", "bench", "docs"],
              "The commands need where the sandbox is (stacks/sandbox-endpoint.ts), not what runs it.",
            ),
          ],
        },
      ],
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Take it from the Io that the command is given." },
        { object: "process", property: "exit", message: "Return the exit code, or throw: output may be on its way." },
      ],
    },
  },
  {
    // Here the process hands its environment to the program.
    files: ["operations/cli.ts"],
    rules: { "no-restricted-properties": "off" },
  },
  {
    files: ["**/*.ts"],
    ignores: ["**/__tests__/**"],
    rules: { "no-restricted-syntax": ["error", ...causesKept] },
  },
  {
    // A longer function does more than one thing.
    files: ["**/*.ts"],
    // Tests are lists of cases.
    ignores: ["**/__tests__/**"],
    rules: { "max-lines-per-function": ["error", { max: 80, skipComments: true, skipBlankLines: true }] },
  },
  {
    // A page renders when it has fetched what it shows: a state that is read once is read too early on a slow machine.
    files: ["packages/aws-emulator/__tests__/browser/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "CallExpression[callee.name='expect'] > AwaitExpression > CallExpression[callee.property.name=/^(?:count|getAttribute|innerText|inputValue|isChecked|isVisible|textContent)$/]",
          message: "Wait for it: eventually(() => .., expected).",
        },
      ],
    },
  },
  {
    // process.env is read in three places, so that every setting is validated once.
    files: ["main.ts", "stacks/**/*.ts", "handler/**/*.ts"],
    ignores: ["main.ts", "stacks/config.ts", "handler/index.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "env",
          message: "Read it in main.ts, stacks/config.ts or handler/index.ts and pass the value in.",
        },
      ],
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: {
      globals: {
        module: "readonly",
        document: "readonly",
        window: "readonly",
        fetch: "readonly",
        EventSource: "readonly",
        location: "readonly",
        history: "readonly",
        navigator: "readonly",
        console: "readonly",
        process: "readonly",
        Buffer: "readonly",
        setTimeout: "readonly",
        clearTimeout: "readonly",
        setInterval: "readonly",
        URL: "readonly",
        Blob: "readonly",
      },
    },
  },
);
