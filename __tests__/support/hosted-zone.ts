import { signed } from "aws-emulator/testing/gateway";

/** Calls Route 53 of the emulator. @param path behind the version, for example `hostedzone`. */
export async function callRoute53(url: string, method: string, path: string, body?: string): Promise<string> {
  const response = await fetch(`${url}/2013-04-01/${path}`, {
    method,
    headers: signed("route53"),
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** @returns the zone's id. */
export async function createHostedZone(url: string, name: string): Promise<string> {
  const text = await callRoute53(
    url,
    "POST",
    "hostedzone",
    `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>${name}</Name><CallerReference>${name}</CallerReference></CreateHostedZoneRequest>`,
  );
  const id = /<Id>\/hostedzone\/(\w+)<\/Id>/.exec(text)?.[1];
  if (id === undefined) throw new Error(text);
  return id;
}
