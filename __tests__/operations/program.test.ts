import { runNode } from "../../operations/program";

const { PATH } = process.env;

it.each([0, 3])("hands on the exit code %i", async (code) => {
  expect(await runNode(["--eval", `process.exitCode = ${code}`], { PATH })).toBe(code);
});

it("gives the program the words and the environment that it is told", async () => {
  const words = [
    "--eval",
    "process.exitCode = process.argv[1] === 'a b' && process.env.STAGE === 'dev' ? 0 : 4",
    "a b",
  ];
  expect(await runNode(words, { PATH, STAGE: "dev" })).toBe(0);
  expect(await runNode(words, { PATH })).toBe(4);
});

it("ends as a shell has it where the program is interrupted", async () => {
  expect(
    await runNode(["--eval", "process.kill(process.pid, 'SIGINT'); setTimeout(() => undefined, 60_000)"], { PATH }),
  ).toBe(130);
});

it.each([
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("hands on %s, which ends the program alone", async (signal, code) => {
  const before = process.listenerCount(signal);
  const ended = runNode(["--eval", "setTimeout(() => undefined, 60_000)"], { PATH });
  process.emit(signal);
  expect(await ended).toBe(code);
  expect(process.listenerCount(signal)).toBe(before);
});
