/** jest's globalTeardown of the integration tests. */
export default async function teardown(): Promise<void> {
  await globalThis.stopSharedMotos?.();
}
