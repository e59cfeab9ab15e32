import { SESClient, type SESClientConfig, SESServiceException } from "@aws-sdk/client-ses";
import { createServer } from "node:net";
import { classify, createSesSender, sesClientSettings, sesFailures } from "../../handler/adapters/ses";
import { permanentFailureTypes } from "../../handler/contract/failures";
import { PermanentError, TransientError } from "../../handler/errors";
import { Pacer } from "../../handler/pacer";
import { freePort } from "aws-emulator/processes";
import { FakeClock } from "../support/send-notification";
import {
  errorAnswer,
  sentAnswer,
  type SesServer,
  startDeafPort,
  startSesServer,
  takeNodeErrorsForErrors,
} from "../support/ses-server";

const email = {
  sender: "sender@example.com",
  recipient: "a@example.com",
  template: "t",
  templateData: { title: "x" },
  replyTo: [],
  tags: {
    notification: "email-request",
    eventId: "e-1",
    recipient: "0123456789ab",
    attempt: 2,
    template: "t",
    locale: "fr-CA",
    variant: "b",
  },
};
const credentials = { accessKeyId: "a", secretAccessKey: "b" };
const never = Number.POSITIVE_INFINITY;

/** A sender whose calls get this answer before anything leaves the machine. */
/** @param settings.mostPerSecond of the mails that may be sent; there is no pause if it is infinite. */
function senderThat(
  answer: (call: number) => unknown,
  { clock = new FakeClock(), mostPerSecond = Infinity, leastPerSecond = Infinity, random = 1 } = {},
) {
  const client = new SESClient({ region: "eu-west-1", credentials });
  const inputs: unknown[] = [];
  client.middlewareStack.add(
    () => async (call) => {
      inputs.push(call.input);
      return Promise.resolve({ output: answer(inputs.length) as never, response: {} });
    },
    { step: "initialize", priority: "high" },
  );
  const send = createSesSender({
    client,
    configurationSet: "set",
    pacer: new Pacer({ mostPerSecond, leastPerSecond }, clock, () => 0.5),
    clock,
    random: () => random,
  });
  return { inputs, send, clock };
}

const refusal = (name: string, message = "", httpStatusCode = 400) =>
  new SESServiceException({ name, message, $fault: "client", $metadata: { httpStatusCode } });

describe("a send", () => {
  it("is of the stored template, from the sender, under the configuration set, with tags that SES takes", async () => {
    const { send, inputs } = senderThat(() => ({ MessageId: "m-1" }));
    const eventId = `7bf73129/ü:${"x".repeat(300)}`;
    await expect(send({ ...email, tags: { ...email.tags, eventId } }, never)).resolves.toEqual({ messageId: "m-1" });
    expect(inputs).toEqual([
      {
        Source: "sender@example.com",
        Destination: { ToAddresses: ["a@example.com"] },
        Template: "t",
        TemplateData: '{"title":"x"}',
        ConfigurationSetName: "set",
        Tags: [
          { Name: "notification", Value: "email-request" },
          // The value has 255 characters, and AWS refuses 256.
          { Name: "eventId", Value: `7bf73129___${"x".repeat(244)}` },
          { Name: "recipient", Value: "0123456789ab" },
          { Name: "attempt", Value: "2" },
          { Name: "template", Value: "t" },
          { Name: "locale", Value: "fr-CA" },
          { Name: "variant", Value: "b" },
        ],
      },
    ]);
  });

  it("says where answers go, where that is not the sender", async () => {
    const { send, inputs } = senderThat(() => ({ MessageId: "m-1" }));
    await send({ ...email, replyTo: ["help@example.com", "desk@example.com"] }, never);
    expect(inputs).toMatchObject([{ ReplyToAddresses: ["help@example.com", "desk@example.com"] }]);
  });

  it("keeps addresses out of its error's message", async () => {
    const { send } = senderThat(() => {
      throw refusal("MessageRejected", "Email address is not verified: a@example.com");
    });
    await expect(send(email, never)).rejects.not.toThrow(/@/);
  });

  it.each(["constructor", "toString"])("does not take JavaScript's own for SES's word: %s", (name) => {
    expect(classify(refusal(name))).toMatchObject({ name: "Unclassified", retryable: true });
  });

  it.each(["failed", "Failed to resolve a@example.com"])("takes a thrown text for an error: %s", (text) => {
    expect(classify(text)).toMatchObject({ name: "Unclassified", retryable: true });
    expect(classify(text).message).not.toContain("@");
  });
});

