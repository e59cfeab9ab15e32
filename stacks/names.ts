/** Makes physical names. Each name begins with project and stage, so that two stages can live in one account. */
export class Names {
  /** Project and stage, with which every name begins. */
  readonly prefix: string;
  private readonly region: string;

  constructor(scope: { readonly projectName: string; readonly stage: string; readonly region: string }) {
    this.prefix = `${scope.projectName}-${scope.stage}`;
    this.region = scope.region;
  }

  /** @param suffix what follows project and stage in the name. */
  of(suffix: string): string {
    return `${this.prefix}-${suffix}`;
  }

  /**
   * The name of a resource that an account has only once for all regions, for example an IAM role or a CloudWatch
   * dashboard. It carries the region, because a stage may live in several.
   */
  inAccount(suffix: string): string {
    return `${this.of(suffix)}-${this.region}`;
  }

  /** The SES configuration set that every mail is sent under. */
  get configurationSet(): string {
    return this.of("notifications");
  }

  /** The CloudWatch namespace of the metrics that the stage itself makes. */
  get metricsNamespace(): string {
    return this.prefix;
  }
}
