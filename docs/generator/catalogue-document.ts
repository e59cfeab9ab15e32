import { shellQuoted } from "aws-emulator/processes";
import { type Notification } from "../../handler/notifications/define";
import { ignoredOf, patternOf } from "../../handler/notifications/patterns";
import { producerSchema } from "../../handler/notifications/producer-schema";
import { sandboxEndpoint } from "../../stacks/sandbox-endpoint";
import { findPicture, sampleMail } from "./catalogue-pictures";
import { code, codeBlock as block, generatedLine, table } from "./markdown";

const { names } = sandboxEndpoint({});

/** @param folder that has the pictures. */
export function catalogueDocument(notifications: readonly Notification[], folder: string): string {
  return `${generatedLine}

# Notifications of this checkout

Every notification in \`handler/notifications/index.ts\`, for those who put its events on the bus. [notifications.md](notifications.md)
says how to add and change one, and [the package for producers](../packages/producer/README.md) has types and a client. The commands put a sample on the bus of a running sandbox (\`npm start\`, then
\`source .sandbox/environment.sh\` in another terminal). For a stage on AWS, put its output \`event_bus_name\` there.

${table(
  ["Notification", "Caused by", "Lane", "What it is for"],
  notifications.map((notification) => [
    `[${notification.id}](#${notification.id})`,
    causeOf(notification),
    notification.lane,
    oneLine(notification.description),
  ]),
)}

${notifications.map((notification) => sectionOf(notification, folder)).join("\n\n")}
`;
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

function causeOf({ trigger }: Notification): string {
  if (trigger.kind === "schedule") return `${code(trigger.expression)}, in UTC`;
  return `${code(trigger.detailType)} of ${code(trigger.source)}`;
}

function sectionOf(notification: Notification, folder: string): string {
  const { id, description, lane, ruleName, trigger } = notification;
  const picture = findPicture(folder, notification);
  const schema = producerSchema(notification);
  return `## ${id}

${oneLine(description).replace(/\.$/, "")}. Its rule is \`${ruleName}\`, its lane is \`${lane}\`, and its sample has the subject ${code(sampleMail(notification).subject)}.

${
  picture === undefined
    ? "There is no picture yet: `npm run docs` takes it where there is a Chromium."
    : `<img alt="The mail of the sample of ${id}" src="${picture}" width="600">`
}

${trigger.kind === "schedule" ? scheduleOf(notification, trigger.expression) : eventOf(notification, trigger)}

<details>
<summary>JSON Schema of its detail</summary>

${block("json", JSON.stringify(schema, null, 2))}

</details>`;
}

function eventOf({ sample }: Notification, trigger: Notification["trigger"] & { readonly kind: "event" }): string {
  const entry = {
    EventBusName: names.of("event-bus"),
    Source: trigger.source,
    DetailType: trigger.detailType,
    Detail: JSON.stringify(sample),
  };
  const ignored = ignoredOf(trigger);
  return `The pattern of its events:

${block("json", JSON.stringify(patternOf(trigger), null, 2))}
${ignored.length === 0 ? "" : `\nEvents of these patterns are left out on purpose:\n\n${block("json", ignored.map((each) => JSON.stringify(each, null, 2)).join("\n"))}\n`}
A sample:

${block("sh", `aws events put-events --entries ${shellQuoted(JSON.stringify([entry], null, 2))}`)}`;
}

function scheduleOf({ ruleName, sample }: Notification, expression: string): string {
  return `The clock causes it, at \`${expression}\` in UTC, on the default bus, and no event does. In a running sandbox, this fires it:

${block("sh", `curl -X POST http://127.0.0.1:4566/_sandbox/fire/${names.of(ruleName)}`)}

A sample of the detail that the rule's target sends; the recipients are those of the stage:

${block("json", JSON.stringify(sample, null, 2))}`;
}
