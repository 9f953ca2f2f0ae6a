import { createServer } from "node:net";

export class ListenError extends Error {
  readonly code = "listen_failed";

  constructor(host: string, port: number) {
    super(`can't listen on ${host}:${port}: is it taken?`);
  }
}

/**
 * The port, or a free one for 0. Sockets of ours share it, and so would another process, which then
 * had half of the requests: so nobody else may listen there when we come.
 */
export function freePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () => reject(new ListenError(host, port)));
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address();
      const found = typeof address === "object" && address !== null ? address.port : port;
      probe.close(() => resolve(found));
    });
  });
}
