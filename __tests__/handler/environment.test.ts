import { fromVariables, type HandlerEnvironment, templateName, toVariables } from "../../handler/contract/environment";

const environment: HandlerEnvironment = {
  senders: { default: "shop@example.com", alerts: "alerts@example.com" },
  replyTo: ["help@example.com", "x@xn--bcher-kva.example"],
  configurationSet: "shop-dev-notifications",
  templateNamePrefix: "shop-dev",
  recipientPolicy: { mode: "restricted", addresses: ["a@example.com"], domains: [] },
  claimTable: "shop-dev-claims",
  claimRetentionSeconds: 3600,
  deadLetterQueueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/shop-dev-dead-letters",
  sendRates: { mostPerSecond: 11.2, leastPerSecond: 0.5 },
  serviceName: "shop-dev-email-processor",
  metricsNamespace: "shop-dev",
};

it("comes to the function as Terraform wrote it", () => {
  expect(fromVariables(toVariables(environment))).toEqual(environment);
});

it("needs no further variable for a stage with one sender", () => {
  const variables = toVariables({ ...environment, senders: { default: "shop@example.com" } });
  expect(variables).not.toHaveProperty("FURTHER_SENDERS");
  expect(fromVariables(variables).senders).toEqual({ default: "shop@example.com" });
});

it("sends replies to the sender where nothing else is said", () => {
  const { REPLY_TO: _, ...others } = toVariables(environment);
  expect(fromVariables(others).replyTo).toEqual([]);
});

it.each(["help@example.com", '{"a":1}', "[1]"])("names a REPLY_TO that is no list of addresses: %s", (text) => {
  expect(() => fromVariables({ ...toVariables(environment), REPLY_TO: text })).toThrow(
    /deploy the stack again\. REPLY_TO: is not a list of addresses/,
  );
});

it.each(["everybody", '{"mode":"restricted"}', '{"mode":"unrestricted","reason":""}'])(
  "names a RECIPIENT_POLICY that is none, with all others that are not usable: %s",
  (text) => {
    expect(() => fromVariables({ ...toVariables(environment), REPLY_TO: "x", RECIPIENT_POLICY: text })).toThrow(
      /REPLY_TO: is not a list of addresses: .*RECIPIENT_POLICY: is not a recipient policy: /s,
    );
  },
);

it("names every variable that is missing, one after the other", () => {
  expect(() => fromVariables({})).toThrow(/EMAIL_SENDER: [^;]*; CONFIGURATION_SET: [^;]*; TEMPLATE_NAME_PREFIX: /);
});

it("takes the word of a stage that mails everybody", () => {
  const everybody = { ...environment, recipientPolicy: { mode: "unrestricted", reason: "production" } } as const;
  expect(fromVariables(toVariables(everybody))).toEqual(everybody);
});

it("names a stored template by its stage, its notification and its content", () => {
  expect(templateName("shop-dev", "email-request", "0123")).toBe("shop-dev-email-request-0123");
});
