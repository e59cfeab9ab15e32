import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { catalogue } from "../../handler/notifications";
import * as previews from "../../sandbox/preview/previews";
import { type PreviewServer, startPreview } from "../../sandbox/preview/server";
import { runOperation } from "../support/operations-command";

jest.mock("../../sandbox/preview/server");
jest.mock("../../sandbox/preview/previews", () => {
  const { previewsOf } = jest.requireActual<typeof previews>("../../sandbox/preview/previews");
  return { previewsOf: jest.fn(previewsOf) };
});

it("writes the page once, and ends", async () => {
  const folder = join(temporaryFolder(), "mails");
  const { code, output, errors } = await runOperation(["preview", "--out", folder]);
  expect({ code, output }).toEqual({ code: 0, output: `${join(folder, "index.html")}\n` });
  expect(errors).toMatch(/^\d+ mails?\.\n$/);
  const page = readFileSync(join(folder, "index.html"), "utf8");
  for (const { id } of catalogue) expect(page).toContain(id);
  expect(page).not.toContain("data-version");
});

it("writes the page all the same where the synth refuses something, and fails", async () => {
  const problems = ["body.html:7:8: {{nmae}} is not supplied."];
  jest.mocked(previews.previewsOf).mockReturnValueOnce({ editions: [], problems });
  const folder = temporaryFolder();
  const { code, errors } = await runOperation(["preview", "--out", folder]);
  expect({ code, errors }).toEqual({ code: 1, errors: `0 mails, 1 problem:\n  - ${problems.join("")}\n` });
  expect(readFileSync(join(folder, "index.html"), "utf8")).toContain("body.html:7:8");
});

it("says where a page can't be written", async () => {
  const file = join(temporaryFolder(), "mails");
  writeFileSync(file, "");
  const { code, errors } = await runOperation(["preview", "--out", file]);
  expect(code).toBe(1);
  expect(errors).toContain(file);
});

describe("on a server", () => {
  const url = "http://127.0.0.1:1234/";
  const close = jest.fn(() => Promise.resolve());
  const server: PreviewServer = { url, first: { editions: [], problems: ["A file is wrong."] }, close };
  beforeEach(() => {
    close.mockClear();
    jest.mocked(startPreview).mockReset().mockResolvedValue(server);
  });

  it.each([
    [true, [], [url]],
    [true, ["--no-open"], []],
    [false, [], []],
  ])("opens a browser where there is a terminal (%s) and nobody minds: %j", async (isTerminal, words, wanted) => {
    const opened: string[] = [];
    const result = await runOperation(
      ["preview", "--port", "1234", ...words],
      {},
      {
        isTerminal,
        openInBrowser: (address) => Promise.resolve(void opened.push(address)),
        onInterrupt: (listener) => setTimeout(listener),
      },
    );
    expect(result).toMatchObject({ code: 0, output: `${url}\n` });
    expect(result.errors).toContain("0 mails, 1 problem:\n  - A file is wrong.\n");
    expect(opened).toEqual(wanted);
    expect(startPreview).toHaveBeenCalledWith(expect.objectContaining({ port: 1234 }));
    expect(close).toHaveBeenCalledTimes(1);
  });

  it("goes on without a browser, and says so", async () => {
    const { code, errors } = await runOperation(
      ["preview"],
      {},
      {
        isTerminal: true,
        openInBrowser: () => Promise.reject(new Error("there is none")),
        onInterrupt: (listener) => setTimeout(listener),
      },
    );
    expect(code).toBe(0);
    expect(errors).toContain("No browser could be opened (there is none): open the address yourself.");
  });

  it.each(["0", "65536", "http", "1.5"])("refuses the port %s", async (port) => {
    const { code, errors } = await runOperation(["preview", "--port", port]);
    expect(code).toBe(2);
    expect(errors).toContain("Use a number from 1 to 65535.");
  });
});
