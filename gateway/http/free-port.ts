import { createServer } from "node:net";

const IN_USE =
  "a program listens there, or a connection was lent the port (Linux: 32768 and above)";

export class ListenError extends Error {
  readonly code = "listen_failed";

  /** `cause`: what the system said; null: nothing. */
  constructor(host: string, port: number, cause: NodeJS.ErrnoException | null) {
    const said = cause === null ? "" : `: ${cause.message}`;
    const hint = cause === null || cause.code === "EADDRINUSE" ? `: ${IN_USE}` : "";
    super(`can't listen on ${host}:${port}${said}${hint}`, { cause });
  }
}

/**
 * The port, or a free one for 0. Sockets of ours share it, and so would another process, which then
 * had half of the requests: so nobody else may listen there when we come.
 */
export function freePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (cause) => reject(new ListenError(host, port, cause)));
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address();
      const found = typeof address === "object" && address !== null ? address.port : port;
      probe.close(() => resolve(found));
    });
  });
}
