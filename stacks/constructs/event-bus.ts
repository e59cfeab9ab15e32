import { CloudwatchEventArchive } from "@cdktf/provider-aws/lib/cloudwatch-event-archive";
import { CloudwatchEventBus } from "@cdktf/provider-aws/lib/cloudwatch-event-bus";
import { Construct } from "constructs";
import { type Names } from "../names";

export interface EventBusProps {
  readonly names: Names;
  /** Days that the archive keeps events. */
  readonly archiveRetentionDays: number;
}

/** The bus of the business events, and the archive that they can be replayed from. */
export class EventBus extends Construct {
  readonly bus: CloudwatchEventBus;

  constructor(scope: Construct, id: string, { names, archiveRetentionDays }: EventBusProps) {
    super(scope, id);
    this.bus = new CloudwatchEventBus(this, "bus", {
      name: names.of("event-bus"),
      description: "Business events that turn into mail",
    });
    new CloudwatchEventArchive(this, "archive", {
      name: names.of("archive"),
      description: "Keeps events for a replay",
      eventSourceArn: this.bus.arn,
      retentionDays: archiveRetentionDays,
      // The function's failure records pass over the bus too; a replay must not queue them a second time.
      eventPattern: JSON.stringify({ source: [{ "anything-but": ["lambda"] }] }),
    });
  }
}
