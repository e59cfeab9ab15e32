/** What EventBridge makes of an event, without a gateway: which pattern takes it, and what its target gets. */
export { compilePattern } from "./pattern";
export { inputFor } from "./target-input";
