import { lines, nameOf } from "./requirement-lines";

it("name exact versions, each package once for a Python", () => {
  for (const line of lines) expect(line).toMatch(/^[a-z0-9-]+==[\w.]+(\s*;[^-]+)?(\s+--hash=sha256:[0-9a-f]{64})*$/);
  const everywhere = lines.filter((line) => !line.includes(";")).map(nameOf);
  expect(new Set(everywhere).size).toBe(everywhere.length);
  expect(lines.find((line) => nameOf(line) === "moto")).toMatch(/^moto==5\./);
});
