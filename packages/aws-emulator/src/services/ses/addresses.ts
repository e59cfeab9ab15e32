/**
 * What SES says of an address that it refuses. Its words are those of JavaMail's InternetAddress, as people report them:
 * https://github.com/openstax/accounts/issues/253, https://github.com/anymail/django-anymail/issues/281,
 * https://github.com/brave/accounts/issues/35, https://github.com/arithmetic/aws-lambda-ses-forwarder/issues/103.
 */
export function addressProblem(given: string): string | undefined {
  const named = /^(.*)<([^<>]*)>\s*$/s.exec(given);
  // An unclosed quote reaches to the end of the name, and is kept.
  const name = (named?.[1] ?? "").replace(/"(?:[^"\\]|\\.)*("?)/gs, (_, end: string) => (end === "" ? '"' : ""));
  if (/[,;:@<>"]/.test(name)) return "Illegal address";
  const address = named?.[2] ?? given.trim();
  if (address === "") return "Empty address";
  const end = endOfLocalPart(address);
  if (typeof end === "string") return end;
  return domainProblem(address.slice(end + 1));
}

/** The addresses of a header. Commas inside quoted names do not separate, and empty entries are left out. */
export const addressesIn = (header: string): readonly string[] =>
  (header.match(/(?:"(?:[^"\\]|\\.)*"?|[^",])+/gs) ?? []).map((address) => address.trim()).filter(Boolean);

/** The place of the `@`, or what is wrong before it. */
function endOfLocalPart(address: string): number | string {
  let isQuoted = false;
  for (let index = 0; index < address.length; index += 1) {
    const character = address[index] ?? "";
    const last = address[index - 1];
    if (character === "\\") index += 1;
    else if (character === '"') {
      if (isQuoted && index + 1 < address.length && address[index + 1] !== "@")
        return "Quote not at end of local address";
      if (!isQuoted && index !== 0) return "Quote not at start of local address";
      isQuoted = !isQuoted;
    } else if (isQuoted) continue;
    else if (character === "@") {
      if (index === 0) return "Missing local name";
      return last === "." ? "Local address ends with dot" : index;
    } else if (isControlOrBlank(character)) return "Local address contains control or whitespace";
    else if (character === "." && index === 0) return "Local address starts with dot";
    else if (character === "." && last === ".") return "Local address contains dot-dot";
    // SES takes 7-bit ASCII only (API_Destination).
    else if (/[()<>,;:[\]]/.test(character) || character > "~") return "Local address contains illegal character";
  }
  return isQuoted ? "Unterminated quote" : "Missing final '@domain'";
}

function domainProblem(domain: string): string | undefined {
  if (domain === "") return "Missing domain";
  if (domain.startsWith(".")) return "Domain starts with dot";
  if (/^\[[^[\]]+\]$/.test(domain)) return undefined;
  if ([...Array(domain.length).keys()].some((index) => isControlOrBlank(domain[index] ?? ""))) {
    return "Domain contains control or whitespace";
  }
  if (!/^[A-Za-z0-9.-]+$/.test(domain)) return "Domain contains illegal character";
  if (domain.includes("..")) return "Domain contains dot-dot";
  return domain.endsWith(".") ? "Domain ends with dot" : undefined;
}

const isControlOrBlank = (character: string) => character <= " " || character === "\u007f";
