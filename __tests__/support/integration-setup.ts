import { missingRequirements } from "./requires";

/** jest's globalSetup of the integration tests: what is missing is said once, and no test is started. */
export default function setup(): void {
  const missing = missingRequirements();
  if (missing.length === 0) return;
  const error = new Error(
    `The integration tests can't start:\n${missing.map((line) => `  - ${line}`).join("\n")}\n"npm start -- --once" fetches what is missing; "npm test" needs none of it.`,
  );
  // jest prints the stack, which says nothing here.
  error.stack = error.message;
  throw error;
}
