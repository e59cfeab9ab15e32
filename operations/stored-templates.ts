import { setTimeout } from "node:timers/promises";
import { ListTemplatesCommand, type ListTemplatesCommandOutput, type SESClient } from "@aws-sdk/client-ses";

/** A template that SES stores. */
export interface StoredTemplate {
  readonly name: string;
  readonly createdAt?: Date;
}

/** How often a call that SES throttles is made again, with a second between. The client has tried three times before. */
const mostWaits = 10;

/**
 * Makes a call to SES, and waits where SES throttles it: SES answers each of its operations once a second
 * (https://docs.aws.amazon.com/ses/latest/dg/quotas.html).
 */
export async function atRateOfSes<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error && error.name === "Throttling") || waits === mostWaits) throw error;
      await setTimeout(1000);
    }
  }
}

/** Lists every template of the account in the region, in SES's order. */
export async function* storedTemplates(client: SESClient): AsyncGenerator<StoredTemplate> {
  let token: string | undefined;
  do {
    // 100 is the most that SES lists at once, and 10 what it lists unasked.
    const command = new ListTemplatesCommand({ NextToken: token, MaxItems: 100 });
    const page: ListTemplatesCommandOutput = await atRateOfSes(() => client.send(command));
    for (const { Name: name = "", CreatedTimestamp: createdAt } of page.TemplatesMetadata ?? [])
      yield { name, ...(createdAt === undefined ? {} : { createdAt }) };
    token = page.NextToken;
  } while (token !== undefined);
}