/**
 * The errors of https://docs.aws.amazon.com/ses/latest/APIReference/API_SendTemplatedEmail.html. In the service's
 * model, and so in the SDK's typed errors, most of their names end with `Exception`.
 */
const operationErrors = {
  AccountSendingPaused: "SendingPaused",
  ConfigurationSetDoesNotExist: "ConfigurationSetMissing",
  ConfigurationSetSendingPaused: "SendingPaused",
  MailFromDomainNotVerified: "SenderNotVerified",
  MessageRejected: "MessageRejected",
  TemplateDoesNotExist: "TemplateMissing",
};

/**
 * The errors of https://docs.aws.amazon.com/ses/latest/APIReference/CommonErrors.html, in both of its versions ("Common
 * Errors" and, from 2025, "Common Error Types"), and the codes of the SES guide's "API Error Codes Returned by Amazon
 * SES".
 */
const commonErrors = {
  AccessDenied: "Unclassified",
  AccessDeniedException: "Unclassified",
  ExpiredTokenException: "ServiceUnavailable",
  IncompleteSignature: "Unclassified",
  InternalFailure: "ServiceUnavailable",
  InvalidAction: "Unclassified",
  InvalidClientTokenId: "Unclassified",
  InvalidParameterCombination: "MessageRejected",
  InvalidParameterValue: "MessageRejected",
  InvalidQueryParameter: "MessageRejected",
  MalformedHttpRequestException: "Unclassified",
  MalformedQueryString: "MessageRejected",
  MissingAction: "Unclassified",
  MissingAuthenticationToken: "Unclassified",
  MissingParameter: "MessageRejected",
  NotAuthorized: "Unclassified",
  OptInRequired: "Unclassified",
  RequestAbortedException: "OutcomeUnknown",
  RequestEntityTooLargeException: "MessageRejected",
  RequestExpired: "ServiceUnavailable",
  RequestTimeoutException: "ServiceUnavailable",
  ServiceUnavailable: "ServiceUnavailable",
  Throttling: "Throttled",
  ThrottlingException: "Throttled",
  UnknownOperationException: "Unclassified",
  UnrecognizedClientException: "Unclassified",
  ValidationError: "MessageRejected",
};

