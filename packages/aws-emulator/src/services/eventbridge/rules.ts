import {
  ListRulesCommand,
  type ListRulesResponse,
  ListTargetsByRuleCommand,
  type ListTargetsByRuleResponse,
  ResourceNotFoundException,
  type Rule,
  type Target,
} from "@aws-sdk/client-eventbridge";
import { distance } from "fastest-levenshtein";
import { type Answer, jsonError } from "../../gateway/http";
import { type Envelope } from "../../gateway/journal";
import { type Moto } from "../../gateway/moto";
import { compareNearness, type CompiledPattern, type Nearness, parsePattern } from "./pattern";

/** More than the rules of a bus (300, EventBridge quotas) on a few buses. */
const mostPatterns = 2000;

export interface RuleWithTargets {
  readonly name: string;
  readonly arn: string;
  readonly isEnabled: boolean;
  readonly pattern: string | undefined;
  readonly schedule: string | undefined;
  readonly targets: readonly Target[];
}

/** The rule that comes nearest to an event which no rule matched. */
export interface NearestRule extends Nearness {
  readonly rule: string;
  /** It would have matched. */
  readonly isDisabled?: true;
}

/** `default`, from a bus's name or its ARN. */
export function busNameOf(nameOrArn: string | undefined): string {
  return nameOrArn?.replace(/^arn:[^:]*:events:[^:]*:[^:]*:event-bus\//, "") ?? "default";
}

/** AWS's answer to a call for a bus that is not there. */
export async function refuseMissingBus(bus: string, rules: Pick<Rules, "of">): Promise<Answer | undefined> {
  if ((await rules.of(bus)) !== undefined) return undefined;
  return jsonError(400, "ResourceNotFoundException", `Event bus ${bus} does not exist.`);
}

/** The rules that Terraform or a client has put, as moto holds them. */
export class Rules {
  /** By its text: each pattern is compiled once, not for each event. */
  private readonly patterns = new Map<string, CompiledPattern>();

  constructor(private readonly moto: Moto) {}

  /** @returns `undefined` where there is no such bus. */
  async of(bus: string, namePrefix?: string): Promise<Rule[] | undefined> {
    const rules: Rule[] = [];
    let token: string | undefined;
    do {
      const command = new ListRulesCommand({
        EventBusName: bus,
        ...(namePrefix === undefined ? {} : { NamePrefix: namePrefix }),
        ...(token === undefined ? {} : { NextToken: token }),
      });
      const page: ListRulesResponse | undefined = await this.moto.events.send(command).catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      });
      if (page === undefined) return undefined;
      rules.push(...(page.Rules ?? []));
      token = page.NextToken;
    } while (token !== undefined);
    return rules;
  }

  /** @returns `undefined` where there is no such bus. */
  async matching(bus: string, event: Envelope): Promise<RuleWithTargets[] | undefined> {
    const rules = await this.of(bus);
    return (
      rules &&
      Promise.all(
        rules
          // An archive's own rule: it has no target that anything is sent to.
          .filter((rule) => rule.State !== "DISABLED" && rule.ManagedBy === undefined)
          .filter((rule) => rule.EventPattern !== undefined && this.patternOf(rule.EventPattern).matches(event))
          .map((rule) => this.withTargets(bus, rule)),
      )
    );
  }

  /** @returns `undefined` where the bus has no rule that events can match. */
  async nearest(bus: string, event: Envelope): Promise<NearestRule | undefined> {
    const rules = ((await this.of(bus)) ?? []).filter(({ ManagedBy }) => ManagedBy === undefined);
    const all = rules.flatMap(({ Name: rule = "", EventPattern: text, State }): NearestRule[] => {
      if (text === undefined) return [];
      const pattern = this.patternOf(text);
      const isDisabled = State === "DISABLED" && pattern.matches(event);
      return [{ rule, ...pattern.nearness(event), ...(isDisabled ? { isDisabled } : {}) }];
    });
    return all.sort((one, other) => compareNearness(one, other) || misspellingOf(one) - misspellingOf(other))[0];
  }

  private patternOf(text: string): CompiledPattern {
    const known = this.patterns.get(text);
    if (known !== undefined) return known;
    // Rules that are changed again and again leave their old patterns behind.
    if (this.patterns.size === mostPatterns) this.patterns.clear();
    const pattern = parsePattern(text);
    this.patterns.set(text, pattern);
    return pattern;
  }

  async withTargets(bus: string, rule: Rule): Promise<RuleWithTargets> {
    const targets: Target[] = [];
    let token: string | undefined;
    do {
      const page: ListTargetsByRuleResponse = await this.moto.events.send(
        new ListTargetsByRuleCommand({
          EventBusName: bus,
          Rule: rule.Name,
          ...(token === undefined ? {} : { NextToken: token }),
        }),
      );
      targets.push(...(page.Targets ?? []));
      token = page.NextToken;
    } while (token !== undefined);
    return {
      name: rule.Name ?? "",
      arn: rule.Arn ?? "",
      isEnabled: rule.State !== "DISABLED",
      pattern: rule.EventPattern,
      schedule: rule.ScheduleExpression,
      targets,
    };
  }
}

/** How many characters stand between the event's value and what the rule expects: a typo is nearer than another word. */
function misspellingOf({ difference }: Nearness): number {
  if (difference === undefined) return 0;
  const texts = (values: readonly unknown[]) => values.filter((value) => typeof value === "string");
  const { expected, actual } = difference;
  return Math.min(...texts(expected).flatMap((one) => texts(actual).map((other) => distance(one, other))));
}
