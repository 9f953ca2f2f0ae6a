/**
 * A stand-in for Stripe on a port of this machine: as much of it as payments need, its idempotency
 * keys and signatures included, and switches for what goes wrong on real lines.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import Stripe from "stripe";

interface Intent {
  readonly id: string;
  readonly amount: number;
  amount_received: number;
  readonly currency: string;
  status: string;
  readonly metadata: Record<string, string>;
}

interface Refund {
  readonly id: string;
  readonly payment_intent: string;
  readonly amount: number;
  status: string;
  readonly metadata: Record<string, string>;
}

interface Reply {
  readonly status: number;
  readonly body: object;
}

export interface SignedWebhook {
  readonly headers: Record<string, string>;
  readonly body: string;
}

const SECRET_KEY = "sk_test_standin0001";
const WEBHOOK_SECRET = "whsec_standin0001standin0001";

export class StripeStandIn {
  readonly secretKey = SECRET_KEY;
  readonly webhookSecret = WEBHOOK_SECRET;
  readonly intents = new Map<string, Intent>();
  readonly refunds = new Map<string, Refund>();
  /** Method and path of each request that was let in. */
  readonly requests: string[] = [];
  /** Answers nothing and hangs up. */
  isDown = false;
  /** Does what it is asked, then hangs up without an answer; counts down. */
  answersToLose = 0;
  /** Instead of doing what comes next. */
  nextRefusal: Reply | null = null;
  /** Of refunds to come. */
  refundStatus = "succeeded";
  readonly #replies = new Map<string, { readonly request: string; readonly reply: Reply }>();
  readonly #server: Server;
  #eventCount = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<StripeStandIn> {
    const standIn = new StripeStandIn();
    await new Promise<void>((resolve) => standIn.#server.listen(0, "127.0.0.1", resolve));
    return standIn;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** As Stripe does after a day. */
  forgetKeys(): void {
    this.#replies.clear();
  }

  /** What the buyer does in their browser. `received` defaults to the whole amount. */
  pay(ref: string, received?: number): void {
    const intent = this.intent(ref);
    intent.status = "succeeded";
    intent.amount_received = received ?? intent.amount;
  }

  intent(ref: string): Intent {
    const intent = this.intents.get(ref);
    if (intent === undefined) throw new Error(`no intent ${ref}`);
    return intent;
  }

  /** The intent that was made for ours. */
  intentOf(intentId: string): Intent {
    for (const intent of this.intents.values()) {
      if (intent.metadata.intentId === intentId) return intent;
    }
    throw new Error(`no intent for ${intentId}`);
  }

  /** A message about the intent as it is now; `eventId` twice is the same message. */
  webhook(
    type: string,
    ref: string,
    { eventId, signedMs = Date.now() }: { eventId?: string; signedMs?: number } = {},
  ): SignedWebhook {
    this.#eventCount += 1;
    const body = JSON.stringify({
      id: eventId ?? `evt_${this.#eventCount}`,
      object: "event",
      type,
      created: Math.floor(Date.now() / 1_000),
      data: { object: this.#shown(this.intent(ref)) },
    });
    const signature = new Stripe(SECRET_KEY).webhooks.generateTestHeaderString({
      payload: body,
      secret: WEBHOOK_SECRET,
      timestamp: Math.floor(signedMs / 1_000),
    });
    return { headers: { "stripe-signature": signature }, body };
  }

  #shown(intent: Intent): object {
    // Data of the buyer, which nobody of ours may keep.
    // Nothing that an id or a time may have in it by chance.
    const charge = { billing_details: { email: "buyer@example.org" }, last4: "no. 4242" };
    const client_secret = `${intent.id}_secret_x`;
    return { object: "payment_intent", ...intent, client_secret, latest_charge: charge };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    if (this.isDown) {
      response.destroy();
      return;
    }
    const form = Buffer.concat(chunks).toString("utf8");
    const url = new URL(request.url ?? "/", "http://stand-in");
    this.requests.push(`${request.method} ${url.pathname}`);
    const key = String(request.headers["idempotency-key"] ?? "");
    const reply =
      request.headers.authorization === `Bearer ${SECRET_KEY}`
        ? this.#once(key, request.method ?? "", url, form)
        : refusal(401, "invalid_request_error", "api_key_invalid");
    if (this.answersToLose > 0) {
      this.answersToLose -= 1;
      response.destroy();
      return;
    }
    response.writeHead(reply.status, { "content-type": "application/json", "request-id": "req_1" });
    response.end(JSON.stringify(reply.body));
  }

  #once(key: string, method: string, url: URL, form: string): Reply {
    if (method !== "POST" || key === "") return this.#do(method, url, form);
    const request = `${url.pathname} ${form}`;
    const known = this.#replies.get(key);
    if (known !== undefined) {
      return known.request === request ? known.reply : refusal(400, "idempotency_error");
    }
    const reply = this.#do(method, url, form);
    if (reply.status < 400) this.#replies.set(key, { request, reply });
    return reply;
  }

  #do(method: string, url: URL, form: string): Reply {
    const { nextRefusal } = this;
    this.nextRefusal = null;
    if (nextRefusal !== null) return nextRefusal;
    const [, , collection, id, action] = url.pathname.split("/");
    const asked = new URLSearchParams(form);
    if (collection === "refunds") {
      return method === "POST" ? this.#refund(asked) : this.#listRefunds(url.searchParams);
    }
    if (id === undefined) return this.#create(asked);
    const intent = this.intents.get(id);
    if (intent === undefined) return refusal(404, "invalid_request_error", "resource_missing");
    if (action === "cancel") {
      if (intent.status === "succeeded" || intent.status === "canceled") {
        return refusal(400, "invalid_request_error", "payment_intent_unexpected_state");
      }
      intent.status = "canceled";
    }
    return { status: 200, body: this.#shown(intent) };
  }

  #create(asked: URLSearchParams): Reply {
    const intent: Intent = {
      id: `pi_${randomBytes(8).toString("hex")}`,
      amount: Number(asked.get("amount")),
      amount_received: 0,
      currency: asked.get("currency") ?? "",
      status: "requires_payment_method",
      metadata: metadataOf(asked),
    };
    this.intents.set(intent.id, intent);
    return { status: 200, body: this.#shown(intent) };
  }

  #refund(asked: URLSearchParams): Reply {
    const intent = this.intent(asked.get("payment_intent") ?? "");
    const amount = Number(asked.get("amount"));
    const given = this.refundsOf(intent.id).filter(({ status }) => status !== "failed");
    const back = given.reduce((sum, refund) => sum + refund.amount, 0);
    if (intent.amount_received > 0 && back === intent.amount_received) {
      return refusal(400, "invalid_request_error", "charge_already_refunded");
    }
    if (back + amount > intent.amount_received) return refusal(400, "invalid_request_error");
    const refund: Refund = {
      id: `re_${randomBytes(8).toString("hex")}`,
      payment_intent: intent.id,
      amount,
      status: this.refundStatus,
      metadata: metadataOf(asked),
    };
    this.refunds.set(refund.id, refund);
    return { status: 200, body: { object: "refund", ...refund } };
  }

  refundsOf(ref: string): Refund[] {
    return [...this.refunds.values()].filter(({ payment_intent }) => payment_intent === ref);
  }

  #listRefunds(asked: URLSearchParams): Reply {
    const data = this.refundsOf(asked.get("payment_intent") ?? "").reverse();
    return { status: 200, body: { object: "list", url: "/v1/refunds", has_more: false, data } };
  }
}

function refusal(status: number, type: string, code?: string): Reply {
  return { status, body: { error: { type, code, message: "no, says the stand-in" } } };
}

function metadataOf(asked: URLSearchParams): Record<string, string> {
  const found = [...asked].flatMap(([name, value]) => {
    const member = /^metadata\[(\w+)\]$/.exec(name)?.[1];
    return member === undefined ? [] : [[member, value] as const];
  });
  return Object.fromEntries(found);
}
