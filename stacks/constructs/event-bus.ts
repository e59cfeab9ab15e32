import { CloudwatchEventArchive } from "@cdktf/provider-aws/lib/cloudwatch-event-archive";
import { CloudwatchEventBus } from "@cdktf/provider-aws/lib/cloudwatch-event-bus";
import { Construct } from "constructs";
import { type Names } from "../names";

export interface EventBusProps {
  readonly names: Names;
  /** Days that the archive keeps events. */
  readonly archiveRetentionDays: number;
  readonly deletionProtection: boolean;
}

/** The bus of the business events, and the archive from which they can be replayed. */
export class EventBus extends Construct {
  readonly bus: CloudwatchEventBus;

  constructor(scope: Construct, id: string, { names, archiveRetentionDays, deletionProtection }: EventBusProps) {
    super(scope, id);
    // The bus has no policy. IAM decides who may put events, and EventBridge accepts them only over TLS
    // (https://docs.aws.amazon.com/general/latest/gr/ev.html).
    this.bus = new CloudwatchEventBus(this, "bus", {
      name: names.of("event-bus"),
      description: "Business events that turn into mail",
    });
    new CloudwatchEventArchive(this, "archive", {
      name: names.of("archive"),
      description: "Keeps events for a replay",
      eventSourceArn: this.bus.arn,
      // The pattern matches every event. It is written out, because an update without a pattern keeps the pattern of an
      // earlier version (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateArchive.html).
      eventPattern: JSON.stringify({ source: [{ exists: true }] }),
      retentionDays: archiveRetentionDays,
      ...(deletionProtection ? { lifecycle: { preventDestroy: true } } : {}),
    });
  }
}
