import { type Target } from "@aws-sdk/client-eventbridge";
import { isRecord } from "../http";
import { type Envelope } from "../journal";
import { stringify } from "../json-text";

export interface InputContext {
  readonly ruleArn: string;
  readonly ruleName: string;
  /** When the bus took the event. */
  readonly ingestedAt: Date;
}

/**
 * What a rule's target gets: the event, a constant, a part of the event, or a text made from it.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export function inputFor(
  target: Pick<Target, "Input" | "InputPath" | "InputTransformer">,
  event: Envelope,
  context: InputContext,
): string {
  if (target.InputTransformer !== undefined) {
    const { InputPathsMap: paths = {}, InputTemplate: template = "" } = target.InputTransformer;
    const { detail: _detail, ...eventWithoutDetail } = event;
    const predefined: [string, unknown][] = [
      ["aws.events.rule-arn", context.ruleArn],
      ["aws.events.rule-name", context.ruleName],
      ["aws.events.event.ingestion-time", context.ingestedAt.toISOString()],
      ["aws.events.event", eventWithoutDetail],
      ["aws.events.event.json", event],
    ];
    const own = Object.entries(paths).map(([name, path]): [string, unknown] => [name, valueAt(event, path)]);
    return transform(template, new Map([...own, ...predefined]));
  }
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return stringify(valueAt(event, target.InputPath) ?? {});
  return stringify(event);
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
        return isRecord(value) ? value[name] : undefined;
      });
    }
    values = values.filter((value) => value !== undefined);
  }
  return isList ? (values.length === 0 ? undefined : values) : values[0];
}

/**
 * Fills `<name>` in a template, which is JSON or a quoted text. Outside quotation marks a value is written as JSON, so
 * text gets its quotation marks and an object is inlined; inside them it is written as escaped text. A name that
 * nothing was found for becomes an empty text; what is no name of a variable stays.
 */
function transform(template: string, variables: ReadonlyMap<string, unknown>): string {
  let isInText = false;
  return template.replace(/\\.|"|<([\w.-]+)>/gs, (token, name: string | undefined) => {
    if (token === '"') isInText = !isInText;
    if (name === undefined || !variables.has(name)) return token;
    const found = variables.get(name);
    const value = found === undefined ? "" : found;
    if (!isInText) return stringify(value);
    return JSON.stringify(typeof value === "string" ? value : stringify(value)).slice(1, -1);
  });
}
