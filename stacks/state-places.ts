/** Where the states are. The synth writes these places into the stacks, and `npm run bootstrap` acts on them. */

/** The stack of the bucket that holds the states. */
export const stateBackendStack = "state-backend";

/** The bucket's own state is in the bucket itself. A stage's key has a region behind the stage, so the two can't meet. */
export const stateBackendKey = (projectName: string): string => `${projectName}/${stateBackendStack}/terraform.tfstate`;

/** Where a stack's state is in the bucket. @param name of the state; each stack of a stage has its own. */
export const stateKey = (
  { projectName, stage, region }: Readonly<Record<"projectName" | "stage" | "region", string>>,
  name: "terraform" | "ci-access",
): string => `${projectName}/${stage}/${region}/${name}.tfstate`;

/**
 * The folder for states in files, in the project's folder. It is not below `cdktf.out`, because people delete that
 * folder.
 */
export const localStateFolder = "local-state";
