import {
  type Answer,
  type Call,
  isRecord,
  json,
  jsonError,
  jsonOf,
  mapJson,
  type Next,
  recordsIn,
  succeeded,
  textOf,
} from "../../gateway/http";
import { denies, type Statement, statementsOf } from "../../gateway/resource-policy";
import { busNameOf } from "./rules";

/** EventBridge quotas, "Event bus policy size". */
const mostPolicyCharacters = 10_240;

/**
 * The resource policies of the buses. moto adds the statements of a second policy to those of the first, wants a `Sid`,
 * and asks no policy when events are put. AWS: a policy takes the place of the one before.
 */
export class BusPolicies {
  private readonly policies = new Map<string, string>();

  constructor(private readonly arnOf: (bus: string) => string) {}

  /** Within its account a bus takes events without a policy: only what a policy denies is refused. */
  denies(bus: string, principalArn: string): boolean {
    return denies(this.policies.get(bus), { principalArn, action: "events:PutEvents", resource: this.arnOf(bus) });
  }

  readonly intercept = async (call: Call, next: Next): Promise<Answer> => {
    const body = jsonOf(call);
    const bus = busNameOf(textOf(body.EventBusName));
    switch (call.operation) {
      case "PutPermission":
        return this.put(bus, body);
      case "RemovePermission":
        return this.remove(bus, body);
      case "DeleteEventBus": {
        const answer = await next(call);
        if (succeeded(answer)) this.policies.delete(textOf(body.Name) ?? "");
        return answer;
      }
      case "DescribeEventBus": {
        const answer = await next(call);
        return succeeded(answer) ? mapJson(answer, (given) => this.withPolicy(given)) : answer;
      }
      case "ListEventBuses": {
        const answer = await next(call);
        if (!succeeded(answer)) return answer;
        return mapJson(answer, (given) => ({
          ...given,
          EventBuses: recordsIn(given.EventBuses).map((each) => this.withPolicy(each)),
        }));
      }
      default:
        return next(call);
    }
  };

  private withPolicy({ Policy: _, ...bus }: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const policy = this.policies.get(textOf(bus.Name) ?? "");
    return policy === undefined ? bus : { ...bus, Policy: policy };
  }

  private put(bus: string, body: Readonly<Record<string, unknown>>): Answer {
    const given = textOf(body.Policy);
    if (given !== undefined && statementsOf(given) === undefined) {
      return jsonError(400, "ValidationException", "This policy contains invalid Json");
    }
    const policy = given === undefined ? this.withStatement(bus, body) : given;
    if (typeof policy !== "string") return policy;
    if (policy.length > mostPolicyCharacters) {
      return jsonError(
        400,
        "PolicyLengthExceededException",
        `The policy has ${policy.length} characters, and a bus takes ${mostPolicyCharacters}.`,
      );
    }
    this.policies.set(bus, policy);
    return json({});
  }

  private withStatement(bus: string, body: Readonly<Record<string, unknown>>): string | Answer {
    const { StatementId: sid, Principal: principal, Action: action, Condition: condition } = body;
    if (textOf(principal) === undefined) {
      return jsonError(400, "ValidationException", "Parameter Principal must be specified.");
    }
    if (action !== "events:PutEvents") {
      return jsonError(400, "ValidationException", "Provided value in parameter 'action' is not supported.");
    }
    const { Type: type, Key: key, Value: value } = isRecord(condition) ? condition : {};
    const statement: Statement = {
      Sid: sid,
      Effect: "Allow",
      Principal: principal === "*" ? "*" : { AWS: `arn:aws:iam::${textOf(principal) ?? ""}:root` },
      Action: action,
      Resource: this.arnOf(bus),
      ...(textOf(type) === undefined ? {} : { Condition: { [textOf(type) ?? ""]: { [textOf(key) ?? ""]: value } } }),
    };
    const others = this.statements(bus).filter(({ Sid }) => Sid !== sid);
    return JSON.stringify({ Version: "2012-10-17", Statement: [...others, statement] });
  }

  private remove(
    bus: string,
    { StatementId: sid, RemoveAllPermissions: all }: Readonly<Record<string, unknown>>,
  ): Answer {
    if (all === true) {
      this.policies.delete(bus);
      return json({});
    }
    const statements = this.statements(bus);
    const left = statements.filter(({ Sid }) => Sid !== sid);
    if (left.length === statements.length) {
      return jsonError(400, "ResourceNotFoundException", "Statement with the provided id does not exist.");
    }
    if (left.length === 0) this.policies.delete(bus);
    else this.policies.set(bus, JSON.stringify({ Version: "2012-10-17", Statement: left }));
    return json({});
  }

  private statements(bus: string): readonly Statement[] {
    return statementsOf(this.policies.get(bus)) ?? [];
  }
}
