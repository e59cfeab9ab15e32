import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Answer, decode, encode, RECURSION_AVAILABLE } from "dns-packet";

/** Records by `<type> <name>`, or what the server does in their place. */
export type Zone = Record<string, readonly unknown[] | "silent" | "SERVFAIL" | "REFUSED">;

export interface DnsServer {
  readonly port: number;
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** What it answers from now on. */
  zone: Zone;
  close(): Promise<void>;
}

/** RFC 1035, 4.1.1. */
const responseCodes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

/** A DNS server on this machine: it says what its zone has, and that every other name does not exist. */
export async function startDnsServer(zone: Zone = {}): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const server: DnsServer = {
    port: 0,
    address: "",
    zone,
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
  socket.on("message", (message, client) => {
    const { id, questions = [] } = decode(message);
    const [question] = questions;
    if (question === undefined) return;
    const { name, type } = question;
    const isKnown = Object.keys(server.zone).some((key) => key.toLowerCase().endsWith(` ${name.toLowerCase()}`));
    const found = server.zone[`${type} ${name.toLowerCase()}`] ?? [];
    if (found === "silent") return;
    const code = typeof found === "string" ? responseCodes[found] : isKnown ? 0 : responseCodes.NXDOMAIN;
    const data = typeof found === "string" ? [] : found;
    const answers = data.map((each) => ({ type, name, ttl: 60, data: each }) as unknown as Answer);
    socket.send(
      encode({ type: "response", id: id ?? 0, flags: RECURSION_AVAILABLE | code, questions, answers }),
      client.port,
      client.address,
    );
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  return Object.assign(server, { port, address: `127.0.0.1:${port}` });
}
