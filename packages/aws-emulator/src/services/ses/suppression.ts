import { type Answer, type Call, json, jsonError, jsonOf, type Next, textOf } from "../../gateway/http";

interface Entry {
  readonly EmailAddress: string;
  readonly Reason: string;
  readonly LastUpdateTime: number;
}

const path = /^\/v2\/email\/suppression\/addresses(?:\/([^/]+))?$/;

/**
 * The account's suppression list: SES accepts mail to an address on it, and bounces it by itself. moto has none.
 * https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
 */
export class SuppressionList {
  private readonly entries = new Map<string, Entry>();

  add(address: string, reason: string): void {
    const entry = { EmailAddress: address, Reason: reason, LastUpdateTime: Math.floor(Date.now() / 1000) };
    this.entries.set(address.toLowerCase(), entry);
  }

  reasonFor(address: string): string | undefined {
    return this.entries.get(address.toLowerCase())?.Reason;
  }

  /** SES v2's PutSuppressedDestination and its kin. */
  readonly intercept = (call: Call, next: Next): Promise<Answer> => {
    const found = call.service === "ses" ? path.exec(call.url.pathname) : null;
    return found === null ? next(call) : Promise.resolve(this.answer(call, decodeURIComponent(found[1] ?? "")));
  };

  private answer(call: Call, address: string): Answer {
    if (call.method === "PUT") {
      const { EmailAddress: added, Reason: reason } = jsonOf(call);
      this.add(textOf(added) ?? "", textOf(reason) ?? "BOUNCE");
      return json({});
    }
    if (address === "") return json({ SuppressedDestinationSummaries: [...this.entries.values()] });
    const entry = this.entries.get(address.toLowerCase());
    if (entry === undefined) {
      return jsonError(404, "NotFoundException", `Email address ${address} does not exist on your suppression list.`);
    }
    if (call.method === "DELETE") {
      this.entries.delete(address.toLowerCase());
      return json({});
    }
    return json({ SuppressedDestination: { ...entry, Attributes: {} } });
  }
}
