import { spawnSync } from "node:child_process";
import { inheritedBy } from "../../../sandbox/child-environment";
import { findMoto } from "../../../sandbox/tools/moto";
import { describeWith } from "../../support/requires";
import { lines, nameOf } from "./requirement-lines";

/** Python code that prints `moto[server]` and everything that it needs in this Python. */
const askNeeds = `
import importlib.metadata as m, re
try: from packaging.requirements import Requirement
except ImportError: from pip._vendor.packaging.requirements import Requirement
seen = set()
def walk(name, extras):
    name = re.sub(r"[-_.]+", "-", name).lower()
    if (name, extras) in seen: return
    seen.add((name, extras))
    for text in m.distribution(name).requires or []:
        need = Requirement(text)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or [""]):
            walk(need.name, tuple(sorted(need.extras)))
walk("moto", ("server",))
print(m.version("moto"))
print("\\n".join({name for name, _ in seen}))
`;

describeWith(["moto"], "the requirements of moto", () => {
  it("name each package that its server needs, because they are installed without dependencies", () => {
    const lookup = findMoto();
    const python = "found" in lookup && lookup.found.value.length > 1 ? lookup.found.value[0] : "python3";
    const { status, stdout, stderr } = spawnSync(python, ["-c", askNeeds], {
      env: inheritedBy("python"),
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const [version = "", ...needed] = stdout.trim().split("\n");
    if (!lines.includes(`moto==${version}`)) {
      process.stderr.write(`Not compared: this machine has moto ${version}, whose needs may differ.\n`);
      return;
    }
    expect(new Set(lines.map(nameOf))).toEqual(new Set(needed));
  });
});
