import { writeFiles, temporaryFolder } from "aws-emulator/testing/temporary";
import { summarize } from "../../../operations/plan/summary";
import { readPlan } from "../../../operations/plan/terraform-json";
import { baseEnvironment, Terraform } from "../../../sandbox/terraform";
import { describeWith } from "../../support/requires";

describeWith(["terraform"], "the summary of a plan of this Terraform", (tools) => {
  const stack = (input: string, name: string) => ({
    variable: { secret: { type: "string", sensitive: true, default: "s3cr3t" } },
    resource: { terraform_data: { [name]: { input }, hidden: { input: `\${var.secret}${input}` } } },
    output: { made: { value: `\${terraform_data.${name}.output}` } },
  });

  it("has what changes, what moves and what is unknown, and no secret", async () => {
    const directory = temporaryFolder();
    const write = (content: object) => writeFiles(directory, { "main.tf.json": JSON.stringify(content) });
    write(stack("one", "old"));
    const terraform = new Terraform({ binary: tools.terraform.value, directory, environment: baseEnvironment({}) });
    await terraform.init();
    await terraform.apply();
    write({ ...stack("two", "new"), moved: [{ from: "terraform_data.old", to: "terraform_data.new" }] });
    await terraform.plan({ planFile: "plan.bin" });
    const text = summarize(readPlan(JSON.stringify(await terraform.show("plan.bin"))));
    expect(text).toContain("**2 to change, 1 moved.**");
    expect(text).toContain("- Moved: `terraform_data.old` is now `terraform_data.new`.");
    expect(text).toContain("  - `input`: `one` → `two`");
    expect(text).toContain("- `made`: `one` → (known after apply)");
    expect(text).toContain("its sensitive value changes");
    expect(text).not.toContain("s3cr3t");
  });
});
