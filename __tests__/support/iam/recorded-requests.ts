import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PolicyDocument } from "./evaluate";
import { type Audit } from "./terraform-record";

/** An example of each kind of request behind Terraform's calls. `__tests__/end-to-end/ci-access.test.ts` writes it. */
export const recordedRequestsFile = join(__dirname, "..", "..", "fixtures", "terraform-requests.json");

export function recordedRequests(): Pick<Audit, "kinds"> & { readonly keyPolicy: PolicyDocument } {
  return JSON.parse(readFileSync(recordedRequestsFile, "utf8")) as ReturnType<typeof recordedRequests>;
}

/** What the roles are granted though the record does not show it, with the reason. */
export const notRecorded: Readonly<Record<string, string>> = {};
