import { runOperation } from "../../support/operations-command";
import { devEnvironment } from "../../support/stack";

/** Nothing may be started in these tests: runOperation refuses it. */
const bootstrap = (environment: Readonly<Record<string, string | undefined>>, ...words: readonly string[]) =>
  runOperation(["bootstrap", ...words], environment);

it("explains itself", async () => {
  const { code, output } = await bootstrap({}, "--help");
  expect(code).toBe(0);
  expect(output).toContain("Usage: npm run bootstrap -- [options]");
  expect(output).toMatch(/--auto-approve[\s\S]*Exit code:\n {2}0 {2}.+\n {2}1 {2}.+\n {2}2 {2}used wrongly/);
});

it("names the sandbox first where no stage is configured", async () => {
  const { code, errors } = await bootstrap({}, "--auto-approve");
  expect(code).toBe(2);
  expect(errors).toContain("No stage is configured. For the sandbox on this machine: npm start");
});

it("does not take the stage sandbox to AWS", async () => {
  const { code, errors } = await bootstrap({ STAGE: "sandbox" }, "--auto-approve");
  expect([code, errors]).toEqual([2, expect.stringContaining("AWS_ENDPOINT_URL does not say where the sandbox is")]);
});

it.each([
  ["cloud", { BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail" }],
  ["local", { BACKEND: "local" }],
])("has nothing to do where the state is kept with BACKEND=%s", async (kind, environment) => {
  const { code, errors } = await bootstrap({ ...devEnvironment, ...environment }, "--auto-approve");
  expect([code, errors]).toEqual([
    2,
    `With BACKEND=${kind} no bucket holds the state, so there is nothing to bootstrap.\n`,
  ]);
});

it("starts nothing where nobody can answer", async () => {
  const { code, errors } = await bootstrap(devEnvironment);
  expect(code).toBe(2);
  expect(errors).toContain(
    "AWS account 123456789012, region eu-west-1, stage dev: the bucket shop-terraform-state-123456789012 in eu-west-1\n",
  );
  expect(errors).toContain("there is no terminal to answer at. Nothing was started.");
  expect(errors).toContain("npm run bootstrap -- --auto-approve\n");
});
