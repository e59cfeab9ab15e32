import { cpSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as estree from "prettier/plugins/estree";
import * as typescript from "prettier/plugins/typescript";
import { check } from "prettier/standalone";
import ts from "typescript";
import { type Notification } from "../../handler/notifications/define";
import { newNotification, type NewNotificationOptions } from "../../operations/commands/new-notification";
import type * as Check from "../../stacks/catalogue-check";
import type * as Load from "../../stacks/templates/load";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const project = join(__dirname, "..", "..");
const list = "handler/notifications/index.ts";

/** What the written files import, and nothing else of the project. */
function projectCopy(): string {
  const root = temporaryFolder();
  for (const name of ["handler", "stacks", "tsconfig.json", "package.json"]) {
    cpSync(join(project, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
  return root;
}

/** A project of which only the catalogue's file is there. */
const projectWith = (index: string) => writeFiles(temporaryFolder(), { [list]: index });

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .sort();
}

const indexOf = (root: string) => readFileSync(join(root, list), "utf8");
const seedOnly = "export const catalogue = [\n  // What the project comes with.\n  ...seedCatalogue,\n];\n";

it("writes the folder, its line and a test, and says what is next", async () => {
  const root = projectWith(seedOnly);
  const { next: told } = await newNotification("example-refunded", { root });
  const files = [
    "__tests__/handler/notifications/example-refunded.test.ts",
    "handler/notifications/index.ts",
    "handler/notifications/example-refunded/body.html",
    "handler/notifications/example-refunded/body.txt",
    "handler/notifications/example-refunded/index.ts",
  ];
  expect(filesOf(root)).toEqual([...files].sort());
  for (const file of [...files, "npx jest example-refunded", "npm run schema -- example-refunded"]) {
    expect(told).toContain(file);
  }
});

describe("what it writes", () => {
  const written: [string, NewNotificationOptions][] = [
    ["example-refunded", {}],
    ["x", { lane: "priority", source: "com.example.shop", detailType: 'It\'s "a" <type> & {{more}} of ${it}' }],
    ["digest-of-all-that-there-is", { schedule: "cron(0 7 ? * MON *)" }],
    ["default", { schedule: "rate(1 day)", lane: "priority", detailType: "D".repeat(100) }],
    ["braces", { detailType: "{{{a}}} {{{{b}}}} c\\ {" }],
    // Names that the written files, or the catalogue's, have already; and two ids of one name.
    ...["subject", "detail", "define-notification", "sample-event", "find-notification", "seed-catalogue"].map(
      (id): [string, NewNotificationOptions] => [id, {}],
    ),
    ["a-1", {}],
    ["a1", { detailType: "Another" }],
  ];
  let root: string;
  beforeAll(async () => {
    root = projectCopy();
    for (const [id, options] of written) await newNotification(id, { root, ...options });
  });
  const typeScriptFiles = () => [
    join(root, list),
    ...written.flatMap(([id]) => [
      join(root, "handler", "notifications", id, "index.ts"),
      join(root, "__tests__", "handler", "notifications", `${id}.test.ts`),
    ]),
  ];

  it("is as Prettier writes it", async () => {
    const style = { printWidth: 120, parser: "typescript", plugins: [estree, typescript] };
    for (const file of typeScriptFiles())
      expect([file, await check(readFileSync(file, "utf8"), style)]).toEqual([file, true]);
  });

  it("has the right types", () => {
    const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => readFileSync(path, "utf8")) as {
      config: { compilerOptions: object };
    };
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const program = ts.createProgram(typeScriptFiles(), options);
    // Of the written files alone: `npm run typecheck` looks at what they import.
    const problems = typeScriptFiles().flatMap((file) =>
      ts.getPreEmitDiagnostics(program, program.getSourceFile(file)),
    );
    expect(problems.map(({ messageText }) => messageText)).toEqual([]);
  });

  it("is what the synth takes, with all that was asked for", () => {
    const { catalogue } = jest.requireActual<{ catalogue: readonly Notification[] }>(join(root, list));
    // Of the copy, too: a notification that is there has the copy's link().
    const { checkCatalogue } = jest.requireActual<typeof Check>(join(root, "stacks", "catalogue-check"));
    const { loadTemplate } = jest.requireActual<typeof Load>(join(root, "stacks", "templates", "load"));
    const folder = join(root, "handler", "notifications");
    const templateOf: Load.TemplateReader = (notification, edition) =>
      loadTemplate(notification, edition, join(folder, notification.id));
    expect(() =>
      checkCatalogue(catalogue, {
        prefix: "shop-dev",
        templateOf,
        folder,
      }),
    ).not.toThrow();
    expect(catalogue.map(({ id }) => id)).toEqual(expect.arrayContaining(written.map(([id]) => id)));
    const own = catalogue.filter(
      ({ id }) => ["default", "example-refunded", "x"].includes(id) || id.startsWith("digest"),
    );
    expect(own.map(({ id, lane, trigger }) => ({ id, lane, trigger }))).toMatchObject([
      { id: "default", lane: "priority", trigger: { kind: "schedule", expression: "rate(1 day)" } },
      { id: "digest-of-all-that-there-is", lane: "standard", trigger: { expression: "cron(0 7 ? * MON *)" } },
      {
        id: "example-refunded",
        lane: "standard",
        trigger: { kind: "event", source: "custom.application", detailType: "Example Refunded" },
      },
      {
        id: "x",
        lane: "priority",
        trigger: { source: "com.example.shop", detailType: 'It\'s "a" <type> & {{more}} of ${it}' },
      },
    ]);
  });
});

describe("the catalogue's line", () => {
  const insertInto = async (index: string, ...ids: string[]) => {
    const root = projectWith(index);
    for (const id of ids) await newNotification(id, { root });
    return indexOf(root);
  };

  it("stands in alphabetical order, whichever is written first", async () => {
    const [one, other] = [
      await insertInto(seedOnly, "m-two", "m-one", "m-three"),
      await insertInto(seedOnly, "m-three", "m-one", "m-two"),
    ];
    expect(one).toBe(other);
    expect(one).toMatch(/\.\.\.seedCatalogue,\n {2}mOne,\n {2}mThree,\n {2}mTwo,\n\];/);
    expect(one).toMatch(/^import \{ mOne \} from "\.\/m-one";\nimport \{ mThree \} .*\nimport \{ mTwo \} /);
  });

  it.each<[string, string, RegExp]>([
    ["in an empty list", "export const catalogue = [];", /catalogue = \[mOne\]/],
    ["without a comma at the end", "export const catalogue = [...seedCatalogue]", /\[\.\.\.seedCatalogue, mOne\]/],
    [
      "beside comments",
      "export const catalogue = [\n  a, // of A\n  // of Z\n  z,\n];",
      /a, \/\/ of A\n {2}mOne,\n {2}\/\/ of Z\n {2}z,\n/,
    ],
    [
      "behind the last comment",
      "export const catalogue = [\n  a, // of A\n  // the end\n];",
      /a, \/\/ of A\n {2}mOne,\n {2}\/\/ the end\n/,
    ],
    [
      "where the list is checked by its type",
      "export const catalogue = [...seedCatalogue] satisfies N[];",
      /\[\.\.\.seedCatalogue, mOne\] satisfies N\[\];/,
    ],
    [
      "and not in another list",
      "const others = [a];\n/** catalogue = [ */\nexport const catalogue: readonly N[] = [a];",
      /others = \[a\];\n[^[]*\[ \*\/\n.*= \[a, mOne\];/,
    ],
  ])("finds its place %s", async (_, index, expected) => {
    expect(await insertInto(index, "m-one")).toMatch(expected);
  });

  it("is left to a person where the file has no list any more", async () => {
    const root = projectWith("export const catalogue = Object.values(all);");
    await expect(newNotification("m-one", { root })).rejects.toThrow(
      "handler/notifications/index.ts has no list `catalogue` any more: write the notification's folder and its line by hand.",
    );
    expect(filesOf(root)).toEqual([list]);
  });
});

it.each<[string, NewNotificationOptions, string]>([
  [
    "Example Refunded",
    {},
    'The id "Example Refunded" can\'t be a part of the names in AWS: use small letters, digits and single hyphens, for example "example-refunded".',
  ],
  ["../order", {}, 'The id "../order" can\'t be'],
  ["o".repeat(60), {}, "has 60 characters, and 30 fit into the name of its template"],
  ["define", {}, 'The id "define" is the name of a file there'],
  ["priority-alert", {}, 'The notification "priority-alert" exists: choose another id, or change handler/'],
  ["example-refunded", { lane: "bulk" }, 'There is no lane "bulk": use standard or priority.'],
  ["example-refunded", { schedule: "9 o'clock" }, `The schedule "9 o'clock" is neither cron(..) nor rate(..)`],
  ["example-refunded", { source: "aws.orders" }, 'The trigger has the source "aws.orders"'],
  ["example-refunded", { detailType: "" }, "The trigger has no detailType."],
  [
    "example-refunded",
    { detailType: "a\nb" },
    'The detail-type "a\\nb" has a line break or a control character, and the mail\'s subject begins with it: leave that out.',
  ],
  [
    "example-refunded",
    { detailType: "Priority Alert" },
    'The source "custom.application" with the detail-type "Priority Alert" is that of "priority-alert": give another one (npm run new-notification -- example-refunded --detail-type "..").',
  ],
])("refuses %j %j with a sentence, and writes nothing", async (id, options, problem) => {
  const root = projectWith(seedOnly);
  await expect(newNotification(id, { root, ...options })).rejects.toThrow(problem);
  expect(filesOf(root)).toEqual([list]);
  expect(indexOf(root)).toBe(seedOnly);
});

it.each(["handler/notifications/m-one/notes.md", "__tests__/handler/notifications/m-one.test.ts"])(
  "leaves what is there as it is: %s",
  async (file) => {
    const root = writeFiles(projectWith(seedOnly), { [file]: "mine" });
    await expect(newNotification("m-one", { root })).rejects.toThrow(
      /exists: choose another id, or change what is there/,
    );
    expect(filesOf(root)).toEqual([file, list].sort());
    expect(indexOf(root)).toBe(seedOnly);
  },
);
