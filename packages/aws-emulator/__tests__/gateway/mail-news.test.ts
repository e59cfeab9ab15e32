import { type Delivery, Journal, type Mail } from "../../src/gateway/journal";
import { newsOf } from "../../src/gateway/mail-news";
import { envelope, mailOf } from "../support/journal";

const target = { bus: "bus", targetId: "fn", targetArn: "arn:aws:lambda:::function:fn", kind: "lambda" };

describe("the bad news of an event's mails", () => {
  let journal: Journal;

  const addEvent = (rules: readonly string[], bus = "bus") => {
    const event = journal.addEvent(bus, envelope("order"));
    for (const rule of rules) {
      const delivery = journal.addDelivery(event, { ...target, rule, bus });
      journal.endAttempt(delivery, journal.startAttempt(delivery, `run of ${rule}`), { status: "success" });
      delivery.status = "delivered";
      journal.changed(delivery);
    }
    return event;
  };
  const addMails = (count: number, name: string, cause: Partial<Mail>) => {
    for (let index = 1; index <= count; index += 1) {
      journal.addMail(mailOf(`${name}-${index}`, { eventId: "order", ...cause }));
    }
  };
  const tell = (messageId: string, eventType = "Bounce", part: object = { bounceType: messageId }) => {
    const detail = { eventType, mail: { messageId, tags: { eventId: ["order"] } }, [eventType.toLowerCase()]: part };
    return journal.addEvent("default", { ...envelope(`${eventType} of ${messageId}`, detail), source: "aws.ses" });
  };
  const newsOfOrder = (key = "order") => {
    const event = journal.events.get(key);
    if (event === undefined) throw new Error("there is no such event");
    const { all, of } = newsOf(journal, event, key);
    return { all, byRule: Object.fromEntries(event.deliveries.map((each: Delivery) => [each.rule, of(each)])) };
  };

  beforeEach(() => {
    journal = new Journal();
  });

  it("counts those that bounced among all", () => {
    addEvent(["rule"]);
    addMails(50, "m", { rule: "rule" });
    expect(newsOfOrder().all).toBeUndefined();
    tell("m-7");
    const news = { mails: 50, bad: [{ kind: "bounced", count: 1, text: "m-7" }] };
    expect(newsOfOrder()).toEqual({ all: news, byRule: { rule: news } });
    tell("m-3");
    tell("m-4", "Reject", { reason: "no" });
    expect(newsOfOrder().all?.bad).toEqual([
      { kind: "bounced", count: 2, text: "m-3" },
      { kind: "rejected", count: 1, text: "no" },
    ]);
  });

  it("belongs to the delivery that caused the mail, by its run or its rule", () => {
    addEvent(["first", "second", "third"]);
    addMails(2, "a", { requestId: "run of first", rule: "second" });
    addMails(1, "b", { rule: "second" });
    tell("b-1");
    const bad = [{ kind: "bounced", count: 1, text: "b-1" }];
    expect(newsOfOrder()).toEqual({
      all: { mails: 3, bad },
      byRule: { first: undefined, second: { mails: 1, bad }, third: undefined },
    });
  });

  it("counts a mail once, whatever SES tells of it, and a delay not at all", () => {
    addEvent(["rule"]);
    addMails(1, "m", {});
    tell("m-1", "DeliveryDelay", {});
    expect(newsOfOrder().all).toBeUndefined();
    tell("m-1");
    tell("m-1", "Complaint", {});
    expect(newsOfOrder().all).toEqual({ mails: 1, bad: [{ kind: "bounced", count: 1, text: "m-1" }] });
  });

  it("counts a mail that was not rendered once, though SES tells of it too", () => {
    addEvent(["rule"]);
    addMails(1, "m", {});
    journal.addRenderingFailure({ ...mailOf("u", { eventId: "order" }), renderError: "no name" });
    tell("u", "Rendering Failure", { errorMessage: "no name" });
    expect(newsOfOrder().all).toEqual({ mails: 2, bad: [{ kind: "unrendered", count: 1, text: "no name" }] });
  });

  it("is no news of a mail that was not rendered where a retry mailed the event after all", () => {
    addEvent(["rule"]);
    journal.addRenderingFailure({ ...mailOf("u", { eventId: "order" }), renderError: "no name" });
    tell("u", "Rendering Failure", { errorMessage: "no name" });
    journal.addRecord("order", { queueArn: "retries", reason: "bad" });
    addMails(1, "m", {});
    journal.endRecord("order", "retries");
    expect(journal.fateOf("order")).toBe("late");
    expect(newsOfOrder().all).toBeUndefined();
  });

  it("is told of a mail that is not kept any more", () => {
    addEvent(["rule"]);
    tell("gone");
    expect(newsOfOrder().all).toEqual({ mails: 1, bad: [{ kind: "bounced", count: 1, text: "gone" }] });
  });

  it("is that of the bus whose rule had it mailed", () => {
    addEvent(["forward"], "first");
    addEvent(["mail"], "second");
    addMails(1, "m", { rule: "mail" });
    tell("m-1");
    expect(newsOfOrder().all).toBeUndefined();
    expect(newsOfOrder("order.2").all?.mails).toBe(1);
  });

  it("changes what is shown of the event that caused the mail", () => {
    addEvent(["rule"]);
    addMails(1, "m", {});
    const changed: string[] = [];
    journal.onChange(({ events }) => changed.push(...events));
    tell("m-1");
    expect(changed).toContain("order");
  });
});
