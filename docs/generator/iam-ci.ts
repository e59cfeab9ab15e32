import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Need, type Principal, type Statement, statementsOf } from "./iam";
import { conditionInWords, lines, whatIs } from "./iam-words";
import { code, refuse } from "./markdown";
import { nameOf } from "./references";
import { type Call, callsOf } from "./sdk-calls";
import { type CiStacks } from "./stack";

/** Who may do what with the roles that the stack `ci-access` makes, and what needs it. */

const projectRoot = join(__dirname, "..", "..");
const smokeCommand = "operations/commands/smoke.ts";

/** An example of each kind of request that Terraform made: `<action> on <kind> by <statement>`. */
interface Recording {
  readonly kinds: Readonly<Record<string, unknown>>;
}

/**
 * The kinds of resources for which Terraform needs a statement of the plan and the deploy role, by the statement's id.
 * Every kind of a stage is in one of them, and every statement is here.
 */
const neededFor: Readonly<Record<string, readonly string[]>> = {
  FindState: ["backend"],
  State: ["backend"],
  Lock: ["backend"],
  Functions: ["aws_lambda_function", "aws_lambda_function_event_invoke_config", "aws_lambda_permission"],
  RulesInvoke: ["aws_lambda_permission"],
  Mappings: ["aws_lambda_event_source_mapping"],
  NewMappings: ["aws_lambda_event_source_mapping"],
  MappingTags: ["aws_lambda_event_source_mapping"],
  Roles: ["aws_iam_role", "aws_iam_role_policy"],
  RolesWithinBoundary: ["aws_iam_role", "aws_iam_role_policy"],
  RolesToFunctions: ["aws_lambda_function"],
  Buses: ["aws_cloudwatch_event_bus", "aws_cloudwatch_event_bus_policy", "aws_cloudwatch_event_archive"],
  BusPolicies: ["aws_cloudwatch_event_bus_policy"],
  Rules: ["aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"],
  Archive: ["aws_cloudwatch_event_archive"],
  Claims: ["aws_dynamodb_table"],
  Queues: ["aws_sqs_queue"],
  LogGroups: [
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_log_data_protection_policy",
  ],
  LogPolicies: ["aws_cloudwatch_log_group", "aws_cloudwatch_log_resource_policy"],
  Alarms: ["aws_cloudwatch_metric_alarm"],
  Dashboard: ["aws_cloudwatch_dashboard"],
  AlarmTopic: ["aws_sns_topic", "aws_sns_topic_policy", "aws_sns_topic_subscription"],
  Key: ["aws_kms_key", "aws_kms_key_policy", "aws_kms_alias"],
  NewKey: ["aws_kms_key"],
  NewKeyTags: ["aws_kms_key"],
  KeyAlias: ["aws_kms_alias"],
  TableKey: ["aws_dynamodb_table"],
  KeyAliases: ["aws_kms_alias"],
  Identities: ["aws_sesv2_email_identity"],
  ConfigurationSet: ["aws_sesv2_configuration_set", "aws_sesv2_configuration_set_event_destination"],
  Templates: ["aws_ses_template"],
  MailFrom: ["aws_sesv2_email_identity_mail_from_attributes"],
  Tracking: ["aws_sesv2_configuration_set"],
  Zones: ["aws_route53_record"],
  Records: ["aws_route53_record"],
  RecordChanges: ["aws_route53_record"],
};

export interface CiRows {
  /** The role, and the tokens that take it on. */
  readonly trust: readonly (readonly string[])[];
  /** What the roles reach, what the plan and the deploy role read, what the deploy role changes, where, and for what. */
  readonly terraform: readonly (readonly string[])[];
  readonly smoke: readonly (readonly string[])[];
  readonly boundary: readonly (readonly string[])[];
}

/**
 * @param functionNeeds what the functions of the notification stack need.
 * @param recorded text of the record of Terraform's requests. @default that of the tests
 * @throws Error that lists each permission that nothing needs, and each need that no permission meets.
 */
export function ciRows(stacks: CiStacks, functionNeeds: readonly Need[], recorded = readRecord()): CiRows {
  const { ciAccess, notification } = stacks;
  const statements = statementsOf(ciAccess);
  const about = (isIt: (principal: Principal) => boolean) => statements.filter((each) => each.principals.some(isIt));
  const isRole = (kind: string) => (principal: Principal) =>
    principal.kind === "role" && nameOf(principal.role, ciAccess).startsWith(`ci-${kind}-`);
  const ofTerraform = about(isRole("deploy"));
  const readsOf = new Set(about(isRole("plan")));
  const ofSmoke = about(isRole("smoke"));
  const ofBoundary = about(({ kind }) => kind === "boundary");
  const { calls } = callsOf(smokeCommand);
  const needs = functionNeeds.filter(({ by }) => by.startsWith("aws_iam_role."));
  const { kinds } = JSON.parse(recorded) as Recording;
  refuse(
    "docs/iam.md",
    "stacks/ci-grants.ts, stacks/ci-smoke-grants.ts or stacks/function-boundary.ts, or the list in docs/generator/iam-ci.ts",
    [
      ...findRecordProblems(ofTerraform, kinds),
      ...findKindProblems(ofTerraform, stacks),
      ...findSmokeProblems(ofSmoke, calls),
      ...findBoundaryProblems(ofBoundary, needs),
    ],
  );
  const on = ({ resources }: Statement) => lines(resources.map((text) => whatIs(notification, text)));
  const where = ({ conditions }: Pick<Statement, "conditions">) =>
    lines(conditions.map((each) => conditionInWords(notification, each)));
  const sids = [...new Set(ofTerraform.map(({ sid }) => sid))];
  return {
    trust: statements
      .filter(({ principals }) => principals.some(({ kind }) => kind === "provider"))
      .map(({ resources, conditions }) => [
        lines(resources.map((text) => whatIs(ciAccess, text))),
        where({ conditions }),
      ]),
    terraform: order(sids).flatMap((sid) => {
      const some = ofTerraform.filter((statement) => statement.sid === sid);
      const [first] = some;
      if (first === undefined) return [];
      const actionsOf = (isRead: boolean) =>
        lines(some.filter((each) => readsOf.has(each) === isRead).flatMap(({ actions }) => actions.map(code)));
      const needed = (neededFor[sid] ?? []).map((kind) => (kind === "backend" ? "the state's backend" : code(kind)));
      return [[on(first), actionsOf(true), actionsOf(false), where(first), lines(needed)]];
    }),
    smoke: ofSmoke.map((statement) => [
      on(statement),
      lines(statement.actions.map(code)),
      lines(calls.filter(({ action }) => statement.actions.includes(action)).map(({ file }) => code(file))),
    ]),
    boundary: ofBoundary.map((statement) => [
      lines(statement.actions.map(code)),
      on(statement),
      where(statement),
      lines(
        needs
          .filter(({ action }) => statement.actions.includes(action))
          .map(({ reason }) => reason.replace(/, (for|which) .*/, "")),
      ),
    ]),
  };
}

