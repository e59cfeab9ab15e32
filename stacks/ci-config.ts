import { type Named } from "./config";

/** The continuous integration that plans and deploys a stage. */
export interface CiSettings {
  /**
   * The repository as GitHub's tokens name it: `owner/name`, or `owner@123456/name@456789` with the ids of both.
   */
  readonly repository: string;
  /**
   * Whether the stage's `ci-access` stack makes the account's identity provider for GitHub. An account has it once, so
   * another stage or another project may own it.
   */
  readonly manageProvider: boolean;
}

/**
 * `owner/name`, or with ids: GitHub writes the second form into the tokens of repositories that were created or renamed
 * after 2026-07-15, and of those that opted in
 * (https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims). An owner's name has at most 39
 * letters, digits and hyphens, and none in front. A repository's name has at most 100 letters, digits, dots, hyphens and
 * underscores; it is not made of dots alone, and GitHub takes `.git` off its end.
 */
const repositoryPattern = (() => {
  const owner = "(?!-)[A-Za-z0-9-]{1,39}";
  const name = "(?!\\.+(?:@|$))(?![\\w.-]*\\.git(?:@|$))[\\w.-]{1,100}";
  return new RegExp(`^${owner}(?:/${name}|@\\d{1,20}/${name}@\\d{1,20})$`, "i");
})();

const howToFindRepository =
  "export DEPLOY_REPOSITORY=owner/name, or with the ids of both where GitHub's tokens have them: gh api repos/{owner}/{repo} --jq '\"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)\"'";

/**
 * Reads the settings of the stack `ci-access`.
 * @param problems gets a sentence for each value that can't be used.
 * @returns `undefined` where no CI is configured, or where there are problems.
 */
export function readCi(
  repository: Named | undefined,
  provider: Named | undefined,
  backend: string,
  problems: string[],
): CiSettings | undefined {
  const before = problems.length;
  if (provider !== undefined && provider.text !== "managed" && provider.text !== "existing") {
    problems.push(
      `${told(provider)} is unknown: use managed (this stage makes the account's provider for GitHub), or existing (it is there)`,
    );
  }
  if (repository === undefined) {
    if (provider !== undefined) {
      problems.push(`${told(provider)} has no effect without DEPLOY_REPOSITORY: set both, or neither`);
    }
    return undefined;
  }
  if (/[*?]/.test(repository.text)) {
    problems.push(`${told(repository)} has a wildcard, which would let other repositories deploy: name one repository`);
  } else if (!repositoryPattern.test(repository.text)) {
    problems.push(`${told(repository)} is not a repository of GitHub: ${howToFindRepository}`);
  }
  if (backend === "cloud" || backend === "local") {
    problems.push(
      `${told(repository)} is for BACKEND=s3; with BACKEND=${backend}, GitHub's workflows can't read the state: take the repository out`,
    );
  }
  return problems.length > before
    ? undefined
    : { repository: repository.text, manageProvider: provider?.text !== "existing" };
}

const told = ({ name, text }: Named) => `${name}="${text}"`;
