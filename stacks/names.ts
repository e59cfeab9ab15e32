/** Physical names: every one carries project and stage, so that two stages live in one account. */
export class Names {
  readonly prefix: string;

  constructor(scope: { readonly projectName: string; readonly stage: string }) {
    this.prefix = `${scope.projectName}-${scope.stage}`;
  }

  of(role: string): string {
    return `${this.prefix}-${role}`;
  }
}
