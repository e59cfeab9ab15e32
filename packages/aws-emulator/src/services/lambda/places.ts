export interface Patience {
  /** Until when it waits, in milliseconds since 1970. */
  readonly until: number;
  /** Ends the wait before that, with the signal's reason. */
  readonly signal: AbortSignal;
  readonly onWait?: () => void;
}

interface Room {
  limit: number | undefined;
  taken: number;
  /** Who waits, the first to come first. */
  readonly waiting: Set<() => void>;
}

/** Places that run out: of each function's concurrency, or of the machine's processes. */
export class Places {
  private readonly rooms = new Map<string, Room>();

  /** Sets how many places there are; `undefined`: any number. New places go to those who wait. */
  limit(name: string, limit: number | undefined): void {
    const room = this.roomOf(name);
    room.limit = limit;
    letIn(room);
  }

  /**
   * Takes a place, or waits for one in order of arrival: nobody asks again and again.
   * @returns whether there was one; without patience, or when it is over, there may be none
   */
  async take(name: string, patience?: Patience): Promise<boolean> {
    const room = this.roomOf(name);
    if (isFree(room)) {
      room.taken += 1;
      return true;
    }
    if (patience === undefined) return false;
    const { until, signal, onWait } = patience;
    signal.throwIfAborted();
    onWait?.();
    return new Promise<boolean>((resolve, reject) => {
      const end = () => {
        room.waiting.delete(enter);
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      };
      const enter = () => {
        end();
        room.taken += 1;
        resolve(true);
      };
      const abort = () => {
        end();
        reject(signal.reason as Error);
      };
      const timer =
        until === Infinity
          ? undefined
          : setTimeout(
              () => {
                end();
                resolve(false);
              },
              Math.max(0, until - Date.now()),
            );
      signal.addEventListener("abort", abort);
      room.waiting.add(enter);
    });
  }

  /** Gives the place to the one that has waited longest. */
  giveBack(name: string): void {
    const room = this.roomOf(name);
    room.taken -= 1;
    letIn(room);
  }

  private roomOf(name: string): Room {
    const known = this.rooms.get(name);
    if (known !== undefined) return known;
    const room: Room = { limit: undefined, taken: 0, waiting: new Set() };
    this.rooms.set(name, room);
    return room;
  }
}

const isFree = ({ limit, taken }: Room) => limit === undefined || taken < limit;

function letIn(room: Room): void {
  for (const enter of room.waiting) {
    if (!isFree(room)) return;
    enter();
  }
}
