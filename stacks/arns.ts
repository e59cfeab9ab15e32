import { Names } from "./names";
import { partitionOf } from "./regions";

export interface ArnScope {
  /** For example `aws` or `aws-cn`. */
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  readonly names: Names;
}

/**
 * ARNs that are built from names. A policy needs such an ARN where it can't refer to the resource: because the policy
 * is an attribute of that very resource, or because it names all resources of the stage by their prefix.
 */
export class Arns {
  readonly partition: string;

  constructor(private readonly scope: ArnScope) {
    this.partition = scope.partition;
  }

  /** The ARNs of a stage without an expression of Terraform's in them. */
  static of(config: ConstructorParameters<typeof Names>[0] & { readonly accountId: string }): Arns {
    const { region, accountId } = config;
    return new Arns({ partition: partitionOf(region), region, accountId, names: new Names(config) });
  }

  get names(): Names {
    return this.scope.names;
  }

  of(service: string, resource: string): string {
    const { partition, region, accountId } = this.scope;
    return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
  }

  /** The ARN of a resource that belongs to no region, for example of an IAM role or of a dashboard. */
  inAccount(service: string, resource: string): string {
    const { partition, accountId } = this.scope;
    return `arn:${partition}:${service}::${accountId}:${resource}`;
  }

  /** The ARN of a resource that names neither region nor account, for example of a hosted zone. */
  global(service: string, resource: string): string {
    return `arn:${this.scope.partition}:${service}:::${resource}`;
  }

  /** Every rule of the stage. A policy that lists the rules one by one would outgrow AWS's limits. */
  get ownRules(): string {
    return this.of("events", `rule/${this.scope.names.prefix}-*`);
  }

  /** Every alarm of the stage. The reason is the same as for `ownRules`. */
  get ownAlarms(): string {
    return this.of("cloudwatch", `alarm:${this.scope.names.prefix}-*`);
  }

  /** The bus that AWS's own services put their events on. */
  get defaultBus(): string {
    return this.of("events", "event-bus/default");
  }

  get accountRoot(): string {
    return this.inAccount("iam", "root");
  }
}
