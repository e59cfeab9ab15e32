import { dependencies } from "../../package.json";

/** One way on from the packages that this project uses. */
export interface Way {
  /** Name of the way's folder. */
  readonly id: string;
  readonly title: string;
  /** Packages and exact versions that are installed beside ours. Every other package is the project's own. */
  readonly packages: Readonly<Record<string, string>>;
  /** npm's `overrides`: what a package gets in place of the peer that it names. @default none */
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Texts that are replaced in the copied sources, by file extension `.ts`. @default none */
  readonly replacements?: readonly Replacement[];
}

interface Replacement {
  readonly from: RegExp;
  readonly to: string;
}

/** The version that is installed here, without the range. */
const ours = (name: keyof typeof dependencies) => dependencies[name].replace(/^\^/, "");

const providers = {
  "@cdktf/provider-aws": ours("@cdktf/provider-aws"),
  "@cdktf/provider-archive": ours("@cdktf/provider-archive"),
};

/** The fork wants `constructs` below 10.8 (`npm view cdktn@0.24.0 peerDependencies`). */
const fork = { version: "0.24.0", constructs: "10.7.2" };

const forkPackages = {
  cdktn: fork.version,
  constructs: fork.constructs,
  "@cdktn/provider-aws": "25.7.0",
  "@cdktn/provider-archive": "14.0.1",
};

/** The imports of the fork's packages have other names. */
const renamedImports: readonly Replacement[] = [
  { from: /from "cdktf"/g, to: 'from "cdktn"' },
  { from: /from "@cdktf\/provider-/g, to: 'from "@cdktn/provider-' },
];

const node24: Replacement = { from: /export const nodeVersion = \d+;/g, to: "export const nodeVersion = 24;" };

export const ways: readonly Way[] = [
  {
    id: "fork-by-alias",
    title: "The fork under cdktf's name, with the same AWS provider",
    packages: { cdktf: `npm:cdktn@${fork.version}`, constructs: fork.constructs, ...providers },
    // The providers ask for cdktf 0.21, and npm would refuse the fork's version.
    overrides: Object.fromEntries(Object.keys(providers).map((name) => [name, { cdktf: "$cdktf" }])),
  },
  {
    id: "aws-6",
    title: "cdktf with AWS provider 6",
    packages: {
      cdktf: ours("cdktf"),
      constructs: ours("constructs"),
      ...providers,
      "@cdktf/provider-aws": "21.22.1",
    },
  },
  {
    id: "fork-and-aws-6",
    title: "The fork under its own name, with its own AWS provider 6",
    packages: forkPackages,
    replacements: renamedImports,
  },
  {
    id: "fork-and-node-24",
    title: "The same, with Lambda's runtime nodejs24.x",
    packages: forkPackages,
    replacements: [...renamedImports, node24],
  },
];
