/** A push service: takes messages for browsers, and looks at who sends them (RFC 8030, 8292). */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { importJWK, jwtVerify } from "jose";
import type { PushPayload } from "../../gateway/push/push-notice.ts";
import { TestBrowser } from "./test-browser.ts";

export interface ReceivedPush {
  readonly browser: TestBrowser;
  readonly payload: PushPayload;
  readonly ttlSeconds: number;
  readonly urgency: string;
  readonly topic: string;
}

export interface PushAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
}

export class PushService {
  /** What came for browsers, genuine and readable, also what was not taken. */
  readonly received: ReceivedPush[] = [];
  readonly faults: unknown[] = [];
  /** How the next message is answered. */
  answer: (push: ReceivedPush) => PushAnswer = () => ({ status: 201 });
  /** Who may send, as browsers were told: base64url. */
  publicKey = "";
  readonly #browsers = new Map<string, TestBrowser>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#receive(request, response).catch((error: unknown) => {
        this.faults.push(error);
        response.writeHead(400).end();
      });
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  browser(): TestBrowser {
    const path = `/send/${this.#browsers.size}`;
    const browser = new TestBrowser(this.#origin + path);
    this.#browsers.set(path, browser);
    return browser;
  }

  /** What came for a browser. */
  of(browser: TestBrowser): ReceivedPush[] {
    return this.received.filter((push) => push.browser === browser);
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { headers } = request;
    await this.#verify(headers.authorization ?? "");
    assert.deepEqual([request.method, headers["content-encoding"]], ["POST", "aes128gcm"]);
    const browser = this.#browsers.get(request.url ?? "");
    assert.ok(browser !== undefined, "somebody's");
    const payload = JSON.parse(browser.read(body).toString()) as PushPayload;
    const push: ReceivedPush = {
      browser,
      payload,
      ttlSeconds: Number(headers.ttl),
      urgency: String(headers.urgency),
      topic: String(headers.topic),
    };
    assert.match(push.topic, /^[\w-]{1,32}$/);
    this.received.push(push);
    const answer = this.answer(push);
    response.writeHead(answer.status, answer.headers).end();
  }

  /** `vapid t=<JWT>, k=<public key>` */
  async #verify(authorization: string): Promise<void> {
    const [, token = "", key = ""] = /^vapid t=([^,]+), k=([\w-]+)$/.exec(authorization) ?? [];
    assert.equal(key, this.publicKey);
    const point = Buffer.from(key, "base64url");
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((n) => n.toString("base64url"));
    assert.ok(x !== undefined && y !== undefined);
    const jwk = await importJWK({ kty: "EC", crv: "P-256", x, y }, "ES256");
    const { payload } = await jwtVerify(token, jwk, {
      audience: this.#origin,
      algorithms: ["ES256"],
      requiredClaims: ["exp", "sub"],
    });
    assert.match(payload.sub ?? "", /^(?:mailto|https):/);
    assert.ok((payload.exp ?? 0) <= Date.now() / 1_000 + 86_400);
  }
}
