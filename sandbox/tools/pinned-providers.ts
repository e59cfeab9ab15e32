import archivePackage from "@cdktf/provider-archive/package.json";
import awsPackage from "@cdktf/provider-aws/package.json";
import { join } from "node:path";
import { type ProviderPlaces } from "./cli-configuration";
import { type Machine } from "./lookup";
import { storagePlaces } from "./storage";

/** A provider that the stacks use, in the exact version that they ask for. */
export interface PinnedProvider {
  readonly type: string;
  readonly version: string;
  /** The source address in Terraform's form, for example `hashicorp/aws`. */
  readonly source: string;
}

function pinned(type: string, { cdktf }: { cdktf: { provider: { version: string } } }): PinnedProvider {
  return { type, version: cdktf.provider.version, source: `hashicorp/${type}` };
}

/** The version comes from the generated package, because the package also writes it into the synthesized JSON. */
export const awsProvider = pinned("aws", awsPackage);
export const archiveProvider = pinned("archive", archivePackage);

/** Folders with providers that Terraform has downloaded before. They are laid out like a mirror. */
export function pluginCaches(machine: Machine, { pluginCache }: ProviderPlaces): string[] {
  const ofUser = [machine.environment.TF_PLUGIN_CACHE_DIR, pluginCache].filter((folder) => folder) as string[];
  return [...ofUser, ...storagePlaces(machine).map((place) => join(place, ownPluginCache))];
}

/**
 * The folder's name below one of the `storagePlaces`. It keeps the AWS provider (hundreds of megabytes), which would
 * otherwise be downloaded at every start.
 */
export const ownPluginCache = "terraform-plugins";
