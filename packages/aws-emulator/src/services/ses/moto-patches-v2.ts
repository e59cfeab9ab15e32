import { createHash } from "node:crypto";
import {
  type Answer,
  type Call,
  type Interceptor,
  isRecord,
  json,
  jsonError,
  jsonOf,
  mapJson,
  type Next,
  ofService,
  queryOf,
  succeeded,
  textOf,
} from "../../gateway/http";
import { type Moto } from "../../gateway/moto";

const configurationSetPath = /^\/v2\/email\/configuration-sets\/([^/]+)$/;
const optionsPath = /^\/v2\/email\/configuration-sets\/([^/]+)\/([a-z-]+-options|sending)$/;
const eventDestinationsPath = /^\/v2\/email\/configuration-sets\/([^/]+)\/event-destinations(?:\/([^/]+))?$/;
const identityPath = /^\/v2\/email\/identities\/([^/]+)$/;
const identityAttributePath = /^\/v2\/email\/identities\/([^/]+)\/(configuration-set|feedback|mail-from)$/;

export interface SesV2Options {
  readonly region: string;
  readonly accountId: string;
}

/** The answers of moto's SES v2 that Terraform cannot go on from. */
export function patchSesV2(moto: Moto, options: SesV2Options): Interceptor[] {
  return [
    ...[refuseExisting, refuseMissing].map(ofV2),
    // What is kept of a set or an identity goes with it, whichever API deletes it.
    ...[keepConfigurationSetOptions(), keepEventDestinations(), keepIdentityAttributes()].map(ofSes),
    ...[tagIdentities(moto, options), verifyIdentities, readConfigurationSet].map(ofV2),
  ];
}

const ofSes = (patch: Interceptor) => ofService("ses", patch);

const ofV2 = (patch: Interceptor): Interceptor =>
  ofSes((call, next) => (call.url.pathname.startsWith("/v2/") ? patch(call, next) : next(call)));

const deletedSet = (call: Call) =>
  call.operation === "DeleteConfigurationSet"
    ? fieldOf(call, "ConfigurationSetName")
    : call.method === "DELETE"
      ? parameters(configurationSetPath, call)?.[0]
      : undefined;

const deletedIdentity = (call: Call) =>
  call.operation === "DeleteIdentity"
    ? fieldOf(call, "Identity")
    : call.method === "DELETE"
      ? parameters(identityPath, call)?.[0]
      : undefined;

/** Of SES v1's Query protocol. */
const fieldOf = (call: Call, name: string) => queryOf(call).get(name) ?? "";

const notFound = (message: string) => jsonError(404, "NotFoundException", message);

/** Asks for something as the client that makes the call. */
async function exists(path: string, call: Call, next: Next): Promise<boolean> {
  const url = new URL(path, call.url);
  return succeeded(await next({ ...call, method: "GET", url, body: Buffer.alloc(0) }));
}

const pathOf = (kind: "identities" | "configuration-sets", name: string) =>
  `/v2/email/${kind}/${encodeURIComponent(name)}`;

/** moto: takes an identity again, and has v1's code for a configuration set. AWS: AlreadyExistsException. */
async function refuseExisting(call: Call, next: Next): Promise<Answer> {
  const { EmailIdentity: identity, ConfigurationSetName: set } = call.method === "POST" ? jsonOf(call) : {};
  const refuse = (message: string) => jsonError(400, "AlreadyExistsException", message);
  if (call.url.pathname === "/v2/email/identities" && typeof identity === "string") {
    const isThere = await exists(pathOf("identities", identity), call, next);
    return isThere ? refuse(`Email identity ${identity} already exist.`) : next(call);
  }
  if (call.url.pathname === "/v2/email/configuration-sets" && typeof set === "string") {
    const isThere = await exists(pathOf("configuration-sets", set), call, next);
    return isThere ? refuse(`Configuration set ${set} already exists.`) : next(call);
  }
  return next(call);
}

