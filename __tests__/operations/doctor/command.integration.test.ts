import { type CheckResult } from "../../../operations/doctor/check";
import { parkedStage } from "../../support/parked";
import { deployAws, deployEmail, DoctorWorld } from "./doctor-world";
import { checks, doctor, placeOf, type Report } from "./doctor-report";

describe("in the sandbox", () => {
  let world: DoctorWorld;
  let port: number;
  beforeAll(async () => {
    world = await DoctorWorld.start();
    port = Number(new URL(world.gateway.gateway.url).port);
  });
  afterAll(async () => {
    await world.stop();
  });

  it("fails where nothing is deployed, and does not where all is in order", async () => {
    const empty = await doctor(port, "--json");
    expect(empty).toMatchObject({ code: 1, errors: placeOf(port) });
    const report = JSON.parse(empty.output) as Report;
    expect(Object.keys(report)).toEqual(["stage", "prefix", "summary", "checks"]);
    expect(report).toMatchObject({ stage: "sandbox", prefix: parkedStage.names.prefix });
    expect(report.checks.map(({ check }) => check)).toEqual(checks);
    expect(report.checks[0]).toEqual({
      check: "Sender verified",
      status: "fail",
      finding: expect.stringContaining("SES has no identity notifications@example.com (the sender).") as string,
      todo: 'Deploy the stack again (docs/deploy.md, "Try a deployment in the sandbox").',
    });
    const { fail, warn, unknown, ok } = report.summary;
    expect({ fail, warn, unknown, ok }).toEqual(count(report.checks));

    await deployEmail(parkedStage, world.clients);
    await deployAws(parkedStage, world.gateway, world.clients);
    const { code, output, errors } = await doctor(port);
    expect({ code, errors }).toEqual({ code: 0, errors: placeOf(port) });
    expect(output).toMatch(/Check\s+│\s+│ What was found, and what to do/);
    for (const check of checks) expect(output).toMatch(new RegExp(`${check} +│ (ok|unknown) `));
    expect(output).toContain("The sandbox does not emulate it: it is checked on AWS.");
    expect(output).not.toContain(">");
    expect(output.trimEnd().split("\n").at(-1)).toBe(
      `email-automation-sandbox: 0 fail, 0 warn, 3 unknown, ${checks.length - 3} ok`,
    );
  });
});

function count(results: readonly CheckResult[]): Report["summary"] {
  const summary = { fail: 0, warn: 0, unknown: 0, ok: 0 };
  for (const { status } of results) summary[status] += 1;
  return summary;
}
