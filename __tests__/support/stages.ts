import { type Stage, stages, type StageSettings } from "../../stacks/stages";

/** The project's own entries, as a team has written them. */
export const projectStages = { ...stages } as Readonly<Record<Stage, StageSettings>>;

const common = {
  deletionProtection: false,
  logRetentionDays: 30,
  archiveRetentionDays: 14,
  memoryMb: 256,
  timeoutSeconds: 30,
  targetRetry: { attempts: 185, maximumAgeSeconds: 86_400 },
} satisfies Partial<StageSettings>;

/** A stage as the tests need it, whatever stages a project has. */
export const plainStage: StageSettings = {
  ...common,
  sendRatePerSecond: 1,
  reserveConcurrency: true,
  sesSandbox: false,
  allowedRecipients: "recipients-only",
};

// The tests name these stages, and say by variables who and where. A project that has renamed or removed one, or has filled
// in its entry, keeps its tests.
Object.assign(stages, {
  dev: { ...plainStage, reserveConcurrency: false, sesSandbox: true },
  staging: plainStage,
  prod: {
    ...plainStage,
    deletionProtection: true,
    logRetentionDays: 365,
    archiveRetentionDays: 90,
    sendRatePerSecond: 14,
    allowedRecipients: { mode: "unrestricted", reason: "Production mails customers, at the address that each gave." },
  },
} satisfies Record<string, StageSettings>);
