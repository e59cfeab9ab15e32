import { z } from "zod";
import { type Environment } from "./program";
import { Refusal } from "./refusal";

const variablesSchema = z.record(z.string(), z.string());

/** Variables of a GitHub environment that are for the workflow, and not for the stage. */
const ofWorkflow = /^(?:CI_|GITHUB_)|_ROLE_ARN$/;

/**
 * Adds the variables of the GitHub environment to the job's, so that a new setting of a stage needs no line in a
 * workflow.
 * @param ofJob has them as a JSON object in `CI_VARIABLES`: `${{ toJSON(vars) }}`. Without it, the environment has the
 * settings already, as on a person's machine.
 * @returns the environment, and the settings alone.
 * @throws Refusal if `CI_VARIABLES` is not such an object.
 */
export function withVariables(ofJob: Environment): { environment: Environment; settings: Record<string, string> } {
  const { CI_VARIABLES: text = "{}", ...others } = ofJob;
  let variables: Record<string, string>;
  try {
    variables = variablesSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Refusal(`CI_VARIABLES is not a JSON object of texts: set it to \${{ toJSON(vars) }}.`, { cause });
  }
  const settings = Object.fromEntries(Object.entries(variables).filter(([name]) => !ofWorkflow.test(name)));
  // `vars` has those of the repository and of the organization, too. What the job did not plan with, and what has several
  // lines, is no setting of the stage: a later step exports the settings.
  const planned = Object.entries(settings).filter(
    ([name, value]) => (others[name] ?? value) === value && !value.includes("\n"),
  );
  return {
    // What the workflow says itself goes before the variables: the stage, and the credentials of the role.
    environment: { ...settings, ...others },
    settings: { ...Object.fromEntries(planned), ...(others.STAGE ? { STAGE: others.STAGE } : {}) },
  };
}
