/** Payments on a real database, before actors that behave as the engine's do. */
import { randomBytes } from "node:crypto";
import { Pool } from "pg";
import { pino } from "pino";
import { uuidV7 } from "../../engine/ids.ts";
import { HttpServer } from "../../gateway/http/server.ts";
import { InboxRunner } from "../../gateway/payments/inbox-runner.ts";
import { PaymentInbox } from "../../gateway/payments/payment-inbox.ts";
import { type NewIntent, PaymentIntents } from "../../gateway/payments/payment-intents.ts";
import type { PaymentProvider } from "../../gateway/payments/payment-provider.ts";
import { paymentRoutes } from "../../gateway/payments/payment-routes.ts";
import { Payments, type PaymentView } from "../../gateway/payments/payments.ts";
import { PAYMENTS } from "../../gateway/payments/payments-scope.ts";
import { ProviderTable } from "../../gateway/payments/provider-table.ts";
import { Reconciler } from "../../gateway/payments/reconciler.ts";
import { RefundRunner } from "../../gateway/payments/refund-runner.ts";
import { Refunds } from "../../gateway/payments/refunds.ts";
import { SandboxProvider } from "../../gateway/payments/sandbox-provider.ts";
import type {
  RefundNotice,
  Settled,
  Settlement,
  SettlePort,
} from "../../gateway/payments/settle-port.ts";
import { StripeProvider } from "../../gateway/payments/stripe-provider.ts";
import type { Database, Scoped } from "../../gateway/tenancy/database.ts";
import { systemClock } from "../../workers/clock.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { openGatewayDatabase } from "./gateway-database.ts";
import { StripeStandIn } from "./stripe-stand-in.ts";

export const SANDBOX_SECRET = "sandbox-secret-of-the-tests-0123456789";
export const WINDOW_MS = 600_000;

export const freshId = (): string => uuidV7(Date.now(), randomBytes(10));

type BookingStatus = "pending" | "confirmed" | "failed" | "refunded";

interface ActorBooking {
  status: BookingStatus;
  readonly payment: NewIntent;
  /** Whether somebody else has the places, once the hold is over. */
  arePlacesGone: boolean;
}

/**
 * Actors of all events: money confirms a pending booking; after its end it buys the same places
 * or, when they are gone, is sent back by one refund, whose row the projector would write.
 */
export class FakeActors implements SettlePort {
  readonly bookings = new Map<string, ActorBooking>();
  readonly settlements: Settlement[] = [];
  readonly notices: RefundNotice[] = [];
  isBusy = false;
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  booking(intentId: string): ActorBooking {
    const booking = this.bookings.get(intentId);
    if (booking === undefined) throw new Error(`no booking for ${intentId}`);
    return booking;
  }

  async settle(settlement: Settlement): Promise<Settled> {
    if (this.isBusy) return "busy";
    this.settlements.push(settlement);
    const booking = this.bookings.get(settlement.intentId);
    if (booking === undefined) return "unknown";
    if (settlement.outcome !== "succeeded") {
      if (booking.status === "pending") booking.status = "failed";
    } else if (booking.status === "pending") booking.status = "confirmed";
    else if (booking.status === "failed") {
      booking.status = booking.arePlacesGone ? "refunded" : "confirmed";
      if (booking.arePlacesGone) await this.project(booking.payment, freshId());
    }
    return "done";
  }

  /** Writes the row of a refund that an actor decided. */
  async project(payment: NewIntent, refundId: string, amountMinor?: number): Promise<void> {
    await this.#pool.query(
      `INSERT INTO refunds (event_id, refund_id, booking_id, intent_id, provider, amount_minor,
         currency, status, reason, created_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 'due', 'places_gone', $8)`,
      [
        payment.eventId,
        refundId,
        payment.bookingId,
        payment.intentId,
        payment.provider,
        amountMinor ?? payment.amountMinor,
        payment.currency,
        Date.now(),
      ],
    );
  }

  async refunded(notice: RefundNotice): Promise<Settled> {
    if (this.isBusy) return "busy";
    this.notices.push(notice);
    return this.bookings.has(notice.intentId) ? "done" : "unknown";
  }
}

/** Parts of one node; several may stand on one database. */
export interface PaymentNode {
  readonly payments: Payments;
  readonly inboxRunner: InboxRunner;
  readonly refundRunner: RefundRunner;
  readonly reconciler: Reconciler;
  readonly providers: ProviderTable;
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
}

