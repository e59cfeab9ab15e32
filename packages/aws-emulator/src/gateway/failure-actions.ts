import { type Problem, type RedriveResult } from "../wire";
import { type Answer, json } from "./http";
import { type Journal } from "./journal";

/** What a person can do about an event that failed. The emulator does not know it: whoever starts it does. */
export interface FailureActions {
  /** The command, for a shell, that sends the event again. */
  readonly commandFor: (eventId: string) => string;
  /** Sends the event again. `output` is shown as it is. */
  readonly redrive: (eventId: string) => Promise<RedriveResult>;
  /** The command that says what waits in the queues; the inbox names it where it must not read a queue itself. */
  readonly listCommand?: string;
}

/** `POST /_sandbox/redrive/<event id>` */
export async function redrive(journal: Journal, actions: FailureActions | undefined, key: string): Promise<Answer> {
  const refuse = (status: number, message: string) => json({ message } satisfies Problem, status);
  if (actions === undefined) return refuse(404, "This sandbox was started without a way to redrive (failureActions).");
  const event = journal.events.get(key);
  if (event === undefined)
    return refuse(404, `There is no event with the id "${key}". GET /_sandbox/activity lists them.`);
  const fate = journal.fateOf(key);
  if (fate !== "parked") return refuse(409, `The event "${key}" is not parked but ${fate}: nothing is redriven.`);
  return json((await actions.redrive(event.id)) satisfies RedriveResult);
}
