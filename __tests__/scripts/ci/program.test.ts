import { run } from "../../../scripts/ci/program";

it("reads a character whose bytes come one by one", async () => {
  // The letter ü has two bytes. A pipe hands on the first one alone, as it does in the middle of a long plan.
  const program = `process.stdout.write(Buffer.from([0xc3])); setTimeout(() => process.stdout.write(Buffer.from([0xbc])), 50)`;
  const { text } = await run([process.execPath, "-e", program], {
    directory: __dirname,
    environment: process.env,
    quiet: true,
  });
  expect(text).toBe("ü");
});
