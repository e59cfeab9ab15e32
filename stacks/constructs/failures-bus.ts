import { CloudwatchEventBus } from "@cdktf/provider-aws/lib/cloudwatch-event-bus";
import { CloudwatchEventBusPolicy } from "@cdktf/provider-aws/lib/cloudwatch-event-bus-policy";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { type CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { type IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { type Names } from "../names";
import { movedFrom } from "../previous-addresses";
import { permanentFailurePattern } from "./failure-routing";
import { type Delivery, QueueTarget, type RoutedRule } from "./rule-target";

export interface FailuresBusProps {
  readonly names: Names;
  readonly delivery: Delivery;
}

/** A function that reports its failures. */
export interface FailureReporter {
  readonly role: IamRole;
  readonly functionArn: string;
}

/**
 * The bus of Lambda's failure records, and the rule that parks events that no retry can mend and that the function
 * could not park itself.
 *
 * The function trusts what comes over this bus: it mails a record's event without checking it against a rule of the
 * business events. So only our own functions may put records here (docs/decisions/0013-failures-bus.md).
 */
export class FailuresBus extends Construct {
  readonly bus: CloudwatchEventBus;
  readonly deadLetterRule: RoutedRule;
  readonly deadLetterTarget: CloudwatchEventTarget;
  private readonly reporters: FailureReporter[] = [];

  constructor(scope: Construct, id: string, { names, delivery }: FailuresBusProps) {
    super(scope, id);
    this.bus = new CloudwatchEventBus(this, "bus", {
      name: names.of("failures"),
      description: "Failure records of the functions, put by Lambda alone",
    });
    const policy = new DataAwsIamPolicyDocument(this, "policy", {
      statement: [
        {
          // Lambda puts a record with the function's own role
          // (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html), and `aws:PrincipalArn`
          // of a role's session is the role's ARN. Everybody else is denied, whatever their own policies allow. So is a
          // caller without such an ARN, for example an AWS service.
          sid: "OnlyFunctionsReport",
          effect: "Deny",
          actions: ["events:PutEvents"],
          resources: [this.bus.arn],
          principals: [{ type: "*", identifiers: ["*"] }],
          condition: [
            {
              test: "ArnNotEquals",
              variable: "aws:PrincipalArn",
              values: Lazy.listValue({ produce: () => this.reporters.map(({ role }) => role.arn) }),
            },
          ],
        },
      ],
    });
    new CloudwatchEventBusPolicy(this, "policy-attachment", { eventBusName: this.bus.name, policy: policy.json });
    const name = "dead-letter-rule";
    const rule = new CloudwatchEventRule(this, "dead-letter-rule", {
      name: names.of(name),
      description: "Parks what failed for a reason that a retry can't mend",
      eventBusName: this.bus.name,
      eventPattern: Lazy.stringValue({
        produce: () => JSON.stringify(permanentFailurePattern(this.reporters.map(({ functionArn }) => functionArn))),
      }),
    });
    this.deadLetterRule = { name, rule, busName: this.bus.name };
    this.deadLetterTarget = new QueueTarget(this, "dead-letter-target", {
      rule,
      queue: delivery.deadLetters,
      inputPath: "$.detail",
      delivery,
    }).target;
    movedFrom(rule, "event-routing", "dead-letter-rule");
    movedFrom(this.deadLetterTarget, "event-routing", "dead-letter-target", "target");
  }

  acceptFrom(reporter: FailureReporter): void {
    this.reporters.push(reporter);
  }
}
