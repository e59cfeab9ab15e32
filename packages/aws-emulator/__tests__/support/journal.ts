import { type Envelope, type Mail } from "../../src/gateway/journal";
import { motoAccountId } from "../../src/processes";

/** An event as a bus takes it. */
export const envelope = (id: string, detail: Envelope["detail"] = {}): Envelope => ({
  version: "0",
  id,
  "detail-type": "Test",
  source: "test",
  account: motoAccountId,
  time: "2026-01-01T00:00:00Z",
  region: "us-east-1",
  resources: [],
  detail,
});

/** A mail as SES takes it. */
export const mailOf = (id: string, rest: Partial<Mail> = {}): Mail => ({
  id,
  time: "2026-01-01T00:00:00.000Z",
  from: "a@example.com",
  to: ["b@example.com"],
  cc: [],
  bcc: [],
  subject: "Hello",
  html: "",
  text: "Hello",
  template: "",
  configurationSet: "",
  templateData: {},
  tags: {},
  headers: [],
  ...rest,
});
