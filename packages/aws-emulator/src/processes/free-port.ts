import { createServer } from "node:net";

/** A port of 127.0.0.1 that nobody listens on at this moment; another program can be faster to take it. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("This machine gave no free port on 127.0.0.1."));
      });
    });
  });
}