function readRecord(): string {
  return readFileSync(join(projectRoot, "__tests__/fixtures/terraform-requests.json"), "utf8");
}

/** The statements in the order of the list, which groups them by what they are about. */
function order(sids: readonly string[]): readonly string[] {
  const known = Object.keys(neededFor);
  return [...sids].sort((a, b) => known.indexOf(a) - known.indexOf(b));
}

/** Lists the permissions that no recorded request of Terraform needs, and the requests that no statement allows. */
function findRecordProblems(statements: readonly Statement[], kinds: Recording["kinds"]): string[] {
  const used = new Set(Object.keys(kinds).map((kind) => kind.replace(/ on .* by /, " by ")));
  const allowed = new Set(statements.flatMap(({ sid, actions }) => actions.map((action) => `${action} by ${sid}`)));
  const again =
    "take it out of stacks/ci-grants.ts, or record Terraform's requests again: UPDATE_FIXTURES=1 npx jest __tests__/end-to-end/ci-access.test.ts";
  return [
    ...[...allowed]
      .filter((each) => !used.has(each))
      .map((each) => `The permission ${each} is in no recorded request of Terraform: ${again}.`),
    ...[...used]
      .filter((each) => !allowed.has(each))
      .map((each) => `Terraform needed ${each}, and the roles of ci-access do not have it: ${again}.`),
  ];
}

/** Lists the kinds of resources that no statement is for, and what the list has and the stacks have not. */
function findKindProblems(statements: readonly Statement[], { notification }: CiStacks): string[] {
  const sids = new Set(statements.map(({ sid }) => sid));
  const kinds = Object.keys(notification.resources);
  const listed = Object.values(neededFor).flat();
  const list = "the list neededFor";
  return [
    ...[...sids].filter((sid) => !(sid in neededFor)).map((sid) => `The statement ${sid} is not in ${list}.`),
    ...Object.keys(neededFor)
      .filter((sid) => !sids.has(sid))
      .map((sid) => `In ${list}, ${sid} is no statement of ci-access.`),
    ...kinds.filter((kind) => !listed.includes(kind)).map((kind) => `The kind ${kind} has no statement in ${list}.`),
    ...[...new Set(listed)]
      .filter((kind) => kind !== "backend" && !kinds.includes(kind))
      .map((kind) => `In ${list}, ${kind} is no kind of the stage's resources.`),
  ];
}

/** Calls of the files that the smoke command loads and no workflow makes, with what makes them. */
const notInWorkflows: Readonly<Record<string, string>> = {
  "dynamodb:UpdateItem": "the redrive of dead letters",
  "events:DescribeReplay": "--replay",
  "events:StartReplay": "--replay",
};

/** Lists what the smoke role may do and the command never calls, and the calls that the role may not make. */
function findSmokeProblems(statements: readonly Statement[], calls: readonly Call[]): string[] {
  const allowed = new Set(statements.flatMap(({ actions }) => actions));
  const called = new Set(calls.map(({ action }) => action));
  return [
    ...[...allowed]
      .filter((action) => !called.has(action))
      .map((action) => `The smoke role allows ${action}, which ${smokeCommand} never calls.`),
    ...[...called]
      .filter((action) => !allowed.has(action) && !(action in notInWorkflows))
      .map((action) => `${smokeCommand} calls ${action}, and the smoke role does not allow it.`),
    ...Object.entries(notInWorkflows)
      .filter(([action]) => allowed.has(action) || !called.has(action))
      .map(([action, by]) => `In the list notInWorkflows, ${action} of ${by} is allowed, or is called no longer.`),
  ];
}

function findBoundaryProblems(boundary: readonly Statement[], needs: readonly Need[]): string[] {
  const limits = new Set(boundary.flatMap(({ actions }) => actions));
  const needed = new Set(needs.map(({ action }) => action));
  return [
    ...[...limits]
      .filter((action) => !needed.has(action))
      .map((action) => `The boundary of the functions allows ${action}, which no function needs.`),
    ...[...needed]
      .filter((action) => !limits.has(action))
      .map((action) => `A function needs ${action}, and the boundary of the functions does not allow it.`),
  ];
}
