import { join } from "node:path";

export { type AwsClientConfig, awsClientConfig, sdkSettings } from "./src/client-config";
export { type FailureActions, type Gateway, type GatewayOptions, startGateway } from "./src/gateway";
export type * from "./src/wire";
export { type Fault, type FaultInput } from "./src/gateway/faults";
export { type BusEvent, type Delivery, type Envelope, Journal, journalLimits, type Mail } from "./src/gateway/journal";

/** The inbox page, for `assetsDirectory` of `startGateway`. */
export const inboxDirectory = join(__dirname, "inbox");
