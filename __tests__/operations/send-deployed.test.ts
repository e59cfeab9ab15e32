import { type EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { priorityAlert } from "../../handler/notifications/priority-alert";
import { type EventNotification, checkDeployed } from "../../operations/send/deployed";
import { type StageAccess } from "../../operations/stage";
import { Names } from "../../stacks/names";

const stage = {
  names: new Names({ projectName: "shop", stage: "dev", region: "eu-west-1" }),
  isSandbox: false,
  client: { region: "eu-west-1" },
} as StageAccess;

/** A bus that answers so when it is asked for the rule. */
function ask(answer: () => object, at = stage) {
  const inputs: unknown[] = [];
  const events = {
    send: ({ input }: { readonly input: unknown }) => {
      inputs.push(input);
      return Promise.resolve().then(answer);
    },
  } as unknown as EventBridgeClient;
  return { told: checkDeployed(priorityAlert as EventNotification, at, events), inputs };
}

const failing = (name: string, message: string) => () => {
  throw Object.assign(new Error(message), { name });
};

it("asks for the notification's rule on the stage's bus", async () => {
  const EventPattern = JSON.stringify({
    detail: { priority: ["high", "critical"] },
    "detail-type": ["Priority Alert"],
    source: ["custom.application"],
  });
  const { told, inputs } = ask(() => ({ State: "ENABLED", EventPattern }));
  expect(await told).toBeUndefined();
  expect(inputs).toEqual([{ Name: "shop-dev-priority-rule", EventBusName: "shop-dev-event-bus" }]);
});

it("tells an account to deploy what is not there", async () => {
  // AWS's own words; moto's are without the bus.
  const { told } = ask(
    failing("ResourceNotFoundException", "Rule shop-dev-priority-rule does not exist on EventBus shop-dev-event-bus."),
  );
  await expect(told).rejects.toThrow(
    '"priority-alert" is not deployed: the bus shop-dev-event-bus has no rule shop-dev-priority-rule. No mail would come, so nothing was put. Deploy this checkout (npm run deploy), or check STAGE, PROJECT_NAME and AWS_REGION.',
  );
});

it.each([
  ["AccessDeniedException", "User: arn:aws:iam::1:user/a is not authorized to perform: events:DescribeRule"],
  ["ThrottlingException", "Rate exceeded"],
])("goes on with a note where it can't see the rule: %s", async (name, message) => {
  expect(await ask(failing(name, message)).told).toContain(`(${name}: ${message}). The event is put all the same.`);
});

it("does not go on where nobody answers", async () => {
  await expect(ask(failing("Error", "connect ECONNREFUSED 127.0.0.1:4566")).told).rejects.toThrow("ECONNREFUSED");
});

it.each(['{"source":["custom.application"]}', "", "{"])("notes a rule with the pattern %j", async (EventPattern) => {
  expect(await ask(() => ({ State: "ENABLED", EventPattern })).told).toMatch(
    /^The rule shop-dev-priority-rule of the bus shop-dev-event-bus takes other events than this checkout's .*npm run deploy/,
  );
});

it("enables a rule where the stage is, and not where the person's own settings lead", async () => {
  const enable = async (at: StageAccess) => {
    const message = await ask(() => ({ State: "DISABLED" }), at).told.catch(
      (error: unknown) => (error as Error).message,
    );
    return message?.split("Enable it: ")[1];
  };
  expect(await enable(stage)).toBe(
    "aws events enable-rule --region eu-west-1 --name shop-dev-priority-rule --event-bus-name shop-dev-event-bus",
  );
  const client = { endpoint: "http://127.0.0.1:4599", region: "us-east-1" };
  expect(await enable({ ...stage, isSandbox: true, client } as StageAccess)).toBe(
    "aws events enable-rule --endpoint-url http://127.0.0.1:4599 --region us-east-1 --name shop-dev-priority-rule --event-bus-name shop-dev-event-bus",
  );
});
