import archivePackage from "@cdktf/provider-archive/package.json";
import awsPackage from "@cdktf/provider-aws/package.json";
import { join } from "node:path";
import { type ProviderPlaces } from "./cli-configuration";
import { type Machine } from "./lookup";
import { storagePlaces } from "./storage";

/** A provider of the stacks, in the one version that they ask for. */
export interface PinnedProvider {
  readonly type: string;
  readonly version: string;
  /** As Terraform writes it. */
  readonly source: string;
}

function pinned(type: string, { cdktf }: { cdktf: { provider: { version: string } } }): PinnedProvider {
  return { type, version: cdktf.provider.version, source: `hashicorp/${type}` };
}

/** Each generated package pins the version that it was generated from in the synthesized JSON. */
export const awsProvider = pinned("aws", awsPackage);
export const archiveProvider = pinned("archive", archivePackage);

/** Folders with the providers that Terraform downloaded before: laid out like a mirror. */
export function pluginCaches(machine: Machine, { pluginCache }: ProviderPlaces): string[] {
  const ofUser = [machine.environment.TF_PLUGIN_CACHE_DIR, pluginCache].filter((folder) => folder) as string[];
  return [...ofUser, ...storagePlaces(machine).map((place) => join(place, ownPluginCache))];
}

/** Of `storagePlaces`: so that the AWS provider (hundreds of megabytes) is downloaded once, not at every start. */
export const ownPluginCache = "terraform-plugins";
