/** Physical names: every one carries project and stage, so that two stages live in one account. */
export class Names {
  readonly prefix: string;
  private readonly region: string;

  constructor(scope: { readonly projectName: string; readonly stage: string; readonly region: string }) {
    this.prefix = `${scope.projectName}-${scope.stage}`;
    this.region = scope.region;
  }

  of(role: string): string {
    return `${this.prefix}-${role}`;
  }

  /** For what an account has once in all of its regions (IAM, CloudWatch's dashboards): a stage may live in several. */
  inAccount(role: string): string {
    return `${this.of(role)}-${this.region}`;
  }
}
