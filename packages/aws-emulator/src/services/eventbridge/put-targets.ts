import { type Answer, type Call, isRecord, jsonError, jsonOf, parseObject, textOf } from "../../gateway/http";
import { type Constraint, busPattern, namePattern, violations } from "./constraints";
import { type Rules, busNameOf } from "./rules";
import { serviceOf } from "../../gateway/destinations";
import { predefinedVariables, variablesIn } from "./target-input";

/** EventBridge quotas, "Targets per rule". */
const mostTargets = 5;

/** What AWS refuses of PutTargets and moto takes. */
export async function refuseTargets(call: Call, rules: Rules): Promise<Answer | undefined> {
  const { Rule: rule, EventBusName: bus, Targets: given } = jsonOf(call);
  const targets = Array.isArray(given) ? (given as unknown[]).filter(isRecord) : undefined;
  const refusal =
    violations([
      { path: "rule", value: rule, isRequired: true, min: 1, max: 64, pattern: namePattern },
      { path: "eventBusName", value: bus, min: 1, max: 1600, pattern: busPattern },
      { path: "targets", value: targets, isRequired: true, min: 1, max: 100 },
      ...(targets ?? []).flatMap((target, index) => constraintsOf(target, `targets.${index + 1}.member`)),
    ]) ?? targets?.map(refuseInput).find((answer) => answer !== undefined);
  if (refusal !== undefined) return refusal;
  const present = await rules.withTargets(busNameOf(textOf(bus)), { Name: textOf(rule) ?? "" }).catch(() => undefined);
  const ids = new Set([...(present?.targets ?? []), ...(targets ?? [])].map(({ Id }) => Id));
  // Where the rule does not exist, moto says so.
  if (present === undefined || ids.size <= mostTargets) return undefined;
  return jsonError(400, "LimitExceededException", "The requested resource exceeds the maximum number allowed.");
}

function constraintsOf(target: Readonly<Record<string, unknown>>, path: string): Constraint[] {
  const transformer = isRecord(target.InputTransformer) ? target.InputTransformer : undefined;
  const retry = isRecord(target.RetryPolicy) ? target.RetryPolicy : {};
  const deadLetters = isRecord(target.DeadLetterConfig) ? target.DeadLetterConfig : {};
  const paths = isRecord(transformer?.InputPathsMap) ? transformer.InputPathsMap : undefined;
  return [
    { path: `${path}.id`, value: target.Id, isRequired: true, min: 1, max: 64, pattern: namePattern },
    { path: `${path}.arn`, value: target.Arn, isRequired: true, min: 1, max: 1600 },
    { path: `${path}.roleArn`, value: target.RoleArn, min: 1, max: 1600 },
    { path: `${path}.input`, value: target.Input, max: 8192 },
    { path: `${path}.inputPath`, value: target.InputPath, max: 256 },
    { path: `${path}.deadLetterConfig.arn`, value: deadLetters.Arn, min: 1, max: 1600 },
    { path: `${path}.retryPolicy.maximumRetryAttempts`, value: retry.MaximumRetryAttempts, min: 0, max: 185 },
    {
      path: `${path}.retryPolicy.maximumEventAgeInSeconds`,
      value: retry.MaximumEventAgeInSeconds,
      min: 60,
      max: 86_400,
    },
    ...(transformer === undefined
      ? []
      : [
          {
            path: `${path}.inputTransformer.inputTemplate`,
            value: transformer.InputTemplate,
            isRequired: true,
            min: 1,
            max: 8192,
          },
          { path: `${path}.inputTransformer.inputPathsMap`, value: paths, max: 100 },
          ...Object.entries(paths ?? {}).flatMap(([name, value]) => [
            {
              path: `${path}.inputTransformer.inputPathsMap`,
              value: name,
              min: 1,
              max: 256,
              pattern: /^[A-Za-z0-9_-]+$/,
            },
            { path: `${path}.inputTransformer.inputPathsMap.${name}.member`, value, max: 256 },
          ]),
        ]),
  ];
}

function refuseInput(target: Readonly<Record<string, unknown>>): Answer | undefined {
  const { Id: id, InputTransformer: transformer } = target;
  const refuse = (message: string) => jsonError(400, "ValidationException", message);
  if (["Input", "InputPath", "InputTransformer"].filter((name) => target[name] !== undefined).length > 1) {
    return refuse(`Only one of Input, InputPath, or InputTransformer must be provided for target ${textOf(id) ?? ""}.`);
  }
  if (!isRecord(transformer)) return undefined;
  const paths = isRecord(transformer.InputPathsMap) ? transformer.InputPathsMap : {};
  const unknown = variablesIn(textOf(transformer.InputTemplate) ?? "").find(
    (name) => !Object.hasOwn(paths, name) && !predefinedVariables.includes(name),
  );
  if (unknown !== undefined) {
    return refuse(`InputTemplate for target ${textOf(id) ?? ""} contains invalid placeholder ${unknown}.`);
  }
  const isForLogs = serviceOf(textOf(target.Arn) ?? "") === "logs";
  if (!isForLogs || isLogTemplate(textOf(transformer.InputTemplate) ?? "")) return undefined;
  return refuse(
    `InputTemplate for target ${textOf(id) ?? ""} has to be of the form {"timestamp":<timestamp>,"message":<message>}.`,
  );
}

/** Whether it is an object of a timestamp and a message, whatever its variables stand for. */
function isLogTemplate(template: string): boolean {
  const filled = parseObject(template.replace(/\\.|"|<[^<>]*>/gs, fillOutsideTexts()));
  return filled !== undefined && Object.keys(filled).sort().join() === "message,timestamp";
}

function fillOutsideTexts(): (token: string) => string {
  let isInText = false;
  return (token) => {
    if (token === '"') isInText = !isInText;
    return token.startsWith("<") && !isInText ? "null" : token;
  };
}
