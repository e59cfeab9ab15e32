import { type Attributes, block } from "./synthesized";

/** Terraform's JSON has a block that may be repeated as a list, and one that may not as an object or as a list. */
export const blocks = (value: unknown): Attributes[] => [value ?? []].flat().map(block);

/** @returns `undefined` where the value is no JSON text. */
export function jsonOf(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return undefined;
  }
}

/** A value inside of a resource, and the names that lead to it, for example `metric_query.metric.period`. */
interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

/** All values of a resource that are no list and no block, without cdktf's own metadata. */
export function leaves(value: unknown, path = ""): Leaf[] {
  if (Array.isArray(value)) return value.flatMap((each) => leaves(each, path));
  if (typeof value !== "object" || value === null) return [{ path, value }];
  return Object.entries(value)
    .filter(([name]) => name !== "//")
    .flatMap(([name, each]) => leaves(each, path === "" ? name : `${path}.${name}`));
}

/**
 * The number that Terraform makes of a value: it takes a text of digits for a number, too.
 * @returns `NaN` where the value is no such text: an expression, for example.
 */
export function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}