describe("the table of SES's errors", () => {
  const documented = Object.entries({ ...operationErrors, ...commonErrors });
  const isPermanent = (type: string) => (permanentFailureTypes as readonly string[]).includes(type);

  it.each(documented)("takes %s for %s, with and without its suffix", (code, type) => {
    const base = code.replace(/Exception$/, "");
    for (const name of [base, `${base}Exception`]) {
      expect(classify(refusal(name))).toMatchObject({ name: type, retryable: !isPermanent(type) });
    }
  });

  it("knows every documented error by name, and nothing that is not documented but TooManyRequests", () => {
    const names = new Set(documented.map(([code]) => code.replace(/Exception$/, "")));
    expect(Object.keys(sesFailures).sort()).toEqual([...names, "TooManyRequests"].sort());
  });

  it.each([
    ["Email address is not verified. The following identities failed the check in region EU-WEST-1: a@example.com"],
    ["Email address is not verified: sender@example.com"],
  ])("tells an unverified sender from another rejection: %s", (message) => {
    expect(classify(refusal("MessageRejected", message))).toMatchObject({ name: "SenderNotVerified" });
  });

  it.each([
    "Missing final '@domain'",
    "Missing domain",
    "Missing local name",
    "Illegal address",
    "Local address contains control or whitespace",
    "Local address contains illegal character",
    "Local address contains dot-dot",
    "Domain contains control or whitespace",
    "Domain contains illegal character",
    "Domain contains dot-dot",
    "Domain starts with dot",
    "Domain ends with dot",
    "Unterminated quote",
    "Quote not at end of local address",
    "Illegal route-addr",
    "Illegal semicolon, not in group",
    "Missing '>'",
    "Empty address",
    "Invalid domain name: 'example'.",
    "Invalid email address<jane@example>.",
    "Address length is more than 320 characters long: 'jane@example.com'.",
    "Address blacklisted.",
  ])("tells an address that SES refuses from content that it refuses: %s", (message) => {
    const code = message.startsWith("Address b") ? "MessageRejected" : "InvalidParameterValue";
    const failure = classify(refusal(code, message));
    expect(failure).toMatchObject({ name: "InvalidRecipient", retryable: false });
    expect(failure.message).toContain("address");
    expect(failure.message).not.toContain("content");
    expect(failure.message).not.toContain("@example");
  });

  it.each([
    ["InvalidParameterValue", "The tag value x cannot exceed 255 characters"],
    ["InvalidParameterValue", "Template data is not valid JSON"],
    ["MessageRejected", "The message was found to contain a virus"],
    ["RequestEntityTooLarge", ""],
  ])("takes %s (%s) for a matter of the content", (code, message) => {
    expect(classify(refusal(code, message)).name).toBe("MessageRejected");
  });

  it("keeps SES's own word: its code, and its text on one line, in bounds, without addresses", () => {
    expect(classify(refusal("InvalidParameterValue", "Missing final '@domain'")).message).toMatch(
      /^SES did not take the mail \(InvalidParameterValue: Missing final '@domain'\)\. The recipient's address, or one for replies, is wrong/,
    );
    const long = `Denied: \n\t\u202e ${"x ".repeat(40)} "jane doe"@example.com ${"y ".repeat(4000)}`;
    const { message } = classify(refusal("MessageRejected", long));
    expect(message).toMatch(/^SES did not take the mail \(MessageRejected: Denied: x x/);
    expect(message).not.toMatch(/jane|doe|@|[\p{Cc}\p{Cf}]/u);
    expect(message.length).toBeLessThan(350);
  });

  it("does not keep the text of what is not SES's word", () => {
    const error = Object.assign(new SyntaxError("unexpected content: Dear Jane"), {
      $metadata: { httpStatusCode: 200 },
    });
    expect(classify(error)).toMatchObject({ name: "OutcomeUnknown" });
    expect(classify(error).message).not.toContain("Jane");
  });

  it.each(["TemplateDoesNotExist", "ConfigurationSetDoesNotExist"])(
    "leaves %s to the retry lane, and says what mends it",
    (code) => {
      const failure = classify(refusal(code));
      expect(failure.retryable).toBe(true);
      expect(failure.message).toContain("deploy the stack again");
    },
  );

  it.each([
    ["an error that SES adds one day", refusal("SomethingNew")],
    ["a signature that does not match", refusal("SignatureDoesNotMatch", "", 403)],
    ["an error of this program", new TypeError("x is not a function")],
    ["credentials that can't be read", Object.assign(new Error("none"), { name: "CredentialsProviderError" })],
  ])("takes %s for transient", (_, error) => {
    expect(classify(error)).toMatchObject({ name: "Unclassified", retryable: true, cause: error });
  });

  it.each([new PermanentError("RecipientRefused", "no"), new TransientError("ClaimHeld", "another run")])(
    "leaves a failure of our own as it is: %s",
    (failure) => {
      expect(classify(failure)).toBe(failure);
    },
  );

  it("says whether SES answered, its word, and what helps", () => {
    expect(classify(refusal("RequestAborted", "given up")).message).toBe(
      "SES gave no answer (RequestAborted: given up). The mail may be out: look for it among SES's events before you send it again.",
    );
    expect(classify(refusal("MessageRejected", "no")).message).toBe(
      "SES did not take the mail (MessageRejected: no). Look at the mail's content and at the account's status in SES.",
    );
    expect(classify(refusal("AccountSendingPaused", "no")).message).toMatch(/ see docs\/runbook\.md\.$/);
    expect(classify(refusal("MailFromDomainNotVerified", "no")).message).toMatch(
      / Verify the sender's identity in SES/,
    );
    // Where a retry helps by itself, a person has nothing to do.
    expect(classify(refusal("ServiceUnavailable", "later")).message).toBe(
      "SES did not take the mail (ServiceUnavailable: later).",
    );
  });

  it("tells the code alone where there is no text", () => {
    expect(classify(refusal("ServiceUnavailable", " \n")).message).toBe(
      "SES did not take the mail (ServiceUnavailable).",
    );
  });

  it("tells the code of an error that is not SES's, where it has one, and not its text", () => {
    const broken = Object.assign(new Error("read Dear Jane"), { code: "ECONNRESET" });
    expect(classify(broken).message).toMatch(/^SES gave no answer \(Error: ECONNRESET\)\. /);
    expect(classify(Object.assign(new Error("x"), { code: 7 })).message).toBe("SES did not take the mail (Error).");
  });

  it("puts SES's text on one line, without blanks at its ends", () => {
    expect(classify(refusal("ServiceUnavailable", " come \u00a0\n back ")).message).toContain(
      "(ServiceUnavailable: come back)",
    );
  });

  it.each([
    ["TooManyRequests", "", "Throttled"],
    // The ending alone is the SDK's, and not the word inside a name.
    ["ThrottExceptionling", "", "Unclassified"],
    ["Throttling", "Email address is not verified", "Throttled"],
    ["ServiceUnavailable", "The domain is busy", "ServiceUnavailable"],
    ["InvalidParameterValue", "A tag is missing '='", "MessageRejected"],
    ["InvalidParameterValue", "Illegal colon", "InvalidRecipient"],
    ["InvalidParameterValue", "The tag has an illegal colon", "MessageRejected"],
  ])("takes %s with the text '%s' for %s", (name, message, type) => {
    expect(classify(refusal(name, message)).name).toBe(type);
  });

  it.each([
    [299, "OutcomeUnknown"],
    [300, "Unclassified"],
    [499, "Unclassified"],
  ])("takes a status of %d without a known name for %s", (status, type) => {
    expect(classify(refusal("Unknown", "", status)).name).toBe(type);
  });

  it.each([500, 503])("takes a %d without a known name for transient", (status) => {
    expect(classify(refusal("Unknown", "", status))).toMatchObject({ name: "ServiceUnavailable", retryable: true });
  });

  it.each([502, 504])("does not know the outcome of a %d without a known name: a gateway's, not SES's", (status) => {
    expect(classify(refusal("Unknown", "", status))).toMatchObject({ name: "OutcomeUnknown", retryable: false });
    expect(classify(refusal("InternalFailure", "", status))).toMatchObject({ name: "ServiceUnavailable" });
  });
});

describe("a throttled send", () => {
  const throttle = () => refusal("ThrottlingException", "Maximum sending rate exceeded");
  const refuseTimes = (times: number) => (call: number) => {
    if (call <= times) throw throttle();
    return { MessageId: "m-1" };
  };

  it("is made again with a growing back-off", async () => {
    const { send, clock, inputs } = senderThat(refuseTimes(3));
    await expect(send(email, clock.now() + 60_000)).resolves.toEqual({ messageId: "m-1" });
    expect(inputs).toHaveLength(4);
    expect(clock.waits).toEqual([100, 200, 400]);
  });

  it("makes the pauses before the next sends longer, and the sent mail makes them a little shorter", async () => {
    const { send, clock } = senderThat(refuseTimes(2), { mostPerSecond: 10, leastPerSecond: 1, random: 0 });
    for (let mails = 0; mails < 3; mails += 1) await send(email, never);
    const pauses = clock.waits.filter((ms) => ms > 0);
    expect(pauses.map((ms) => Number(ms.toFixed(1)))).toEqual([100, 125, 156.3, 155.9]);
  });

  it("spreads its tries", async () => {
    const { send, clock } = senderThat(refuseTimes(3), { random: 0.5 });
    await send(email, clock.now() + 60_000);
    expect(clock.waits).toEqual([50, 100, 200]);
  });

  it.each([0, 150, 200, 3_000, 22_000])(
    "is given up within a deadline of %d ms, and never tried past it",
    async (ms) => {
      const { send, clock, inputs } = senderThat(() => {
        throw throttle();
      });
      const deadline = clock.now() + ms;
      await expect(send(email, deadline)).rejects.toMatchObject({ name: "Throttled", retryable: true });
      expect(clock.now()).toBeLessThanOrEqual(deadline);
      expect(inputs.length).toBeGreaterThan(0);
      // The longest back-off is five seconds.
      expect(clock.now()).toBeGreaterThanOrEqual(deadline - 5_000);
    },
  );

  it("does not wait for a turn past the deadline: the run would end with an open claim", async () => {
    const { send, clock, inputs } = senderThat(() => ({ MessageId: "m-1" }), { mostPerSecond: 0.1 });
    const deadline = clock.now() + 9_000;
    await send(email, deadline);
    await expect(send(email, deadline)).rejects.toMatchObject({ name: "OutOfTime", retryable: true });
    expect(clock.waits).toEqual([]);
    expect(inputs).toHaveLength(1);
  });

  it("is not made where its turn came in time, and took until after the deadline", async () => {
    const clock = new FakeClock();
    const sent: unknown[] = [];
    const client = new SESClient({ region: "eu-west-1", credentials });
    client.middlewareStack.add(
      () => async (call) => {
        sent.push(call);
        return Promise.resolve({ output: {} as never, response: {} });
      },
      { step: "initialize", priority: "high" },
    );
    const send = createSesSender({
      client,
      configurationSet: "set",
      pacer: new Pacer(
        { mostPerSecond: 100, leastPerSecond: 100 },
        {
          now: () => clock.now(),
          wait: (milliseconds) => clock.wait(milliseconds + 10),
        },
        () => 0.5,
      ),
      clock,
      random: () => 1,
    });
    await send(email, never);
    await expect(send(email, clock.now() + 10)).rejects.toMatchObject({ name: "OutOfTime" });
    expect(sent).toHaveLength(1);
  });

  it("is not made at all after the deadline", async () => {
    const { send, clock, inputs } = senderThat(() => ({ MessageId: "m-1" }));
    await expect(send(email, clock.now() - 1)).rejects.toMatchObject({ name: "OutOfTime" });
    expect(inputs).toEqual([]);
  });

  it.each(["Daily message quota exceeded.", "Daily sending quota exceeded"])(
    "goes to the retry lane at once where a day's quota is used up: %s",
    async (message) => {
      const { send, clock, inputs } = senderThat(() => {
        throw refusal("Throttling", message);
      });
      await expect(send(email, clock.now() + 60_000)).rejects.toMatchObject({ name: "Throttled", retryable: true });
      expect(inputs).toHaveLength(1);
    },
  );

  it.each(["ServiceUnavailable", "MessageRejected", "SomethingNew"])(
    "is the only one made again: not %s",
    async (name) => {
      const { send, inputs } = senderThat(() => {
        throw refusal(name);
      });
      await expect(send(email, never)).rejects.toThrow();
      expect(inputs).toHaveLength(1);
    },
  );
});

/** These tests use the real client over a real connection. */
describe("the SDK, as it is set up", () => {
  const sockets: { close(): Promise<unknown> }[] = [];
  beforeAll(takeNodeErrorsForErrors);
  afterEach(async () => {
    await Promise.all(sockets.splice(0).map((socket) => socket.close()));
  });

  async function serve(...parameters: Parameters<typeof startSesServer>): Promise<SesServer> {
    const server = await startSesServer(...parameters);
    sockets.push(server);
    return server;
  }

  /**
   * Settings for a server that answers. They are long enough that no answer is late on a busy machine, where Lambda's
   * times would be too short.
   */
  const patient = {
    ...sesClientSettings.requestHandler,
    connectionTimeout: 60_000,
    requestTimeout: 60_000,
    socketTimeout: 60_000,
  };
  /** Settings for a server that never answers. It has read the request before the time is over. */
  const impatient = { ...patient, requestTimeout: 2000, socketTimeout: 2000 };

  function senderTo(endpoint: string, overrides: SESClientConfig = {}) {
    const client = new SESClient({
      ...sesClientSettings,
      requestHandler: patient,
      region: "eu-west-1",
      credentials,
      endpoint,
      ...overrides,
    });
    sockets.push({
      close: () => {
        client.destroy();
        return Promise.resolve();
      },
    });
    const clock = new FakeClock();
    return createSesSender({
      client,
      configurationSet: "set",
      pacer: new Pacer({ mostPerSecond: Infinity, leastPerSecond: Infinity }, clock, () => 0.5),
      clock,
      random: () => 1,
    });
  }

  it("reads SES's answer", async () => {
    const server = await serve((response) => response.end(sentAnswer));
    await expect(senderTo(server.url)(email, never)).resolves.toEqual({ messageId: "m-1" });
    expect(server.requests).toBe(1);
  });

  type Answer = Parameters<typeof startSesServer>[0];
  const unknownOutcome = { name: "OutcomeUnknown", retryable: false };

  it.each<[string, Answer]>([
    ["resets the connection after it read the request", (_, { socket }) => void socket.resetAndDestroy()],
    ["closes the connection after it read the request", (_, { socket }) => void socket.destroy()],
    ["answers 200 with what is no XML", (response) => response.end("sorry <<")],
    ["is behind a gateway that answers 502", (response) => response.writeHead(502).end("<html>Bad Gateway</html>")],
    ["is behind a gateway that answers 504", (response) => response.writeHead(504).end()],
    [
      "breaks off in a 200",
      (response, { socket }) => {
        response.writeHead(200, { "content-length": "500" });
        response.write(sentAnswer.slice(0, 60), () => socket.resetAndDestroy());
      },
    ],
  ])("calls once, and does not know the outcome, where SES %s", async (_, answer) => {
    const server = await serve(answer);
    await expect(senderTo(server.url)(email, never)).rejects.toMatchObject(unknownOutcome);
    expect(server.requests).toBe(1);
  });

  it("calls once, and does not know the outcome, where SES falls silent before or within its answer", async () => {
    const stopsInside: Answer = (response) => {
      response.writeHead(200, { "content-length": "500" });
      response.write(sentAnswer.slice(0, 60));
    };
    const servers = [await serve(() => undefined), await serve(stopsInside)];
    // Both at once: each takes as long as the client waits.
    const sends = servers.map(({ url }) => senderTo(url, { requestHandler: impatient })(email, never));
    for (const send of await Promise.allSettled(sends)) {
      expect(send).toMatchObject({ status: "rejected", reason: unknownOutcome });
    }
    expect(servers.map(({ requests }) => requests)).toEqual([1, 1]);
  });

  it.each([
    ["500 with an error document", errorAnswer(500, "InternalFailure", "oops")],
    ["503 with an error document", errorAnswer(503, "ServiceUnavailable", "later")],
    ["503 without a word", (response) => response.writeHead(503).end()],
  ] satisfies [string, Answer][])(
    "calls once, and leaves it to a later try, where SES answers %s",
    async (_, answer) => {
      const server = await serve(answer);
      await expect(senderTo(server.url)(email, never)).rejects.toMatchObject({ name: "ServiceUnavailable" });
      expect(server.requests).toBe(1);
    },
  );

  it("calls once for each of the adapter's own tries where SES throttles", async () => {
    const server = await serve(errorAnswer(400, "Throttling", "Maximum sending rate exceeded."));
    const clock = new FakeClock();
    // The tries are at 0, 200, 600 and 1400 ms.
    await expect(senderTo(server.url)(email, clock.now() + 1_400)).rejects.toMatchObject({ name: "Throttled" });
    expect(server.requests).toBe(4);
  });

  it.each([
    ["MessageRejected", "Email address is not verified: sender@example.com", "SenderNotVerified"],
    ["MessageRejected", "Address blacklisted.", "InvalidRecipient"],
    ["InvalidParameterValue", "Missing final '@domain'", "InvalidRecipient"],
    ["TemplateDoesNotExist", "Template t does not exist", "TemplateMissing"],
    ["ConfigurationSetDoesNotExist", "Configuration set <set> does not exist.", "ConfigurationSetMissing"],
    ["AccountSendingPausedException", "Sending is paused", "SendingPaused"],
  ])("reads %s (%s) from the wire", async (code, message, name) => {
    const server = await serve(errorAnswer(400, code, message.replace(/</g, "&lt;")));
    await expect(senderTo(server.url)(email, never)).rejects.toMatchObject({ name });
    expect(server.requests).toBe(1);
  });

  it.each([
    ["nobody listens", async () => `http://127.0.0.1:${await freePort()}`],
    ["nobody listens at any address of the name", async () => `http://localhost:${await freePort()}`],
    ["the name has no address", () => Promise.resolve("http://ses.invalid")],
    [
      "the connection is cut in the TLS handshake",
      async () => {
        const server = createServer((socket) => socket.destroy());
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        sockets.push({ close: () => new Promise((resolve) => server.close(resolve)) });
        return `https://127.0.0.1:${(server.address() as { port: number }).port}`;
      },
    ],
    [
      "no connection is established in time",
      async () => {
        const deaf = await startDeafPort();
        sockets.push(deaf);
        return deaf.url;
      },
    ],
  ])("knows that nothing was sent where %s", async (_, endpoint) => {
    const url = await endpoint();
    // Only the time-out for the connection may end the call, so the others stay long.
    const requestHandler = { ...patient, connectionTimeout: 400 };
    await expect(senderTo(url, { requestHandler })(email, never)).rejects.toMatchObject({
      name: "ServiceUnavailable",
      retryable: true,
    });
  });

  it("uses no connection twice: a stale one would break, and nobody could tell what became of the mail", async () => {
    const server = await serve((response) => response.end(sentAnswer));
    const send = senderTo(server.url);
    await send(email, never);
    await send(email, never);
    expect(server).toMatchObject({ requests: 2, connections: 2 });
  });

  it("is done within the time that a send is given", () => {
    const { connectionTimeout, requestTimeout } = sesClientSettings.requestHandler;
    expect(connectionTimeout).toBeLessThan(requestTimeout);
    expect(sesClientSettings.maxAttempts).toBe(1);
  });
});

describe("an error of the network", () => {
  const error = (name: string, code?: string) =>
    Object.assign(new Error("x"), { name }, code === undefined ? {} : { code });

  it.each([
    ["AbortError", undefined],
    ["TimeoutError", undefined],
    ["TimeoutError", "ETIMEDOUT"],
    ["Error", "EPIPE"],
    ["Error", "ECONNRESET"],
    ["Error", "ERR_SOMETHING_NEW"],
  ])("may have come after the mail went out, so it is not sent again: %s %s", (name, code) => {
    expect(classify(error(name, code)).type).toBe("OutcomeUnknown");
  });

  it.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])(
    "came before SES was reached, so it is sent again: %s",
    (code) => {
      expect(classify(error("Error", code)).type).toBe("ServiceUnavailable");
    },
  );

  const saying = (name: string, message: string) => Object.assign(new Error(message), { name });

  it.each([
    // The words of the SDK's HTTP handler, of earlier and of later versions.
    "Socket timed out without establishing a connection within 5000 ms",
    "Connection timed out: it was not established within 5000 ms",
    "Connection timeout",
  ])("came before the connection was there, so it is sent again: %s", (message) => {
    expect(classify(saying("TimeoutError", message)).type).toBe("ServiceUnavailable");
    // The words alone are no time-out of the SDK's.
    expect(classify(saying("Error", message)).type).toBe("Unclassified");
  });

  it.each([
    "Connection was lost",
    "Timeout of the connection",
    "The socket was closed",
    "Request timed out, which an established peer may have read",
  ])("may have come after the connection was there, so it is not sent again: %s", (message) => {
    expect(classify(saying("TimeoutError", message)).type).toBe("OutcomeUnknown");
  });

  it("is another one where it is of our own", () => {
    expect(classify(error("TypeError")).type).toBe("Unclassified");
  });
});

it("says that a turn comes too late, and knows a mail without a message id as unknown", async () => {
  const clock = new FakeClock();
  const { send } = senderThat(() => ({}), { clock });
  await expect(send(email, never)).resolves.toEqual({ messageId: "unknown" });
  await expect(send(email, clock.now() - 1)).rejects.toThrow("The mail's turn to be sent comes too late for this run.");
});
