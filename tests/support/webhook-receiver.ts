/** An organisation's program, which is told of events and does not always do well. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Received, verified } from "./webhooks-fixture.ts";

export type Conduct = (request: IncomingMessage, response: ServerResponse) => void;

export const well: Conduct = (_, response) => {
  response.writeHead(204).end();
};
export const saying =
  (status: number, headers: Record<string, string> = {}): Conduct =>
  (_, response) => {
    response.writeHead(status, headers).end("no\0thing");
  };
/** Breaks off without an answer. */
export const rudely: Conduct = (request) => {
  request.socket.destroy();
};
/** Answers, and does not come to an end. */
export const slowly: Conduct = (_, response) => {
  response.writeHead(200).write("a");
};
export const silently: Conduct = () => undefined;

export interface Plan {
  /** Whether the message is worked on before it is answered. */
  readonly takes: boolean;
  readonly conduct: Conduct;
}

export class WebhookReceiver {
  /** What was worked on: each message once, in the order in which it came. */
  readonly taken: Received[] = [];
  /** Whatever came and was genuine. */
  readonly seen: Received[] = [];
  /** What it does with the next request. */
  plan: (message: Received) => Plan = () => ({ takes: true, conduct: well });
  /** Requests that are being answered, and how many there were at most. */
  open = 0;
  openMax = 0;
  /** What should not have come. */
  readonly faults: unknown[] = [];
  readonly #server: Server;
  #secret = "";

  constructor() {
    this.#server = createServer((request, response) => {
      this.open += 1;
      this.openMax = Math.max(this.openMax, this.open);
      response.once("close", () => {
        this.open -= 1;
      });
      text(request).then(
        (body) => this.#receive(request, response, body),
        // Broken off.
        () => request.socket.destroy(),
      );
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  expect(secret: string): void {
    this.#secret = secret;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** What was taken of an event, as `seq type`. */
  of(eventId: string): string[] {
    const own = this.taken.filter(({ data }) => data.eventId === eventId);
    return own.map(({ type, data }) => `${data.seq} ${type}`);
  }

  #receive(request: IncomingMessage, response: ServerResponse, body: string): void {
    try {
      const message = verified(this.#secret, request.headers, body);
      this.seen.push(message);
      const { takes, conduct } = this.plan(message);
      if (takes) this.#take(message);
      conduct(request, response);
    } catch (error) {
      this.faults.push(error);
      response.writeHead(500).end();
    }
  }

  #take(message: Received): void {
    const { id, data } = message;
    const known = this.taken.find((one) => one.id === id);
    if (known !== undefined) {
      assert.equal(lasting(known), lasting(message), "what comes again is the same");
      return;
    }
    const last = this.taken.findLast((one) => one.data.eventId === data.eventId);
    if (last !== undefined) {
      assert.equal(data.previousSeq, last.data.seq, "nothing is missing before it");
      assert.ok(data.seq > last.data.seq);
    }
    this.taken.push(message);
  }
}

/** A message without what it says as of its sending: the booking's address and total. */
function lasting({ body }: Received): string {
  return body.replace(/"email":(?:null|"(?:[^"\\]|\\.)*"),"total":\{[^}]*\}/, "");
}
