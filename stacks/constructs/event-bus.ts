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

/** The bus of the business events, and the archive that they can be replayed from. */
export class EventBus extends Construct {
  readonly bus: CloudwatchEventBus;

  constructor(scope: Construct, id: string, { names, archiveRetentionDays, deletionProtection }: EventBusProps) {
    super(scope, id);
    // No policy of its own: who may put events is the business of IAM, and EventBridge takes them over TLS only
    // (https://docs.aws.amazon.com/general/latest/gr/ev.html).
    this.bus = new CloudwatchEventBus(this, "bus", {
      name: names.of("event-bus"),
      description: "Business events that turn into mail",
    });
    new CloudwatchEventArchive(this, "archive", {
      name: names.of("archive"),
      description: "Keeps events for a replay",
      eventSourceArn: this.bus.arn,
      // Every event. Without a pattern, an update leaves the one that an earlier version has put there
      // (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateArchive.html).
      eventPattern: JSON.stringify({ source: [{ exists: true }] }),
      retentionDays: archiveRetentionDays,
      ...(deletionProtection ? { lifecycle: { preventDestroy: true } } : {}),
    });
  }
}
