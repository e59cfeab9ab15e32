import { violationsOf } from "../support/exchange-validator";
import { type Exchange } from "../support/exchanges";

const events = (operation: string, request: unknown, answer: unknown, changes: Partial<Exchange> = {}): Exchange => ({
  method: "POST",
  path: "/",
  service: "events",
  target: `AWSEvents.${operation}`,
  body: Buffer.from(JSON.stringify(request)),
  status: 200,
  headers: {},
  answer: Buffer.from(JSON.stringify(answer)),
  ...changes,
});
const ses = (form: Record<string, string>, xml: string, status = 200): Exchange => ({
  ...events("", {}, {}, { service: "ses", target: "", status }),
  body: Buffer.from(new URLSearchParams(form).toString()),
  answer: Buffer.from(xml),
});
const lambda = (method: string, path: string, status: number, answer: unknown, request: unknown = {}): Exchange => ({
  ...events("", request, answer, { service: "lambda", target: "", method, path, status }),
});
const sqs = (form: Record<string, string>, xml: string, status = 200): Exchange => ({
  ...ses(form, xml, status),
  service: "sqs",
});
const attributes = (xml: string) =>
  `<GetQueueAttributesResponse><GetQueueAttributesResult>${xml}</GetQueueAttributesResult></GetQueueAttributesResponse>`;
const error = (code: string, status = 400): Partial<Exchange> => ({ status, headers: { "x-amzn-errortype": code } });

const rule = { Name: "rule", EventPattern: "{}" };

/** The check of the checks: each test file of the gateway fails where one of these is found in what it asks. */
describe("an exchange that does not fit AWS's models", () => {
  it.each<[string, Exchange, string[]]>([
    ["nothing, where it fits", events("PutRule", rule, { RuleArn: "arn:aws:events:us-east-1:1:rule/rule" }), []],
    ["a member that is missing", events("PutRule", {}, {}), ["Name is missing"]],
    ["a member that is unknown", events("PutRule", { ...rule, Naem: "x" }, {}), ["Naem is unknown"]],
    ["a pattern", events("PutRule", { ...rule, Name: "a b" }, {}), ['Name does not match [\\.\\-_A-Za-z0-9]+: "a b"']],
    ["a length", events("PutRule", { ...rule, Description: "x".repeat(513) }, {}), ["at most 512 are allowed"]],
    [
      "a value of an enumeration",
      events("PutRule", { ...rule, State: "ON" }, {}),
      ['State is none of its values: "ON"'],
    ],
    ["a type in the answer", events("PutRule", rule, { RuleArn: 1 }), ["RuleArn is no text but number"]],
    ["an unknown member of the answer", events("PutRule", rule, { Arn: "x" }), ["Arn is unknown"]],
    [
      "an error of another operation",
      events("PutRule", rule, {}, error("IllegalStatusException")),
      ["none of this operation's errors"],
    ],
    [
      "an error's status",
      events("PutRule", rule, {}, error("LimitExceededException", 404)),
      ["has status 404, where AWS has 400"],
    ],
    ["an error that is one of the operation's", events("PutRule", rule, {}, error("LimitExceededException")), []],
    ["a request that was refused", events("PutRule", {}, {}, error("ValidationException")), []],
    [
      "a form's member",
      ses({ Action: "GetTemplate" }, "<GetTemplateResponse><GetTemplateResult/></GetTemplateResponse>"),
      ["TemplateName is missing"],
    ],
    [
      "XML",
      ses(
        { Action: "GetTemplate", TemplateName: "t" },
        "<GetTemplateResponse><GetTemplateResult><Template><Name>t</Name></Template></GetTemplateResult></GetTemplateResponse>",
      ),
      ["Template.TemplateName is missing", "Template.Name is unknown"],
    ],
    [
      "an error's code in XML",
      ses({ Action: "GetTemplate" }, "<Code>AlreadyExists</Code>", 400),
      ["AlreadyExists is none"],
    ],
    [
      "nothing of SQS's Query protocol, where it fits",
      sqs(
        { Action: "GetQueueAttributes", QueueUrl: "q", "AttributeName.1": "All" },
        attributes("<Attribute><Name>Policy</Name><Value>{}</Value></Attribute>"),
      ),
      [],
    ],
    [
      "a list's value in SQS's Query protocol",
      sqs({ Action: "GetQueueAttributes", QueueUrl: "q", "AttributeName.1": "Nmae" }, attributes("")),
      ['AttributeNames[] is none of its values: "Nmae"'],
    ],
    [
      "a map's key in SQS's Query protocol",
      sqs(
        { Action: "SetQueueAttributes", QueueUrl: "q", "Attribute.1.Name": "Plicy", "Attribute.1.Value": "{}" },
        "<SetQueueAttributesResponse/>",
      ),
      ['Attributes{} is none of its values: "Plicy"'],
    ],
    [
      "what is no attribute in SQS's XML",
      sqs(
        { Action: "GetQueueAttributes", QueueUrl: "q" },
        attributes("<Attribute><Name>Size</Name><Value>1</Value></Attribute><Policy>{}</Policy>"),
      ),
      ['Attributes{} is none of its values: "Size"', "Policy is unknown"],
    ],
    [
      "nothing of an error that SQS has in XML by another code",
      sqs({ Action: "DeleteQueue", QueueUrl: "q" }, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>", 400),
      [],
    ],
    [
      "another service's answer in JSON",
      {
        ...events("GetDataProtectionPolicy", { logGroupIdentifier: "g" }, { lastUpdatedTime: "now" }),
        service: "logs",
        target: "Logs_20140328.GetDataProtectionPolicy",
      },
      ["lastUpdatedTime is no integer but string"],
    ],
    [
      "a status",
      lambda("POST", "/2015-03-31/event-source-mappings/", 201, {}, { FunctionName: "f" }),
      ["status 201, where AWS has 202"],
    ],
    ["a path's member", lambda("GET", "/2015-03-31/functions/a%20b/policy", 200, {}), ["FunctionName does not match"]],
    ["an operation that is not there", lambda("GET", "/2015-03-31/nothing", 200, {}), ["no operation for GET"]],
  ])("%s", (_, exchange, expected) => {
    const found = violationsOf(exchange);
    expect(found).toHaveLength(expected.length);
    expected.forEach((text, index) => {
      expect(found[index]).toContain(text);
    });
  });
});
