/** A step that must not go on. Its message says what moved or is missing, and what to do; nothing was changed. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** What a person does where a plan can't be applied. */
export const planAgain =
  'make a new plan (Actions, "plan", "Run workflow" on the default branch), read it, and then run the deployment again';
