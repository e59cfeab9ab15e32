/**
 * cdktf keeps the stack of calls that made each token, for its own error messages. Under jest each of these stacks is
 * mapped back to TypeScript at once, which takes half of a test's time. The synthesized JSON has none of it.
 */
jest.mock("cdktf/lib/tokens/private/stack-trace", () => ({ captureStackTrace: () => [] }));
