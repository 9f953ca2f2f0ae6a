/**
 * Baseline (d): the ceiling. Bare uWebSockets.js that reads the same POST and answers with it.
 *
 * What it does. It collects the body, parses it as JSON, and answers 201 with the bytes it got, on
 * one thread, within one cork. It knows no tokens, validates nothing and keeps nothing.
 *
 * Why that is the fair form. No server on this library can answer the same request with less: the
 * body has to be read, and who reads JSON has to parse it. What a server is below this is what it
 * does for the buyer.
 */
import uws from "uWebSockets.js";
import { freePort } from "../../gateway/http/free-port.ts";

/** Of a body; more ends the connection. */
const BODY_BYTES_MAX = 65_536;

export interface Echo {
  readonly url: string;
  stop(): void;
}

export async function startEcho(host: string, wantedPort: number): Promise<Echo> {
  const port = await freePort(host, wantedPort);
  const app = uws.App();
  app.post("/*", (response) => {
    let body: Buffer | null = null;
    let isAborted = false;
    response.onAborted(() => {
      isAborted = true;
    });
    response.onData((chunk, isLast) => {
      if (isAborted) return;
      // A chunk is the library's, and gone after this call: one that is not the last is copied.
      const part = Buffer.from(chunk);
      const whole = body === null ? part : Buffer.concat([body, part]);
      if (whole.length > BODY_BYTES_MAX) {
        response.close();
        return;
      }
      if (!isLast) {
        body = Buffer.from(whole);
        return;
      }
      answer(response, whole);
    });
  });
  await new Promise<void>((resolve, reject) => {
    app.listen(host, port, (token) => {
      if (token === false) reject(new Error(`can't listen on ${host}:${port}`));
      else resolve();
    });
  });
  return { url: `http://${host}:${port}`, stop: () => app.close() };
}

function answer(response: uws.HttpResponse, body: Buffer): void {
  let status = "201 Created";
  try {
    JSON.parse(body.toString("utf8"));
  } catch {
    status = "400 Bad Request";
  }
  response.cork(() => {
    response.writeStatus(status);
    response.writeHeader("Content-Type", "application/json; charset=utf-8");
    response.end(body);
  });
}