export class PaymentsFixture {
  readonly databaseUrl: string;
  /** Of the owner, whom policies do not concern. */
  readonly pool: Pool;
  readonly database: Database;
  readonly rowsOfPayments: Scoped;
  readonly actors: FakeActors;
  readonly stripe: StripeStandIn;
  readonly intents: PaymentIntents;
  readonly sandbox: SandboxProvider;
  readonly node: PaymentNode;
  readonly logged: (LogLine & Record<string, unknown>)[] = [];
  readonly clock = { ...systemClock, wallMs: () => Date.now() + this.#aheadMs };
  #aheadMs = 0;
  #server: HttpServer | null = null;
  #url = "";
  readonly #drop: () => Promise<void>;
  readonly #end: () => Promise<void>;
  readonly #log = pino(
    { level: "debug" },
    { write: (line: string) => this.logged.push(JSON.parse(line)) },
  );

  private constructor(database: TestDatabase, stripe: StripeStandIn) {
    this.databaseUrl = database.url;
    const pool = new Pool({ connectionString: database.url, max: 5 });
    pool.on("error", () => undefined);
    this.pool = pool;
    const gateway = openGatewayDatabase(database.url);
    this.database = gateway.database;
    this.rowsOfPayments = gateway.database.in(PAYMENTS);
    this.#end = () => gateway.end();
    this.stripe = stripe;
    this.#drop = () => database.drop();
    this.actors = new FakeActors(pool);
    const { clock, rowsOfPayments: rows } = this;
    this.intents = new PaymentIntents(rows);
    this.sandbox = new SandboxProvider({ rows, clock, webhookSecret: SANDBOX_SECRET });
    this.node = this.startNode();
  }

  static async start(): Promise<PaymentsFixture> {
    const database = await createTestDatabase();
    const fixture = new PaymentsFixture(database, await StripeStandIn.start());
    const { node, intents, sandbox } = fixture;
    const { providers, inboxRunner } = node;
    fixture.#server = new HttpServer({
      routes: paymentRoutes({ providers, intents, inboxRunner, sandbox }),
      live: { open: () => undefined, message: () => undefined, close: () => undefined },
      livePath: "/ws",
      log: fixture.#log,
    });
    fixture.#url = `http://127.0.0.1:${await fixture.#server.listen("127.0.0.1", 0)}`;
    return fixture;
  }

  /** Another node, with parts of its own where they are given. */
  startNode(
    own: { providers?: PaymentProvider[]; actors?: SettlePort; rows?: Scoped } = {},
  ): PaymentNode {
    const { clock } = this;
    const rows = own.rows ?? this.rowsOfPayments;
    const intents = new PaymentIntents(rows);
    const log = this.#log;
    const actors = own.actors ?? this.actors;
    const providers = new ProviderTable(own.providers ?? [this.sandbox, this.stripeProvider()]);
    const inboxRunner = new InboxRunner({ inbox: new PaymentInbox(rows), actors, clock, log });
    const refunds = new Refunds(rows);
    return {
      payments: new Payments({ intents, providers, clock, log }),
      inboxRunner,
      refundRunner: new RefundRunner({ refunds, providers, actors, clock, log }),
      reconciler: new Reconciler({ intents, providers, inboxRunner, clock, log }),
      providers,
    };
  }

  stripeProvider(): StripeProvider {
    const { secretKey, webhookSecret, url } = this.stripe;
    return new StripeProvider({ secretKey, webhookSecret, apiUrl: url });
  }

  /** Time passes for everyone but Stripe. */
  pass(ms: number): void {
    this.#aheadMs += ms;
  }

  /** What a desk asks for; the actor has its booking. */
  order(provider: string): NewIntent {
    const payment = {
      provider,
      intentId: freshId(),
      eventId: freshId(),
      bookingId: freshId(),
      amountMinor: 4_500,
      currency: "EUR",
      description: "Concert",
      payUntilMs: this.clock.wallMs() + WINDOW_MS,
    };
    this.actors.bookings.set(payment.intentId, {
      status: "pending",
      payment,
      arePlacesGone: false,
    });
    return payment;
  }

  async begin(provider: string): Promise<{ payment: NewIntent; view: PaymentView }> {
    const payment = this.order(provider);
    return { payment, view: await this.node.payments.begin(payment) };
  }

  /** Answers status and decoded body. `path` is relative to /api/v1/payments. */
  async post(
    path: string,
    body: string | object = "",
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.#url}/api/v1/payments${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async rows(sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.pool.query<Record<string, unknown>>(sql, [...values])).rows;
  }

  refundRows(intentId: string): Promise<Record<string, unknown>[]> {
    return this.rows("SELECT * FROM refunds WHERE intent_id = $1", [intentId]);
  }

  errors(): string[] {
    return this.logged.filter(({ level }) => level >= 50).map(({ msg }) => msg);
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.node.inboxRunner.drained();
    await this.stripe.stop();
    await this.#end();
    await this.pool.end();
    await this.#drop();
  }
}
