import { type Quotas } from "../stages";
import { type SynthesizedStack } from "./synthesized";

/** The settings of a stage that rules depend on. */
export interface PolicySettings extends Quotas {
  readonly deletionProtection: boolean;
  /** Whose tokens the roles for GitHub's workflows trust. @default any environment or ref of one repository */
  readonly github?: TrustedWorkflows;
}

/** The workflows of one repository that plan and deploy one stage. */
export interface TrustedWorkflows {
  /** As GitHub's tokens name it: `owner/name`, or `owner@1/name@2` with the ids of both. */
  readonly repository: string;
  /** They run in the environments of this name, and of this name with `-plan` behind it. */
  readonly stage: string;
  /**
   * What the environment of the stage's name deploys, for example `refs/heads/main`. @default not held, because AWS does not
   * read it in the stage's partition
   */
  readonly ref?: string;
}

/** A place where a rule is broken. */
export interface Finding {
  /** Terraform's address of what breaks the rule, for example `aws_sqs_queue.dead-letters`. */
  readonly address: string;
  /** What is wrong there: with the address in front, a sentence without a full stop. */
  readonly problem: string;
  /**
   * Distinguishes the findings of one rule at one address, for example `sqs:ListQueues on *`. A suppression has to name
   * it, so that it hides nothing that is added later. @default the rule has one kind of finding at an address
   */
  readonly appliesTo?: string | undefined;
}

export interface Rule {
  readonly id: string;
  /** What the rule asks for, in whole sentences. */
  readonly checks: string;
  /** What goes wrong without the rule, or how to mend a violation, in whole sentences. */
  readonly why: string;
  readonly check: (stack: SynthesizedStack, namePrefix: string, settings: PolicySettings) => readonly Finding[];
}

export interface Violation extends Finding {
  readonly rule: string;
  readonly why: string;
  /** Address and problem. */
  readonly where: string;
}
