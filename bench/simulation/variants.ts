import { type Lane } from "../../stacks/lanes";
import { type Deployment, type FunctionDeployment, type TargetDeployment } from "./deployment";

/** A change of the deployed settings. The simulation measures it before anybody makes it in the stack. */
export interface Variant {
  readonly id: string;
  readonly change: string;
  readonly apply: (deployment: Deployment) => Deployment;
}

const isOf = (lane: Lane, { address }: FunctionDeployment): boolean => address.includes(`${lane}-lane`);

function changeLane(lane: Lane, change: (fn: FunctionDeployment) => Partial<FunctionDeployment>) {
  return (deployment: Deployment): Deployment => ({
    ...deployment,
    functions: deployment.functions.map((fn) => (isOf(lane, fn) ? { ...fn, ...change(fn) } : fn)),
  });
}

const noErrorRetries = ({ asynchronous }: FunctionDeployment): Partial<FunctionDeployment> => ({
  asynchronous: { ...asynchronous, retries: 0 },
});

const batchesOf =
  (batchSize: number) =>
  ({ source }: FunctionDeployment): Partial<FunctionDeployment> => ({ source: { ...source, batchSize } });

/**
 * Makes the rules send the lane's events to its queue, so that they reach the function only through the event source.
 */
function queueFirst(lane: Lane) {
  return (deployment: Deployment): Deployment => {
    const wholeLane = changeLane(lane, ({ source, reservedConcurrency }) => ({
      source: { ...source, maximumConcurrency: reservedConcurrency },
    }))(deployment);
    const toQueue = (target: TargetDeployment): TargetDeployment => {
      const fn = wholeLane.functions.find(({ address }) => address === target.address);
      return fn === undefined || !isOf(lane, fn) ? target : { ...target, kind: "queue", address: fn.source.queue };
    };
    return {
      ...wholeLane,
      rules: wholeLane.rules.map((rule) => ({ ...rule, targets: rule.targets.map(toQueue) })),
    };
  };
}

function both(...changes: readonly ((deployment: Deployment) => Deployment)[]) {
  return (deployment: Deployment): Deployment => changes.reduce((changed, change) => change(changed), deployment);
}

export const variants: readonly Variant[] = [
  { id: "as-deployed", change: "nothing", apply: (deployment) => deployment },
  {
    id: "small-batches",
    change: "priority lane: batches of 1",
    apply: changeLane("priority", batchesOf(1)),
  },
  {
    id: "no-async-retries",
    change: "both lanes: a failed run goes to the retry queue at once (maximum_retry_attempts = 0)",
    apply: both(changeLane("standard", noErrorRetries), changeLane("priority", noErrorRetries)),
  },
  {
    id: "queue-first",
    change: "standard lane: the rules feed its queue, the queue feeds the function with all slots",
    apply: queueFirst("standard"),
  },
  {
    id: "queue-first-both",
    change: "both lanes: the rules feed the queue, the queue feeds the function with all slots",
    apply: both(queueFirst("standard"), queueFirst("priority")),
  },
  {
    id: "all",
    change: "standard lane queue-first; priority lane: batches of 1, no error retries",
    apply: both(queueFirst("standard"), changeLane("priority", batchesOf(1)), changeLane("priority", noErrorRetries)),
  },
];
