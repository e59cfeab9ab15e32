import { sandboxSettings } from "../../sandbox/settings";
import { usage } from "../../sandbox/usage";

const usageOf = (port: string | undefined, path: string, remark?: string) =>
  usage(
    sandboxSettings(port === undefined ? {} : { SANDBOX_PORT: port }),
    { path, remove: () => undefined, ...(remark === undefined ? {} : { remark }) },
    "/project",
  );

/** The lines of the text that a user can copy as commands. */
const commandsOf = (text: string) => text.split("\n").flatMap((line) => /^ {2}(?!\()(.*)$/.exec(line)?.[1] ?? []);

it("offers npm run send first, then the AWS CLI in a shell of the sandbox", () => {
  const [send, source, aws, ...others] = commandsOf(usageOf(undefined, "/project/.sandbox/environment.sh"));
  expect(send).toBe("npm run send -- email-request --to you@example.com --sandbox");
  expect(source).toBe("source .sandbox/environment.sh");
  expect(aws).toMatch(
    /^aws events put-events --region us-east-1 --endpoint-url http:\/\/127\.0\.0\.1:4566 --entries '\[/,
  );
  expect(others).toEqual([]);
});

it("names the port where it is not the usual one, and why the file has another name", () => {
  const text = usageOf("4600", "/project/.sandbox/environment-4600.sh", "The other belongs to another.");
  expect(commandsOf(text).slice(0, 2)).toEqual([
    "SANDBOX_PORT=4600 npm run send -- email-request --to you@example.com --sandbox",
    "source .sandbox/environment-4600.sh",
  ]);
  expect(text).toContain("  source .sandbox/environment-4600.sh\n  (The other belongs to another.)\n");
});

it("names a file outside of the project by its whole path", () => {
  expect(usageOf(undefined, "/tmp/email-sandbox-1/environment.sh")).toContain(
    "source /tmp/email-sandbox-1/environment.sh\n",
  );
});
