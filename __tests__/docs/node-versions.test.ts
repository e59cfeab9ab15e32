import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../support/documents";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

it("the versions of Node.js agree, wherever they are named", () => {
  const { engines, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  const [, oldest = "", major = ""] = /^>=((\d+)\.\d+)$/.exec(engines?.node ?? "") ?? [];
  const [, matrix = ""] = /node: \[([\d, ]+)\]/.exec(read(".github/workflows/ci.yml")) ?? [];
  const tested = matrix.split(", ");
  const [, ofContainer] = /typescript-node:(\d+)-/.exec(read(".devcontainer/devcontainer.json")) ?? [];

  expect(read(".nvmrc").trim()).toBe(major);
  expect(tested[0]).toBe(major);
  expect(tested).toContain(ofContainer);
  // What a newer Node.js has, the types of the oldest one refuse.
  expect(devDependencies?.["@types/node"]).toMatch(new RegExp(`^\\^${major}\\.`));
  for (const document of ["README.md", "docs/deploy.md", "packages/aws-emulator/README.md"]) {
    expect([document, read(document).includes(`Node.js ${oldest} or newer`)]).toEqual([document, true]);
  }
});
