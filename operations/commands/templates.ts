import { SESClient } from "@aws-sdk/client-ses";
import { type Command } from "commander";
import { catalogue } from "../../handler/notifications";
import { type Edition, editionsOf } from "../../handler/notifications/editions";
import { storedTemplateName } from "../../stacks/templates/load";
import { addCommonOptions, type CommonOptions, exitCodes, exitCodesHelp, type Io } from "../command";
import { deployHint, onStage, type StageAccess } from "../stage";
import { type StoredTemplate, storedTemplates } from "../stored-templates";
import { createTable } from "../table";
import { printable } from "../text";

interface UsedTemplate extends Edition {
  readonly notification: string;
  readonly name: string;
}

/** The templates of a stage: those of this checkout, and those that SES stores. */
interface Templates {
  /** In use by this checkout, and stored. */
  readonly stored: readonly (UsedTemplate & StoredTemplate)[];
  /** In use by this checkout, and not stored. */
  readonly missing: readonly UsedTemplate[];
  /** Stored, and in use by no edition of this checkout. */
  readonly left: readonly StoredTemplate[];
}

/** `npm run templates` compares the templates that SES stores for a stage with those of this checkout. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return addCommonOptions(command)
    .addHelpText(
      "after",
      exitCodesHelp(
        "SES stores each template of this checkout (one that is left is no problem)",
        "a template of this checkout is missing, or SES could not be asked",
      ),
    )
    .action((options: CommonOptions) =>
      onStage(io, options, "templates", async (stage) => {
        const found = await findTemplates(stage);
        io.stdout.write(options.json ? `${JSON.stringify(toJson(found, stage), null, 2)}\n` : describe(found, stage));
        end(found.missing.length === 0 ? exitCodes.well : exitCodes.problems);
      }),
    );
}

async function findTemplates({ client, names }: StageAccess): Promise<Templates> {
  const ses = new SESClient(client);
  const ofStage = new Map<string, StoredTemplate>();
  for await (const template of storedTemplates(ses)) {
    if (template.name.startsWith(`${names.prefix}-`)) ofStage.set(template.name, template);
  }
  const used = catalogue.flatMap((notification) =>
    editionsOf(notification).map((edition): UsedTemplate => ({
      notification: notification.id,
      ...edition,
      name: storedTemplateName(names.prefix, notification, edition),
    })),
  );
  const usedNames = new Set(used.map(({ name }) => name));
  return {
    stored: used.flatMap((template) => {
      const found = ofStage.get(template.name);
      return found === undefined ? [] : [{ ...template, ...found }];
    }),
    missing: used.filter(({ name }) => !ofStage.has(name)),
    left: [...ofStage.values()]
      .filter(({ name }) => !usedNames.has(name))
      .sort((one, other) => one.name.localeCompare(other.name)),
  };
}

/** What to do about the templates, for a person. */
function todos({ missing, left }: Templates, stage: StageAccess): string[] {
  const deploy = deployHint(stage);
  if (missing.length > 0) {
    const others = left.length > 0 ? " The functions may use what is left until then: leave it alone." : "";
    return [`Missing: what is deployed is not this checkout. ${deploy} Or check out what is deployed.${others}`];
  }
  if (left.length === 0) return [];
  return [
    `Left: a deployment that stopped half-way leaves the templates of another checkout, and the next one removes them. ${deploy}`,
    "What is left after it is in no state of Terraform, and no function of this checkout uses it: aws ses delete-template --template-name <name>",
  ];
}

const hashOf = (name: string) => name.slice(name.lastIndexOf("-") + 1);

function toJson(templates: Templates, stage: StageAccess): object {
  const { stored, missing, left } = templates;
  const withHash = <Named extends { readonly name: string }>(all: readonly Named[]) =>
    all.map((template) => ({ ...template, hash: hashOf(template.name) }));
  return {
    stage: stage.config.stage,
    prefix: stage.names.prefix,
    summary: { stored: stored.length, missing: missing.length, left: left.length },
    stored: withHash(stored),
    missing: withHash(missing),
    left,
    todo: todos(templates, stage),
  };
}

function describe(templates: Templates, stage: StageAccess): string {
  const { stored, missing, left } = templates;
  const table = createTable(["", "Notification", "Locale", "Variant", "Stored as", "Since"]);
  const add = (
    status: string,
    { notification, locale, variant = "", name, createdAt }: Partial<UsedTemplate & StoredTemplate>,
  ) => {
    table.add([
      ...[status, notification ?? "", locale ?? "", variant],
      ...[
        printable(name ?? "", { showAddresses: false }),
        createdAt?.toISOString().slice(0, 16).replace("T", " ") ?? "",
      ],
    ]);
  };
  for (const template of stored) add("stored", template);
  for (const template of missing) add("missing", template);
  for (const template of left) add("left", template);
  const counts = `${stage.names.prefix}: ${stored.length} stored, ${missing.length} missing, ${left.length} left`;
  return `${[table.toString(), counts, ...todos(templates, stage)].join("\n")}\n`;
}
