import { stages, type StageSettings } from "../../stacks/stages";

/** The stages of the project as it is, before the tests add theirs. */
export const projectStages: readonly string[] = Object.keys(stages);

/** A stage as the tests need it, whatever stages a project has. */
export const plainStage: StageSettings = {
  deletionProtection: false,
  logRetentionDays: 30,
  archiveRetentionDays: 14,
  memoryMb: 256,
  timeoutSeconds: 30,
  targetRetry: { attempts: 185, maximumAgeSeconds: 86_400 },
  sendRatePerSecond: 1,
  reserveConcurrency: true,
  sesSandbox: false,
  allowedRecipients: "recipients-only",
};

// The tests name these stages. A project that has renamed or removed one keeps its tests.
const known: Record<string, StageSettings | undefined> = stages;
known.staging ??= plainStage;
