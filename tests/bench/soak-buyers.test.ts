/** A soak outlasts the tokens of its buyers: others take their place. */
import assert from "node:assert/strict";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { isSound } from "../../bench/report/report.ts";
import { soak } from "../../bench/scenarios/soak.ts";
import { NO_OPTIONS } from "../../bench/testing/no-options.ts";
import { ADMIN, OPS_TOKEN, TestNode } from "../support/server.ts";

const node = await TestNode.start();
after(() => node.remove());

const SOCKETS = 2;
/** Longer than one event is on sale. */
const SECONDS = 11;

interface Front {
  readonly url: string;
  /** Guests that came, and WebSockets that were opened. */
  readonly came: { guests: number; sockets: number };
  close(): void;
}

/** The node, but for what it says of tokens: that they end at once. */
async function hastyFront(): Promise<Front> {
  const { hostname, port } = new URL(node.url);
  const came = { guests: 0, sockets: 0 };
  const open = new Set<Socket>();
  const sentOn = (request: IncomingMessage, told: (answer: IncomingMessage) => void): void => {
    const { method, url: path, headers } = request;
    request.pipe(httpRequest({ hostname, port, method, path, headers }, told));
  };
  const server = createServer((request, response) => {
    const isToken = /\/auth\/(?:guest|login)$/.test(request.url ?? "");
    if (request.url?.endsWith("/auth/guest") === true) came.guests += 1;
    sentOn(request, (answer) => {
      const { "content-length": _, ...headers } = answer.headers;
      if (isToken) {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        answer.once("end", () => {
          response.writeHead(answer.statusCode ?? 0, headers);
          response.end(text.replace(/"expiresIn":\d+/, '"expiresIn":0'));
        });
      } else {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      }
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    came.sockets += 1;
    const behind = connect(Number(port), hostname, () => {
      const headers = request.rawHeaders.flatMap((name, index, all) =>
        index % 2 === 0 ? [`${name}: ${all[index + 1]}\r\n`] : [],
      );
      behind.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
      behind.write(head);
      socket.pipe(behind).pipe(socket);
    });
    for (const one of [socket, behind]) {
      open.add(one);
      one.on("error", () => one.destroy());
      one.on("close", () => {
        socket.destroy();
        behind.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: own } = server.address() as AddressInfo;
  const close = (): void => {
    for (const one of open) one.destroy();
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${own}`, came, close };
}

test("buyers whose tokens end are followed by others, and nobody is refused", async (t) => {
  const front = await hastyFront();
  t.after(() => front.close());
  const found = await soak.run(
    {
      ...NO_OPTIONS,
      url: front.url,
      connections: SOCKETS,
      durationSeconds: SECONDS,
      ratePerSecond: 50,
      access: { ...ADMIN, opsToken: OPS_TOKEN },
    },
    () => undefined,
  );
  assert.ok(isSound(found), JSON.stringify(found.checks, null, 2));
  assert.ok(found.streams.every(({ name }) => !name.startsWith("refused")));
  // The first buyers, and others for each event.
  assert.ok(front.came.guests >= 2 * SOCKETS, `${front.came.guests} guests`);
  assert.ok(front.came.sockets >= 2 * SOCKETS, `${front.came.sockets} sockets`);
});