/** moto: 500 where a set is deleted that is not there, and 200 for an identity. The options are the gateway's own. */
async function refuseMissing(call: Call, next: Next): Promise<Answer> {
  const isDelete = call.method === "DELETE";
  const [set] =
    parameters(optionsPath, call) ??
    parameters(eventDestinationsPath, call) ??
    (isDelete ? parameters(configurationSetPath, call) : undefined) ??
    [];
  if (set !== undefined && !(await exists(pathOf("configuration-sets", set), call, next))) {
    return notFound(`Configuration set <${set}> does not exist.`);
  }
  const [identity] =
    parameters(identityAttributePath, call) ?? (isDelete ? parameters(identityPath, call) : undefined) ?? [];
  if (identity !== undefined && !(await exists(pathOf("identities", identity), call, next))) {
    return notFound(`Email identity ${identity} does not exist.`);
  }
  return next(call);
}

function parameters(expression: RegExp, call: Call): string[] | undefined {
  return expression
    .exec(call.url.pathname)
    ?.slice(1)
    .map((text: string | undefined) => decodeURIComponent(text ?? ""));
}

/**
 * moto: `SendingOptions: {SendingEnabled: {SendingEnabled: true}}`, which no client can read, and `{}` for options that
 * were never set, which Terraform would take away. AWS: a boolean, true where nothing else was said; and nothing.
 */
async function readConfigurationSet(call: Call, next: Next): Promise<Answer> {
  const answer = await next(call);
  if (call.method !== "GET" || !configurationSetPath.test(call.url.pathname) || !succeeded(answer)) return answer;
  return mapJson(answer, (body) => {
    const sending = isRecord(body.SendingOptions) ? body.SendingOptions.SendingEnabled : undefined;
    const enabled = isRecord(sending) ? (sending.SendingEnabled ?? true) : (sending ?? true);
    const set = Object.entries(body).filter(([, value]) => !isRecord(value) || Object.keys(value).length > 0);
    return { ...Object.fromEntries(set), SendingOptions: { SendingEnabled: enabled } };
  });
}

/** moto: no PutConfigurationSet..Options, so nothing of a set can be changed. AWS: the options change. */
function keepConfigurationSetOptions() {
  const names: Readonly<Record<string, string>> = {
    "delivery-options": "DeliveryOptions",
    "reputation-options": "ReputationOptions",
    "suppression-options": "SuppressionOptions",
    "tracking-options": "TrackingOptions",
    "vdm-options": "VdmOptions",
    sending: "SendingOptions",
  };
  const changes = new Map<string, Record<string, unknown>>();
  return async (call: Call, next: Next): Promise<Answer> => {
    const [changed = "", path = ""] = parameters(optionsPath, call) ?? [];
    const name = names[path];
    if (call.method === "PUT" && name !== undefined) {
      changes.set(changed, { ...changes.get(changed), [name]: jsonOf(call) });
      return json({});
    }
    const answer = await next(call);
    if (!succeeded(answer)) return answer;
    changes.delete(deletedSet(call) ?? "");
    const [set] = parameters(configurationSetPath, call) ?? [];
    if (set === undefined) return answer;
    return call.method === "GET" ? mapJson(answer, (body) => ({ ...body, ...changes.get(set) })) : answer;
  };
}

interface EventDestination extends Record<string, unknown> {
  readonly Name: string;
}

/** moto: has no event destinations. AWS: up to ten of a configuration set. */
function keepEventDestinations() {
  const destinations = new Map<string, EventDestination[]>();
  return async (call: Call, next: Next): Promise<Answer> => {
    const path = parameters(eventDestinationsPath, call);
    if (path === undefined) {
      const answer = await next(call);
      if (succeeded(answer)) destinations.delete(deletedSet(call) ?? "");
      return answer;
    }
    const [set = "", name = ""] = path;
    const own = destinations.get(set) ?? [];
    if (call.method === "GET") return json({ EventDestinations: own });
    const body = jsonOf(call);
    const wanted = call.method === "POST" ? (textOf(body.EventDestinationName) ?? "") : name;
    const exists = own.some(({ Name }) => Name === wanted);
    if (call.method === "POST" && exists) {
      return jsonError(400, "AlreadyExistsException", `An event destination with name ${wanted} already exists.`);
    }
    if (call.method !== "POST" && !exists) {
      return jsonError(404, "NotFoundException", `An event destination with name ${wanted} does not exist.`);
    }
    const others = own.filter(({ Name }) => Name !== wanted);
    const definition = isRecord(body.EventDestination) ? body.EventDestination : {};
    destinations.set(set, call.method === "DELETE" ? others : [...others, { ...definition, Name: wanted }]);
    return json({});
  };
}

