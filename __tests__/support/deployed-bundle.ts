import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { Testing } from "cdktf";
import { type Config } from "../../stacks/config";
import { type NotificationStack } from "../../stacks/notification-stack";
import { exampleAccountId } from "../../stacks/stages";
import { sentAnswer, startSesServer } from "./ses-server";

/** What the deployed function asked AWS for, while it handled one event. */
export interface HandledEvent {
  /** The forms that it posted to SES. */
  readonly sends: readonly URLSearchParams[];
  /** The function's answer, or `error` with the error's name. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** The lines that it wrote to the standard output: all but those of failures. */
  readonly lines: readonly string[];
}

interface SynthesizedFunction {
  readonly function_name: string;
  readonly environment: { readonly variables: Readonly<Record<string, string>> };
}

/** A line of its own between the logs of two events. */
const endOfLog = "END OF LOG";

/** Imports the bundle and hands it the events, one after the other, as Lambda does. */
const runner = `
  const [file, events] = process.argv.slice(1);
  const { handler } = await import(file);
  const answers = [];
  for (const event of JSON.parse(events)) {
    const context = { invokedFunctionArn: "arn:aws:lambda:eu-west-1:${exampleAccountId}:function:f", getRemainingTimeInMillis: () => 30000 };
    await fetch(process.env.AWS_ENDPOINT_URL + "/next-event");
    console.log("${endOfLog}");
    answers.push(await handler(event, context).catch((error) => ({ error: error.name })));
  }
  console.log("${endOfLog}\\n" + JSON.stringify(answers));
`;

/**
 * Runs the bundle that Terraform would deploy, with the variables that it would get. A server on this machine stands for
 * SES, DynamoDB and SQS; every claim is free.
 * @param stack is synthesized here.
 * @param variables in addition to those of the function.
 */
export async function runDeployedBundle(
  stack: NotificationStack,
  { region }: Config,
  events: readonly unknown[],
  variables: Readonly<Record<string, string>> = {},
): Promise<HandledEvent[]> {
  const sends: URLSearchParams[][] = [];
  const server = await startSesServer((response, request, body) => {
    const target = String(request.headers["x-amz-target"] ?? "");
    if (request.url === "/next-event") sends.push([]);
    if (target === "") {
      const form = new URLSearchParams(body);
      if (form.has("Action")) sends.at(-1)?.push(form);
      response.writeHead(200, { "content-type": "text/xml" }).end(sentAnswer);
      return;
    }
    const { MessageBody: message = "" } = JSON.parse(body) as { MessageBody?: string };
    const MD5OfMessageBody = createHash("md5").update(message).digest("hex");
    response
      .writeHead(200, { "content-type": "application/x-amz-json-1.0" })
      .end(target.endsWith(".SendMessage") ? JSON.stringify({ MessageId: "m", MD5OfMessageBody }) : "{}");
  });
  try {
    const { file, environment } = deployed(stack);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "-e", runner, file, JSON.stringify(events)],
      {
        env: {
          PATH: process.env.PATH,
          ...environment,
          DEAD_LETTER_QUEUE_URL: `${server.url}/${exampleAccountId}/dead-letters`,
          MOST_SENDS_PER_SECOND: "1000000",
          LEAST_SENDS_PER_SECOND: "1",
          ...variables,
          AWS_REGION: region,
          AWS_ENDPOINT_URL: server.url,
          AWS_ACCESS_KEY_ID: "a",
          AWS_SECRET_ACCESS_KEY: "b",
        },
      },
    );
    const [, ...written] = stdout.split(`${endOfLog}\n`);
    const answers = JSON.parse(written.pop() ?? "") as HandledEvent["answer"][];
    return answers.map((answer, at) => ({
      answer,
      sends: sends[at] ?? [],
      lines: written[at]?.trimEnd().split("\n") ?? [],
    }));
  } finally {
    await server.close();
  }
}

function deployed(stack: NotificationStack): { file: string; environment: Readonly<Record<string, string>> } {
  const folder = join(Testing.fullSynth(stack), "stacks", stack.node.id);
  const { resource, data } = stack.toTerraform() as {
    resource: { aws_lambda_function: Record<string, SynthesizedFunction> };
    data: { archive_file: Record<string, { source_dir: string }> };
  };
  const [archive] = Object.values(data.archive_file);
  const [standard] = Object.values(resource.aws_lambda_function);
  if (archive === undefined || standard === undefined) throw new Error("The stack has no function.");
  return { file: join(folder, archive.source_dir, "index.cjs"), environment: standard.environment.variables };
}
