import { catalogue } from "../../handler/notifications";
import { editionsOf } from "../../handler/notifications/editions";
import { sandboxEndpoint } from "../../stacks/sandbox-endpoint";
import { storedTemplateName } from "../../stacks/templates/load";
import { runOperation, sandboxOn } from "../support/operations-command";
import { errorAnswer, startSesServer } from "../support/ses-server";

const { prefix } = sandboxEndpoint({}).names;

const used = catalogue.flatMap((notification) =>
  editionsOf(notification).map((edition) => ({
    notification: notification.id,
    ...edition,
    name: storedTemplateName(prefix, notification, edition),
  })),
);
const [first] = used;
const others = used.slice(1);
const namesOf = (templates: readonly { readonly name: string }[]) => templates.map(({ name }) => name);
const hashOf = (name: string) => name.slice(-8);
const createdAt = "2026-11-27T09:00:00.000Z";

/** SES with these templates, which it lists two at a time. It throttles the first calls: more than a client makes by itself. */
async function templates(
  stored: readonly string[],
  { words = [], throttled = 0 }: { readonly words?: readonly string[]; readonly throttled?: number } = {},
) {
  let asked = 0;
  const server = await startSesServer((response, request, body) => {
    asked += 1;
    const call = new URLSearchParams(body);
    expect([call.get("Action"), call.get("MaxItems")]).toEqual(["ListTemplates", "100"]);
    if (asked <= throttled) {
      errorAnswer(400, "Throttling", "Rate exceeded")(response, request, body);
      return;
    }
    const from = Number(call.get("NextToken") ?? 0);
    const members = stored
      .slice(from, from + 2)
      .map((name) => `<member><Name>${name}</Name><CreatedTimestamp>${createdAt}</CreatedTimestamp></member>`);
    const next = from + 2 < stored.length ? `<NextToken>${from + 2}</NextToken>` : "";
    response.writeHead(200, { "content-type": "text/xml" });
    response.end(
      `<ListTemplatesResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><ListTemplatesResult><TemplatesMetadata>${members.join("")}</TemplatesMetadata>${next}</ListTemplatesResult></ListTemplatesResponse>`,
    );
  });
  try {
    return await runOperation(["templates", "--sandbox", ...words], sandboxOn(Number(new URL(server.url).port)));
  } finally {
    await server.close();
  }
}

it("lists what is stored, and has nothing to say where that is what this checkout uses", async () => {
  const { code, output } = await templates(["newsletter", ...namesOf(used), `${prefix}2-email-request-00000000`], {
    throttled: 4,
  });
  expect(code).toBe(0);
  for (const { name, notification, locale } of used) {
    expect(output).toMatch(new RegExp(`stored +│ ${notification} +│ ${locale} +│ .*│ ${name} +│ 2026-11-27 09:00`));
  }
  expect(output).toMatch(new RegExp(`\n${prefix}: ${used.length} stored, 0 missing, 0 left\n$`));
});

it("tells what is missing from what is left, and ends with 1 where a template is missing", async () => {
  const older = `${prefix}-${first?.notification ?? ""}-00000000`;
  const { code, output } = await templates([older, ...namesOf(others)], { words: ["--json"] });
  expect(code).toBe(1);
  const withHash = (each: (typeof used)[number]) => ({ ...each, hash: hashOf(each.name) });
  expect(JSON.parse(output)).toEqual({
    stage: "sandbox",
    prefix,
    summary: { stored: others.length, missing: 1, left: 1 },
    stored: others.map((each) => ({ ...withHash(each), createdAt })),
    missing: used.slice(0, 1).map(withHash),
    left: [{ name: older, createdAt }],
    todo: [
      expect.stringMatching(
        /^Missing: what is deployed is not this checkout\. .*what is left.* leave it alone\.$/,
      ) as string,
    ],
  });
});

it("ends well where templates are left, and says how they go away", async () => {
  const left = [`${prefix}-removed-00000000`, `${prefix}-removed-11111111`];
  const { code, output } = await templates([...left, ...namesOf(used)]);
  expect(code).toBe(0);
  for (const name of left) expect(output).toMatch(new RegExp(`left +│ .*│ ${name} `));
  expect(output).toMatch(
    /2 left\nLeft: .* the next one removes them\.[\s\S]*aws ses delete-template --template-name <name>\n$/,
  );
});