/** moto: PutEmailIdentity..Attributes are not there. AWS: the identity's attributes change. */
function keepIdentityAttributes() {
  const changes = new Map<string, Record<string, unknown>>();

  function attributes(kind: string, body: Readonly<Record<string, unknown>>): Record<string, unknown> {
    switch (kind) {
      case "configuration-set":
        return { ConfigurationSetName: body.ConfigurationSetName };
      case "feedback":
        return { FeedbackForwardingStatus: body.EmailForwardingEnabled ?? false };
      case "mail-from":
        return {
          MailFromAttributes: {
            MailFromDomain: body.MailFromDomain,
            MailFromDomainStatus: "SUCCESS",
            BehaviorOnMxFailure: body.BehaviorOnMxFailure ?? "USE_DEFAULT_VALUE",
          },
        };
      default:
        return {};
    }
  }

  return async (call: Call, next: Next): Promise<Answer> => {
    const [changed = "", kind] = parameters(identityAttributePath, call) ?? [];
    if (call.method === "PUT" && kind !== undefined) {
      changes.set(changed, { ...changes.get(changed), ...attributes(kind, jsonOf(call)) });
      return json({});
    }
    const answer = await next(call);
    if (!succeeded(answer)) return answer;
    changes.delete(deletedIdentity(call) ?? "");
    const [identity] = parameters(identityPath, call) ?? [];
    if (identity === undefined) return answer;
    return call.method === "GET" ? mapJson(answer, (body) => ({ ...body, ...changes.get(identity) })) : answer;
  };
}

/** moto: keeps an identity's tags under `..:email-identity/<name>`, an ARN that nobody asks for. AWS: `..:identity/<name>`. */
function tagIdentities(moto: Moto, { region, accountId }: SesV2Options) {
  return async (call: Call, next: Next): Promise<Answer> => {
    const answer = await next(call);
    if (call.method !== "POST" || call.url.pathname !== "/v2/email/identities" || !succeeded(answer)) return answer;
    const { EmailIdentity: name, Tags: tags } = jsonOf(call);
    if (Array.isArray(tags) && tags.length > 0) {
      const arn = `arn:aws:ses:${region}:${accountId}:identity/${textOf(name) ?? ""}`;
      await moto.ask("ses", "POST", "/v2/email/tags", JSON.stringify({ ResourceArn: arn, Tags: tags }));
    }
    return answer;
  };
}

/**
 * moto: an identity that can send says that it is not verified, and a domain has no DKIM tokens. AWS: three tokens to
 * put into DNS; here no DNS is asked, so an identity is verified from its start.
 */
async function verifyIdentities(call: Call, next: Next): Promise<Answer> {
  const answer = await next(call);
  const isCreate = call.method === "POST" && call.url.pathname === "/v2/email/identities";
  const [read] = call.method === "GET" ? (parameters(identityPath, call) ?? []) : [];
  const name = isCreate ? textOf(jsonOf(call).EmailIdentity) : read;
  if (name === undefined || !succeeded(answer)) return answer;
  return mapJson(answer, (body) => {
    const dkim = isRecord(body.DkimAttributes) ? body.DkimAttributes : {};
    const signing = { SigningEnabled: true, Status: "SUCCESS", Tokens: dkimTokens(name), ...withoutStatus(dkim) };
    return {
      ...body,
      VerifiedForSendingStatus: true,
      DkimAttributes: body.IdentityType === "DOMAIN" ? signing : dkim,
    };
  });
}

function withoutStatus({ SigningEnabled: _enabled, Status: _status, ...others }: Readonly<Record<string, unknown>>) {
  return others;
}

/** Three, as AWS gives, and the same at each reading. */
function dkimTokens(name: string): string[] {
  return [1, 2, 3].map((index) => createHash("sha256").update(`${name} ${index}`).digest("hex").slice(0, 32));
}
