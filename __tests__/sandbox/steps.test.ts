import { isLiveTerminal, Steps, Stopped } from "../../sandbox/steps";

/** Steps as without a terminal, with a list of the printed lines. */
function logged() {
  const lines: string[] = [];
  const stopping = new AbortController();
  const print = (line: string) => lines.push(line.replace(/\[.*\]$/, "[time]"));
  return { lines, stopping, steps: new Steps({ stopping: stopping.signal, isLive: false, print }) };
}

describe("without a terminal", () => {
  it("a step is one line, and its milestones", async () => {
    const { steps, lines } = logged();
    const value = await steps.run("terraform apply", (step) => {
      for (const count of [1, 2, 3]) step.progress(`${count} of 4 done`, count === 2);
      step.rename("terraform apply: 4 of 4 done");
      return "applied";
    });
    expect(value).toBe("applied");
    expect(lines).toEqual(["  terraform apply: 2 of 4 done", "✔ terraform apply: 4 of 4 done [time]"]);
  });

  it("a failed step is marked, and its error is the caller's to print", async () => {
    const { steps, lines } = logged();
    const failed = steps.run("terraform apply", () => Promise.reject(new Error("No bucket")));
    await expect(failed).rejects.toThrow("No bucket");
    expect(lines).toEqual(["✖ terraform apply"]);
  });

  it("what the user is told is a line of its own", async () => {
    const { steps, lines } = logged();
    await steps.run("a step", () => {
      steps.say("Stopping.");
    });
    expect(lines).toEqual(["Stopping.", "✔ a step [time]"]);
  });
});

describe("once the user has stopped it", () => {
  it("a step that is under way is no failure: it was stopped", async () => {
    const { steps, lines, stopping } = logged();
    const cause = new Error("a page on how an execution is halted");
    const run = steps.run("terraform apply", () => {
      stopping.abort();
      throw cause;
    });
    await expect(run).rejects.toMatchObject({ name: "Stopped", cause });
    expect(lines).toEqual(["✖ terraform apply: stopped"]);
  });

  it("no other step starts, but for those that undo", async () => {
    const { steps, lines, stopping } = logged();
    stopping.abort();
    const work = jest.fn();
    await expect(steps.run("terraform apply", work)).rejects.toThrow(Stopped);
    expect(work).not.toHaveBeenCalled();
    await steps.runAlways("terraform destroy", work);
    expect(work).toHaveBeenCalledTimes(1);
    expect(lines).toEqual(["✔ terraform destroy [time]"]);
  });

  it("says what is waited for", async () => {
    const { steps } = logged();
    expect(steps.underWay).toBe("the started programs to end");
    await steps.runAlways("terraform destroy", (step) => {
      expect(steps.underWay).toBe("terraform destroy");
      step.progress("3 of 57 done", false);
      expect(steps.underWay).toBe("terraform destroy (3 of 57 done)");
    });
    expect(steps.underWay).toBe("the started programs to end");
  });
});

it.each([
  [true, 80, true],
  [true, 0, false],
  [false, 80, false],
])("a line that changes is shown where isTTY is %s and there are %d columns: %s", (isTTY, columns, isLive) => {
  expect(isLiveTerminal({ isTTY, columns })).toBe(isLive);
});
