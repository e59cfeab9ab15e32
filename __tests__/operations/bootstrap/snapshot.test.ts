import { join } from "node:path";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { knowsAllOf, parseSnapshot, readSnapshot, type Snapshot } from "../../../operations/bootstrap/snapshot";

const bucket = { mode: "managed", type: "aws_s3_bucket", name: "bucket", instances: [{ attributes: { id: "b" } }] };
const stored = {
  version: 4,
  serial: 3,
  lineage: "l",
  resources: [
    bucket,
    { mode: "managed", type: "aws_s3_bucket_policy", name: "gone", instances: [] },
    { mode: "data", type: "aws_iam_policy_document", name: "policy", instances: [{ attributes: {} }] },
  ],
};

it("reads what a state holds: its resources, and neither data nor what was destroyed", () => {
  expect(parseSnapshot(JSON.stringify(stored), "x")).toEqual({
    serial: 3,
    resources: new Map([["aws_s3_bucket.bucket", "b"]]),
  });
});

it.each(["no JSON", '{"version":4}', '"text"'])("names the place that holds no state: %s", (text) => {
  expect(() => parseSnapshot(text, "local-state/b.tfstate")).toThrow(/^local-state\/b\.tfstate is not a state/);
});

it("takes a file that is not there, or is empty, as no state", () => {
  const folder = writeFiles(temporaryFolder(), { "empty.tfstate": "\n", "full.tfstate": JSON.stringify(stored) });
  expect(readSnapshot(join(folder, "none.tfstate"))).toBeUndefined();
  expect(readSnapshot(join(folder, "empty.tfstate"))).toBeUndefined();
  expect(readSnapshot(join(folder, "full.tfstate"))?.serial).toBe(3);
});

const snapshot = (resources: Readonly<Record<string, string>>): Snapshot => ({
  serial: 1,
  resources: new Map(Object.entries(resources)),
});

it.each([
  ["the same resources", { bucket: "b", policy: "b" }, true],
  ["some of them", { bucket: "b" }, true],
  ["none", {}, true],
  ["one more", { bucket: "b", policy: "b", other: "c" }, false],
  ["one with another id", { bucket: "c" }, false],
])("tells whether a state knows all that another one knows: %s", (_, other, expected) => {
  expect(knowsAllOf(snapshot({ bucket: "b", policy: "b" }), snapshot(other))).toBe(expected);
});
