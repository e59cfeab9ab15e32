import {
  CreateLogStreamCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import { type Journal } from "../../gateway/journal";
import { type Moto } from "../../gateway/moto";
import { type LogLine } from "./function";

/** CloudWatch Logs as a function writes to it. */
export class FunctionLog {
  private readonly streams = new Set<string>();

  constructor(
    private readonly moto: Moto,
    private readonly journal: Journal,
  ) {}

  async write(functionName: string, group: string, stream: string, lines: readonly LogLine[]): Promise<void> {
    const events = lines.filter(({ message }) => message !== "");
    if (events.length === 0) return;
    const write = async () => {
      await this.createStream(group, stream);
      await this.moto.logs.send(
        new PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents: events }),
      );
    };
    try {
      await write().catch((error: unknown) => {
        // A deleted group takes its streams along, and can be made anew while the function is warm.
        if (!(error instanceof ResourceNotFoundException) || !this.streams.delete(`${group} ${stream}`)) throw error;
        return write();
      });
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      // On AWS, too, the output is lost where the role may not make the group (logs:CreateLogGroup).
      this.journal.note(
        `The log group ${group} of the function ${functionName} does not exist, so its output is lost. Create the group before the function.`,
      );
    }
  }

  private async createStream(group: string, stream: string): Promise<void> {
    const key = `${group} ${stream}`;
    if (this.streams.has(key)) return;
    try {
      await this.moto.logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: stream }));
    } catch (error) {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
    }
    this.streams.add(key);
  }
}
