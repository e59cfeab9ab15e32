import { ListTemplatesCommand, type ListTemplatesCommandOutput, type SESClient } from "@aws-sdk/client-ses";

/** A template that SES stores. */
export interface StoredTemplate {
  readonly name: string;
  readonly createdAt?: Date;
}

/**
 * Settings of a client that asks for many templates. SES answers each of its operations once a second
 * (https://docs.aws.amazon.com/ses/latest/dg/quotas.html), so calls have to wait for one another.
 */
export const patientWithSes = { maxAttempts: 12 } as const;

/** Lists every template of the account in the region, in SES's order. */
export async function* storedTemplates(client: SESClient): AsyncGenerator<StoredTemplate> {
  let token: string | undefined;
  do {
    // 100 is the most that SES lists at once, and 10 what it lists unasked.
    const page: ListTemplatesCommandOutput = await client.send(
      new ListTemplatesCommand({ NextToken: token, MaxItems: 100 }),
    );
    for (const { Name: name = "", CreatedTimestamp: createdAt } of page.TemplatesMetadata ?? [])
      yield { name, ...(createdAt === undefined ? {} : { createdAt }) };
    token = page.NextToken;
  } while (token !== undefined);
}
