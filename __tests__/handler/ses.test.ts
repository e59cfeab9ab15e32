import { SESClient, SESServiceException } from "@aws-sdk/client-ses";
import { createSesSender } from "../../handler/adapters/ses";

const email = { recipient: "a@example.com", template: "t", templateData: { title: "x" } };

/** A client whose calls end as told, before anything leaves the machine. */
function senderThat(answer: () => unknown) {
  const client = new SESClient({ region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
  const inputs: unknown[] = [];
  client.middlewareStack.add(
    () => (call) => {
      inputs.push(call.input);
      return Promise.resolve({ output: answer() as never, response: {} });
    },
    { step: "initialize", priority: "high" },
  );
  return { inputs, send: createSesSender({ client, sender: "sender@example.com", configurationSet: "set" }) };
}

const refusal = (name: string, message = "") =>
  new SESServiceException({ name, message, $fault: "client", $metadata: {} });

it("sends the stored template from the sender under the configuration set", async () => {
  const { send, inputs } = senderThat(() => ({ MessageId: "m-1" }));
  await expect(send(email)).resolves.toEqual({ messageId: "m-1" });
  expect(inputs).toEqual([
    {
      Source: "sender@example.com",
      Destination: { ToAddresses: ["a@example.com"] },
      Template: "t",
      TemplateData: '{"title":"x"}',
      ConfigurationSetName: "set",
    },
  ]);
});

it.each([
  ["MessageRejected", "", "MessageRejected", false],
  ["MessageRejected", "Email address is not verified: sender@example.com", "SenderNotVerified", false],
  ["TemplateDoesNotExistException", "", "TemplateMissing", false],
  ["ConfigurationSetDoesNotExistException", "", "ConfigurationSetMissing", false],
  ["MailFromDomainNotVerifiedException", "", "SenderNotVerified", false],
  ["Throttling", "Maximum sending rate exceeded", "Throttled", true],
  ["ServiceUnavailable", "", "ServiceUnavailable", true],
  ["AccountSendingPausedException", "", "SendingPaused", true],
  ["SomethingNew", "", "Unclassified", true],
])("tells from %s %s that it is %s", async (code, message, name, retryable) => {
  const cause = refusal(code, message);
  const { send } = senderThat(() => {
    throw cause;
  });
  await expect(send(email)).rejects.toMatchObject({ name, retryable, cause });
});

it("keeps addresses out of the error's message", async () => {
  const { send } = senderThat(() => {
    throw refusal("MessageRejected", "Email address is not verified: a@example.com");
  });
  await expect(send(email)).rejects.not.toThrow(/@/);
});
