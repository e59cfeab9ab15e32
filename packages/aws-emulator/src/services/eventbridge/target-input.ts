import { type Target } from "@aws-sdk/client-eventbridge";
import { isRecord } from "../../gateway/http";
import { type Envelope } from "../../gateway/journal";
import { stringify } from "../../gateway/json-text";

export interface InputContext {
  readonly ruleArn: string;
  readonly ruleName: string;
  /** When the bus took the event. */
  readonly ingestedAt: Date;
}

/** EventBridge makes no valid JSON of the template, and delivers nothing. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput";
}

export const predefinedVariables: readonly string[] = [
  "aws.events.rule-arn",
  "aws.events.rule-name",
  "aws.events.event.ingestion-time",
  "aws.events.event",
  "aws.events.event.json",
];

/** The variables that a template names. */
export function variablesIn(template: string): readonly string[] {
  return [...template.matchAll(/<([^<>]*)>/g)].map(([, name = ""]) => name);
}

/**
 * What a rule's target gets: the event, a constant, a part of the event, or a text made from it.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 * @throws InvalidInput
 */
export function inputFor(
  target: Pick<Target, "Input" | "InputPath" | "InputTransformer">,
  event: Envelope,
  context: InputContext,
): string {
  if (target.InputTransformer !== undefined) {
    const { InputPathsMap: paths = {}, InputTemplate: template = "" } = target.InputTransformer;
    const predefined: [string, unknown][] = [
      ["aws.events.rule-arn", context.ruleArn],
      ["aws.events.rule-name", context.ruleName],
      ["aws.events.event.ingestion-time", context.ingestedAt.toISOString()],
      ["aws.events.event", withoutDetail(event)],
      ["aws.events.event.json", event],
    ];
    const own = Object.entries(paths).map(([name, path]): [string, unknown] => [name, valueAt(event, path)]);
    return transform(template, new Map([...own, ...predefined]));
  }
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return stringify(valueAt(event, target.InputPath) ?? {});
  return stringify(event);
}

/** `<aws.events.event>`: AWS names the type `detailType` in it (recorded in LocalStack's test_events_inputs). */
function withoutDetail({ id, account, time, source, region, resources, version, ...event }: Envelope): unknown {
  return { id, account, detailType: event["detail-type"], time, source, region, resources, version };
}

/** EventBridge's part of JSONPath: names, indices, wildcards. `undefined` where nothing is at the path. */
export function valueAt(root: unknown, path: string): unknown {
  const steps = path.match(/\[\*\]|\[\d+\]|\['[^']*'\]|\["[^"]*"\]|[^.[\]$]+/g) ?? [];
  let values: unknown[] = [root];
  let isList = false;
  for (const step of steps) {
    const name = /^\[['"](.*)['"]\]$/.exec(step)?.[1] ?? step;
    if (name === "*" || name === "[*]") {
      isList = true;
      values = values.flatMap((value) =>
        Array.isArray(value) ? (value as unknown[]) : isRecord(value) ? Object.values(value) : [],
      );
    } else {
      const index = /^\[(\d+)\]$/.exec(name)?.[1];
      values = values.map((value) => {
        if (index !== undefined) return Array.isArray(value) ? (value as unknown[])[Number(index)] : undefined;
        return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
      });
    }
    values = values.filter((value) => value !== undefined);
  }
  return isList ? (values.length === 0 ? undefined : values) : values[0];
}

/**
 * Fills `<name>` in a template, which is JSON or quoted texts. Outside quotation marks a value is written as JSON, so
 * text gets its quotation marks and an object is inlined; inside them text is escaped. An object inside them loses its
 * quotation marks in a text, and breaks a JSON template, as recorded of AWS (LocalStack's test_events_inputs). What
 * nothing was found for is an empty text.
 */
function transform(template: string, variables: ReadonlyMap<string, unknown>): string {
  const isJson = /^\s*[[{]/.test(template);
  let isInText = false;
  const filled = template.replace(/\\.|"|<([^<>]*)>/gs, (token, name: string | undefined) => {
    if (token === '"') isInText = !isInText;
    if (name === undefined || !variables.has(name)) return token;
    const found = variables.get(name);
    const value = found === undefined ? "" : found;
    const asJson = stringify(value);
    if (!isInText) return asJson;
    if (typeof value === "object" && value !== null) return isJson ? asJson : asJson.replaceAll('"', "");
    return typeof value === "string" ? asJson.slice(1, -1) : asJson;
  });
  if (isJson && !isValid(filled)) throw new InvalidInput("The input transformer's template makes no valid JSON.");
  return filled;
}

function isValid(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
