import { type Notification } from "../handler/notifications/define";

/**
 * A lane is a function with a share of the send rate and a retry queue of its own. A notification names its lane in the
 * catalogue, so that bulk mail does not hold up an alert.
 */
export type Lane = Notification["lane"];

/** The names of the standard lane have no prefix. */
const prefixes: Readonly<Record<Lane, string>> = { standard: "", priority: "priority-" };

export const lanes = Object.keys(prefixes) as readonly Lane[];

/** Makes one value for each lane. */
export function forEachLane<Value>(valueOf: (lane: Lane) => Value): Readonly<Record<Lane, Value>> {
  return { standard: valueOf("standard"), priority: valueOf("priority") };
}

/** Names of a lane's resources, without project and stage; `Names.of` adds these. */
export interface LaneNames {
  readonly function: string;
  readonly executionRole: string;
  readonly rulesPermission: string;
  readonly retryQueue: string;
  readonly retryRule: string;
  /** @param name of the alarm without the lane, for example `lambda-errors`. */
  readonly alarm: (name: string) => string;
}

export function laneNames(lane: Lane): LaneNames {
  const inLane = (name: string) => prefixes[lane] + name;
  return {
    function: inLane("email-processor"),
    executionRole: inLane("role"),
    rulesPermission: inLane("rules-invoke"),
    retryQueue: inLane("retries"),
    retryRule: inLane("retry-rule"),
    alarm: inLane,
  };
}
