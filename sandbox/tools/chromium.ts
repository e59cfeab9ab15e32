import { executablesOf } from "./executables";
import { type Lookup, type Machine, thisMachine } from "./lookup";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const ofMacOs = ["Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Finds a Chromium for the browser tests; the value is an absolute path. */
export function findChromium(machine: Machine = thisMachine()): Lookup<string> {
  const named = machine.environment.CHROMIUM;
  const howToGetIt = "install it (Debian: apt-get install chromium), or name it in CHROMIUM";
  if (named) {
    const [file] = executablesOf(named, machine);
    if (file === undefined) return { missing: `CHROMIUM="${named}" names no program: ${howToGetIt}.` };
    return { found: { value: file, by: "environment variable CHROMIUM" } };
  }
  const [onPath] = names.flatMap((name) => executablesOf(name, machine));
  if (onPath !== undefined) return { found: { value: onPath, by: "PATH" } };
  if (machine.platform === "darwin") {
    const [app] = ofMacOs.flatMap((path) => executablesOf(`/Applications/${path}`, machine));
    if (app !== undefined) return { found: { value: app, by: "search" } };
  }
  return { missing: `Chromium is missing (looked for ${names.join(", ")} on PATH): ${howToGetIt}.` };
}
