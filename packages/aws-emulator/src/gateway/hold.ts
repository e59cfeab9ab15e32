import { type Answer, type Call, type Next } from "./http";

/** Holds calls back for a while, so that a client can be stopped while none of its calls is under way. */
export class Hold {
  private underWay = 0;
  private whenIdle: (() => void) | undefined;
  private held: Promise<void> | undefined;
  private release: () => void = () => undefined;

  /**
   * From now on, calls wait. Those of S3 do not, because Terraform saves its state with them while it stops.
   * @returns once the calls that were under way are answered
   */
  async begin(): Promise<void> {
    this.held ??= new Promise((resolve) => {
      this.release = resolve;
    });
    if (this.underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.whenIdle = resolve;
    });
  }

  /** Lets the calls that wait go on, unless their client has given them up. */
  end(): void {
    this.held = undefined;
    this.release();
  }

  /**
   * Answers a call, once it may go on.
   * @param isGivenUp tells whether the client still waits for the answer.
   * @returns `undefined` where the client gave the call up while it waited: then nobody has answered it.
   */
  async pass(call: Call, answer: Next, isGivenUp: () => boolean): Promise<Answer | undefined> {
    if (this.held !== undefined && call.service !== "s3") {
      await this.held;
      if (isGivenUp()) return undefined;
    }
    this.underWay += 1;
    try {
      return await answer(call);
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) this.whenIdle?.();
    }
  }
}
