import { readFileSync } from "node:fs";

/** A state as Terraform stores it: https://developer.hashicorp.com/terraform/language/state#format. */
export interface Snapshot {
  /** Grows with each snapshot of a state. */
  readonly serial: number;
  /** The ids of the resources that are in it, by address: `aws_s3_bucket.bucket` has the bucket's name. */
  readonly resources: ReadonlyMap<string, string>;
}

interface StoredState {
  readonly serial?: number;
  readonly resources?: readonly {
    readonly mode: string;
    readonly type: string;
    readonly name: string;
    readonly instances: readonly { readonly attributes?: { readonly id?: string } }[];
  }[];
}

/**
 * @param place where the text is from, for an error.
 * @throws Error where the text is no state.
 */
export function parseSnapshot(text: string, place: string): Snapshot {
  let stored: StoredState;
  try {
    stored = JSON.parse(text) as StoredState;
  } catch (cause) {
    throw new Error(`${place} is not a state of Terraform, which is JSON: look at it, and move it away.`, { cause });
  }
  const { serial, resources = [] } = stored;
  if (serial === undefined) {
    throw new Error(`${place} is not a state of Terraform: it has no serial. Look at it, and move it away.`);
  }
  const managed = resources.filter(({ mode }) => mode === "managed");
  return {
    serial,
    resources: new Map(
      managed.flatMap(({ type, name, instances }) =>
        instances.map(({ attributes }) => [`${type}.${name}`, attributes?.id ?? ""]),
      ),
    ),
  };
}

/**
 * @returns `undefined` where there is no such file, or where it is empty: Terraform was killed before it wrote.
 * @throws Error where it is no state.
 */
export function readSnapshot(file: string): Snapshot | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return text.trim() === "" ? undefined : parseSnapshot(text, file);
}

/**
 * Whether a state knows all resources that another one knows, so that the other one may be removed. Lineage and serial do
 * not tell it: `terraform state push` into an empty place begins a new lineage with the serial 1 (`PersistState` in
 * hashicorp/terraform, internal/states/remote/state.go).
 */
export function knowsAllOf(state: Snapshot, other: Snapshot): boolean {
  return [...other.resources].every(([address, id]) => state.resources.get(address) === id);
}
