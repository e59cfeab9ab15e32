export interface Tag {
  readonly name: string;
  readonly value: string;
}

/** As SES answered on AWS (LocalStack's test_ses.snapshot.json); API_MessageTag's 256 is one too many. */
const mostCharacters = 255;

/** What SES says of a message's tags that it refuses. */
export function tagProblem(tags: readonly Tag[]): string | undefined {
  for (const { name, value } of tags) {
    if (name === "") return "The tag name must be specified.";
    if (value === "") return "The tag value must be specified.";
    if (name.length > mostCharacters) return `Tag name cannot exceed ${mostCharacters} characters.`;
    if (!/^[A-Za-z0-9_-]*$/.test(name)) {
      return `Invalid tag name <${name}>: only alphanumeric ASCII characters, '_',  '-' are allowed.`;
    }
    if (value.length > mostCharacters) return `Tag value cannot exceed ${mostCharacters} characters.`;
    if (!/^[A-Za-z0-9_.@-]*$/.test(value)) {
      return `Invalid tag value <${value}>: only alphanumeric ASCII characters, '_',  '-' , '.', '@' are allowed.`;
    }
  }
  return undefined;
}
