import { type GatewayOptions } from "aws-emulator";

/** The options for the inbox in packages/aws-emulator/README.md, which the types hold to what the package is today. */
export const forTheInbox: Partial<GatewayOptions> = {
  failureActions: {
    commandFor: (eventId) => `./redrive ${eventId}`,
    redrive: (eventId) => Promise.resolve({ ok: true, output: `Sent ${eventId} again.` }),
    adviceFor: (reason, eventId) =>
      reason.startsWith("InvalidOrder")
        ? {
            text: "The order has no address. Put it again with one.",
            isCorrectable: true,
            redrive: { when: "Or send it to the shop's own address:", command: `./redrive --to-shop ${eventId}` },
          }
        : undefined,
    listCommand: "./list-failed",
  },
  sendCommand: "./send-order",
  pages: [{ name: "mails", title: "Mails", directory: "./mails" }],
  exampleEvent: { bus: "orders", source: "shop.orders", detailType: "Order Placed", detail: { order: "2026-0042" } },
};
