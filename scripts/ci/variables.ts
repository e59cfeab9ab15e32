import { z } from "zod";
import { configVariables } from "../../stacks/config-variables";
import { type Environment } from "./program";
import { Refusal } from "./refusal";

const variablesSchema = z.record(z.string(), z.string());

/**
 * Adds those variables of the GitHub environment that the configuration reads to the job's, so that a new setting of a
 * stage needs no line in a workflow. `vars` has those of the repository and of the organization, too, and a `NODE_OPTIONS`
 * or a `PATH` of theirs is not for a job that can get at AWS.
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
  const known: readonly string[] = configVariables;
  const settings = Object.fromEntries(Object.entries(variables).filter(([name]) => known.includes(name)));
  // What the job did not plan with, and what has several lines, is no setting of the stage: a later step exports the
  // settings.
  const planned = Object.entries(settings).filter(
    ([name, value]) => (others[name] ?? value) === value && !/[\r\n]/.test(value),
  );
  return {
    // What the workflow says itself goes before the variables: the stage, and the credentials of the role.
    environment: { ...settings, ...others },
    settings: { ...Object.fromEntries(planned), ...(others.STAGE ? { STAGE: others.STAGE } : {}) },
  };
}
