import { ConfigurationError, type Environment } from "../../stacks/config";
import { configOf, withStage } from "../support/stack";

function problemsOf(environment: Environment): readonly string[] {
  try {
    configOf(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

it("is no CI where no repository is named", () => {
  expect(configOf().ci).toBeUndefined();
  expect(configOf({ DEPLOY_REPOSITORY: " " }).ci).toBeUndefined();
});

it.each([
  "acme/shop",
  "a-b/c.d_e-f",
  "acme/.github",
  "acme/shop.github.io",
  "acme/git",
  "acme/..shop",
  "acme@123456/shop@456789",
])("takes the repository %s", (repository) => {
  expect(configOf({ DEPLOY_REPOSITORY: repository }).ci).toEqual({ repository, manageProvider: true });
});

it("takes a provider that exists", () => {
  expect(configOf({ DEPLOY_REPOSITORY: "acme/shop", OIDC_PROVIDER: "existing" }).ci?.manageProvider).toBe(false);
});

it.each([
  "shop",
  "acme/",
  "/shop",
  "acme/shop/x",
  "https://github.com/acme/shop",
  "acme/shop:environment:prod",
  "acme/shop.git",
  "acme/Shop.GIT",
  "acme@123456/shop.git@456789",
  "-acme/shop",
  "acme/.",
  "acme/..",
  "acme@123456/..@456789",
  "acme@123456/shop",
  "acme/shop@456789",
  "acme@x/shop@y",
  "acme/shop\nother",
  "a".repeat(40) + "/shop",
  "${var.x}/shop",
])("refuses the repository %j", (repository) => {
  const [problem, ...others] = problemsOf({ DEPLOY_REPOSITORY: repository });
  expect(problem).toMatch(
    /^DEPLOY_REPOSITORY=".*" is not a repository of GitHub: export DEPLOY_REPOSITORY=owner\/name/s,
  );
  expect(others).toEqual([]);
});

it.each(["acme/*", "*/shop", "acme/sho?"])("refuses the wildcard in %s", (repository) => {
  expect(problemsOf({ DEPLOY_REPOSITORY: repository })).toEqual([
    `DEPLOY_REPOSITORY="${repository}" has a wildcard, which would let other repositories deploy: name one repository`,
  ]);
});

it("refuses a provider that is neither managed nor existing, and one without a repository", () => {
  expect(problemsOf({ DEPLOY_REPOSITORY: "acme/shop", OIDC_PROVIDER: "gitlab" })).toEqual([
    'OIDC_PROVIDER="gitlab" is unknown: use managed (this stage makes the account\'s provider for GitHub), or existing (it is there)',
  ]);
  expect(problemsOf({ OIDC_PROVIDER: "existing" })).toEqual([
    'OIDC_PROVIDER="existing" has no effect without DEPLOY_REPOSITORY: set both, or neither',
  ]);
});

it.each(["local", "cloud"])(
  "refuses a repository with the state in %s, where its workflows can't read it",
  (BACKEND) => {
    const cloud = BACKEND === "cloud" ? { TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "shop" } : {};
    expect(problemsOf({ DEPLOY_REPOSITORY: "acme/shop", BACKEND, ...cloud })).toEqual([
      `DEPLOY_REPOSITORY="acme/shop" is for BACKEND=s3; with BACKEND=${BACKEND}, GitHub's workflows can't read the state: take the repository out`,
    ]);
  },
);

it("says nothing of the repository where the kind of backend is mistyped", () => {
  expect(problemsOf({ DEPLOY_REPOSITORY: "acme/shop", BACKEND: "S3" })).toEqual([
    'BACKEND="S3" is unknown: did you mean s3? Otherwise, use s3, cloud or local',
  ]);
});

describe("in the stage's entry", () => {
  const settings = { deployRepository: "acme/shop", oidcProvider: "existing" } as const;

  it("is enough, so that no deployment forgets it", () => {
    expect(withStage(settings).ci).toEqual({ repository: "acme/shop", manageProvider: false });
  });

  it("gives way to a variable that is set", () => {
    expect(withStage(settings, { DEPLOY_REPOSITORY: "acme/other", OIDC_PROVIDER: "managed" }).ci).toEqual({
      repository: "acme/other",
      manageProvider: true,
    });
  });

  it("is refused by its own name", () => {
    expect(() => withStage({ deployRepository: "acme/*" })).toThrow(
      /stacks\/stages\.ts: dev\.deployRepository="acme\/\*" has a wildcard/,
    );
    expect(() => withStage({ deployRepository: "acme/shop", oidcProvider: "gitlab" as "managed" })).toThrow(
      /stacks\/stages\.ts: dev\.oidcProvider="gitlab" has to be one of managed, existing/,
    );
  });
});
