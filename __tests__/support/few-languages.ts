/**
 * Zod has its messages in some fifty languages, each a module, and each test file would load them all anew. The project
 * uses English alone, which is loaded by itself; the bundle carries no other one, either.
 */
jest.mock("zod/v4/locales", () => ({ en: jest.requireActual<object>("zod/v4/locales/en.cjs") }));
