import {
  ListRulesCommand,
  type ListRulesResponse,
  ListTargetsByRuleCommand,
  type ListTargetsByRuleResponse,
  ResourceNotFoundException,
  type Rule,
  type Target,
} from "@aws-sdk/client-eventbridge";
import { type Answer, jsonError } from "../../gateway/http";
import { type Envelope } from "../../gateway/journal";
import { type Moto } from "../../gateway/moto";
import { compilePattern, type Matcher } from "./pattern";

/** More than the rules of a bus (300, EventBridge quotas) on a few buses. */
const mostMatchers = 2000;

export interface RuleWithTargets {
  readonly name: string;
  readonly arn: string;
  readonly isEnabled: boolean;
  readonly pattern: string | undefined;
  readonly schedule: string | undefined;
  readonly targets: readonly Target[];
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
  /** Text of a pattern to what it takes: each is compiled once, not for each event. */
  private readonly matchers = new Map<string, Matcher>();

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
          .filter((rule) => rule.EventPattern !== undefined && this.matcherOf(rule.EventPattern)(event))
          .map((rule) => this.withTargets(bus, rule)),
      )
    );
  }

  private matcherOf(pattern: string): Matcher {
    const known = this.matchers.get(pattern);
    if (known !== undefined) return known;
    // Rules that are changed again and again leave their old patterns behind.
    if (this.matchers.size === mostMatchers) this.matchers.clear();
    const matcher = compilePattern(pattern);
    this.matchers.set(pattern, matcher);
    return matcher;
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
