import { connect, createServer, type Socket } from "node:net";

export interface DatabaseProxy {
  /** Of the database, by way of the proxy. */
  readonly url: string;
  /** Set: bytes that arrive are lost, and nobody is told. */
  isFrozen: boolean;
  /** Every connection ends without a word; another can be made. */
  readonly cut: () => void;
  readonly close: () => void;
}

/** Passes bytes on to PostgreSQL and back, unless it is told otherwise. */
export async function databaseProxy(url: string): Promise<DatabaseProxy> {
  const target = new URL(url);
  const port = Number(target.port);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => void (proxy.isFrozen || to.write(bytes)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  target.port = `${typeof address === "object" ? address?.port : 0}`;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const close = (): void => {
    cut();
    server.close();
  };
  const proxy: DatabaseProxy = { url: target.href, isFrozen: false, cut, close };
  return proxy;
}
