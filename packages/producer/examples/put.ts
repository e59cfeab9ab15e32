import {
  emailRequestEvent,
  priorityAlertEvent,
  Producer,
  putEmailRequest,
  PutError,
} from "event-driven-email-producer";

/** Puts three events on the bus that EVENT_BUS_NAME names, with the region and the credentials of the environment. */
async function main(): Promise<void> {
  const producer = new Producer({ eventBusName: process.env.EVENT_BUS_NAME ?? "" });

  const { eventId } = await putEmailRequest(producer, {
    // The same key for the same fact: where this program runs again, nobody is mailed twice.
    idempotencyKey: "export-4711-ready",
    emailConfig: { recipient: "success@simulator.amazonses.com", subject: "Your export is ready" },
    message: "The export that you asked for can be downloaded until tomorrow evening.",
  });
  console.log(`put ${eventId}`);

  const emailConfig = { recipient: ["success@simulator.amazonses.com"] };
  const put = await producer.put([
    emailRequestEvent({ emailConfig, title: "Your invoice is paid" }),
    priorityAlertEvent({ emailConfig, title: "Checkout is failing", priority: "critical" }),
  ]);
  for (const event of put) console.log(`put ${event.eventId} with the key ${event.idempotencyKey}`);
}

main().catch((error: unknown) => {
  // `failed` has the events with their keys: what is put again later is mailed once.
  console.error(error instanceof PutError ? error.message : error);
  process.exitCode = 1;
});
