import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

/** Importing the root of a generated provider costs seconds and hundreds of megabytes at each synth. */
const noProviderRoots = {
  paths: ["@cdktf/provider-aws", "@cdktf/provider-archive"].map((name) => ({
    name,
    message: `Import the one resource you need (${name}/lib/<resource>): the root loads every resource of the provider.`,
  })),
};

/** Makes a pattern that forbids relative imports of the project's folders, for example `../../operations/lanes`. */
const no = (folders, message) => ({ regex: `^(?:\\.\\./)+(?:${folders.join("|")})(?:/|$)`, message });

/** What a package of its own must not import. */
const ofThisProject = ["stacks", "handler", "operations", "sandbox", "bench", "docs", "scripts", "__tests__", "main"];

/** An error that is thrown for a caught one has to keep it as its cause, so that a log shows both. */
const causesKept = [
  "CatchClause ThrowStatement > NewExpression:not(:has(Property[key.name='cause']))",
  "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression[params.length=1] ThrowStatement > NewExpression:not(:has(Property[key.name='cause']))",
].map((selector) => ({ selector, message: "Pass the caught error on: add { cause } to the new error." }));

export default tseslint.config(
  {
    ignores: [
      "cdktf.out/",
      "coverage/",
      ".sandbox/",
      ".stryker/",
      ".migration/",
      "**/.terraform/",
      "packages/producer/dist/",
    ],
  },
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
      // Constructs are created only for their effect on the construct tree.
      "no-new": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    // The Lambda package holds no infrastructure code.
    files: ["handler/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [
            {
              group: ["cdktf", "cdktf/*", "constructs", "@cdktf/*", "aws-emulator", "aws-emulator/*"],
              message: "The handler is deployed without the infrastructure code, so it must not import it.",
            },
            no(
              ["stacks", "operations", "sandbox", "bench", "docs", "scripts", "main"],
              "The handler is deployed alone, so it must not import the code that deploys, runs or watches it.",
            ),
          ],
        },
      ],
      "no-console": "error",
    },
  },
  {
    // The emulator is a package of its own. It knows nothing of the notifications, so that other projects can use it.
    files: ["packages/aws-emulator/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            no(
              ofThisProject,
              "The emulator is a package of its own and must not import this project: pass in what it needs.",
            ),
          ],
        },
      ],
    },
  },
  {
    // Producers install this package, and nothing else of this project.
    files: ["packages/producer/{src,examples}/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            no(
              ofThisProject,
              "Producers install this package alone: generate what it needs (docs/generator/producer-package.ts).",
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
            no(
              ["operations", "sandbox", "bench", "docs", "scripts"],
              "stacks/ must not import the code that runs or watches a deployment.",
            ),
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
              ["operations", "bench", "docs", "scripts"],
              "The commands and the measurements may import the sandbox, but the sandbox must not import them.",
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
          patterns: [
            no(
              ["operations", "docs", "scripts"],
              "bench/ must not import a command, which is a program: move what both need to a layer below.",
            ),
          ],
        },
      ],
    },
  },
  {
    // The commands work on any stage. They do not use the code that runs the sandbox on this machine, but for the gallery
    // of the mails, which needs no stage.
    files: ["operations/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [
            no(
              ["sandbox(?!/preview/)", "bench", "docs", "scripts"],
              "The commands only need to know where the sandbox is: import stacks/sandbox-endpoint.ts instead.",
            ),
          ],
        },
      ],
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Read it from the Io that the command gets." },
        { object: "process", property: "exit", message: "Return the exit code, or throw: output may be on its way." },
      ],
    },
  },
  {
    // The steps of the workflows act on stages. Nothing that they use is there only on a developer's machine.
    files: ["scripts/ci/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          ...noProviderRoots,
          patterns: [
            no(["sandbox", "bench", "docs"], "A step of a workflow must not import what runs on one machine."),
          ],
        },
      ],
    },
  },
  {
    // This file is the program: it hands the process's environment to the commands.
    files: ["operations/cli.ts"],
    rules: { "no-restricted-properties": "off" },
  },
  {
    files: ["**/*.ts"],
    ignores: ["**/__tests__/**"],
    rules: { "no-restricted-syntax": ["error", ...causesKept] },
  },
  {
    // A longer function usually does more than one thing.
    files: ["**/*.ts"],
    // Tests are lists of cases, so they may be longer.
    ignores: ["**/__tests__/**"],
    rules: { "max-lines-per-function": ["error", { max: 80, skipComments: true, skipBlankLines: true }] },
  },
  {
    // The page renders after it has fetched its data, so a state that is read only once is read too early on a slow
    // machine.
    files: ["packages/aws-emulator/__tests__/browser/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "CallExpression[callee.name='expect'] > AwaitExpression > CallExpression[callee.property.name=/^(?:count|getAttribute|innerText|inputValue|isChecked|isVisible|textContent)$/]",
          message: "Wait for the state: eventually(() => .., expected).",
        },
      ],
    },
  },
  {
    // Of the stacks and the function, only three files read process.env, so that every setting is validated once.
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
