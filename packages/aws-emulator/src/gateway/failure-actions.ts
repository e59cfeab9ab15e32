import { type Problem, type RedriveAdvice, type RedriveResult } from "../wire";
import { type Answer, json } from "./http";
import { type Journal } from "./journal";

/** What a person can do about an event that failed. The emulator does not know it: whoever starts it does. */
export interface FailureActions {
  /** The command, for a shell, that sends the event again. */
  readonly commandFor: (eventId: string) => string;
  /**
   * Advice for an event that would fail again if it were sent again as it is. The inbox shows the advice in place of
   * the button.
   * @param reason why the event failed, as its record says it
   * @returns `undefined` if the event can be sent again.
   */
  readonly adviceFor?: (reason: string, eventId: string) => RedriveAdvice | undefined;
  /** Sends the event again. `output` is shown as it is. */
  readonly redrive: (eventId: string) => Promise<RedriveResult>;
  /** The command that says what waits in the queues; the inbox names it where it must not read a queue itself. */
  readonly listCommand?: string;
}

/** `POST /_sandbox/redrive/<event id>`, for one event after the other: each redrive may hold all of a queue's messages. */
export class Redrives {
  private readonly underWay = new Set<string>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly journal: Journal,
    private readonly actions: FailureActions | undefined,
  ) {}

  async redrive(key: string): Promise<Answer> {
    const { actions } = this;
    if (actions === undefined)
      return refuse(404, "This sandbox was started without a way to redrive (failureActions).");
    const event = this.journal.events.get(key);
    if (event === undefined)
      return refuse(404, `There is no event with the id "${key}". GET /_sandbox/activity lists them.`);
    // On two buses it has two keys, and one id.
    const { id } = event;
    if (this.underWay.has(id)) return refuse(409, `The event "${key}" is being redriven: wait for its end.`);
    this.underWay.add(id);
    const turn = this.last.then(async () => {
      // While it waited for its turn, a command may have taken it.
      const fate = this.journal.fateOf(key);
      if (fate !== "parked") return refuse(409, `The event "${key}" is not parked but ${fate}: nothing is redriven.`);
      return json((await actions.redrive(id)) satisfies RedriveResult);
    });
    this.last = turn.catch(() => undefined);
    return turn.finally(() => this.underWay.delete(id));
  }
}

const refuse = (status: number, message: string) => json({ message } satisfies Problem, status);
