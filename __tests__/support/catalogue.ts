import { emailRequest } from "../../handler/notifications/email-request";
import { type Notification } from "../../handler/notifications/define";

/** A notification like `email-request` with another id and with changes. */
export function notificationNamed(id: string, changes: Partial<Notification> = {}): Notification {
  return {
    ...emailRequest,
    id,
    ruleName: `${id}-rule`,
    trigger: { kind: "event", source: "shop", detailType: `Event ${id}` },
    ...changes,
  };
}

/**
 * A catalogue as a company may have: most notifications are on events, some of them with a pattern or in the priority
 * lane, and some are scheduled.
 */
export function largeCatalogue(count: number): Notification[] {
  return Array.from({ length: count }, (_, at): Notification => {
    const id = `n${String(at).padStart(3, "0")}`;
    const source = `shop.department-${at % 20}`;
    const detailType = `Something happened, of the kind ${at}`;
    const lane = at % 5 === 0 ? "priority" : "standard";
    if (at % 10 === 9) {
      const detail = (recipients: readonly string[]) => ({ emailConfig: { recipient: [...recipients] } });
      return notificationNamed(id, {
        lane,
        trigger: { kind: "schedule", source, detailType, expression: "cron(0 9 * * ? *)", detail },
      });
    }
    const priority = { detailPattern: { priority: ["high", "critical"] }, ignored: { priority: ["low"] } };
    return notificationNamed(id, {
      lane,
      trigger: { kind: "event", source, detailType, ...(at % 5 === 0 ? priority : {}) },
    });
  });
}
