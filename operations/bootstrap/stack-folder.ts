import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stateBackendStack } from "../../stacks/state-places";
import { type Io } from "../command";

/** A failed step. The program has already said at the terminal what went wrong. */
class StepFailed extends Error {
  override readonly name = "StepFailed";
}

type Programs = Pick<Io, "environment" | "runProgram">;

/** The synthesized stack of the bucket in a folder of its own, and Terraform in it. */
export class StackFolder {
  private constructor(
    private readonly folder: string,
    private readonly io: Programs,
  ) {}

  /** Synthesizes the stack below `workDirectory`. */
  static async synthesize(projectRoot: string, workDirectory: string, io: Programs): Promise<StackFolder> {
    const { code } = await io.runProgram({
      words: [process.execPath, "--import", "tsx", "main.ts"],
      directory: projectRoot,
      environment: { ...io.environment, CDKTF_OUTDIR: workDirectory },
      answers: false,
    });
    if (code !== 0) throw new StepFailed("The synth failed. Nothing was changed.");
    return new StackFolder(join(workDirectory, "stacks", stateBackendStack), io);
  }

  /** The addresses of the stack's resources by their types; there is one of each. */
  get addresses(): ReadonlyMap<string, string> {
    const { resource } = JSON.parse(readFileSync(join(this.folder, "cdk.tf.json"), "utf8")) as {
      readonly resource: Readonly<Record<string, object>>;
    };
    return new Map(
      Object.entries(resource).flatMap(([type, named]) => Object.keys(named).map((name) => [type, `${type}.${name}`])),
    );
  }

  /**
   * Keeps the state in a file, until `useBucket`. An override file takes the place of the stack's own backend:
   * https://developer.hashicorp.com/terraform/language/files/override.
   */
  useFile(file: string): void {
    mkdirSync(dirname(file), { recursive: true });
    this.write("backend_override.tf.json", { terraform: { backend: { local: { path: file } } } });
  }

  useBucket(): void {
    rmSync(join(this.folder, "backend_override.tf.json"), { force: true });
  }

  /** Lets the next plan take what is already there: https://developer.hashicorp.com/terraform/language/import. */
  importThese(addresses: readonly string[], id: string): void {
    if (addresses.length === 0) return;
    this.write("import.tf.json", { import: addresses.map((to) => ({ to, id })) });
  }

  async init(): Promise<void> {
    // `-reconfigure` forgets the backend of the init before. Nothing is moved, because `push` does that.
    await this.terraform("init", "-reconfigure");
  }

  /** Shows the plan, and keeps it. @returns whether it changes anything. */
  async plan(): Promise<boolean> {
    const code = await this.run(["plan", "-detailed-exitcode", "-out=bootstrap.tfplan"]);
    if (code !== 0 && code !== 2) throw new StepFailed("terraform plan failed. Nothing was changed.");
    return code === 2;
  }

  async apply(): Promise<void> {
    await this.terraform("apply", "bootstrap.tfplan");
  }

  /** Puts the state of a file into the bucket. Terraform refuses where the bucket holds a state of another lineage. */
  async push(file: string): Promise<void> {
    await this.terraform("state", "push", file);
  }

  private async terraform(...words: readonly string[]): Promise<void> {
    const code = await this.run(words);
    if (code === 0) return;
    throw new StepFailed(
      `terraform ${words[0] ?? ""} ended with ${code}. What is done stays done: run npm run bootstrap again, and it goes on from there.`,
    );
  }

  private async run(words: readonly string[]): Promise<number> {
    const { TERRAFORM_BINARY_NAME: named } = this.io.environment;
    const { code } = await this.io.runProgram({
      words: [named ? named : "terraform", ...words],
      directory: this.folder,
      environment: {
        ...this.io.environment,
        // Without the first variable, Terraform would suggest commands that are not ours.
        TF_IN_AUTOMATION: "1",
        TF_INPUT: "0",
        TF_DATA_DIR: join(this.folder, ".terraform"),
      },
      answers: false,
    });
    return code;
  }

  private write(name: string, content: object): void {
    writeFileSync(join(this.folder, name), JSON.stringify(content));
  }
}
