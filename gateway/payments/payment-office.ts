import type { Clock } from "../../workers/clock.ts";
import type { Counts } from "../../workers/tally.ts";
import { type Config, sandboxSecretOf } from "../config.ts";
import type { Route } from "../http/exchange.ts";
import type { Log } from "../log.ts";
import type { Database } from "../tenancy/database.ts";
import { InboxRunner } from "./inbox-runner.ts";
import { PaymentInbox } from "./payment-inbox.ts";
import { PaymentIntents } from "./payment-intents.ts";
import type { PaymentProvider } from "./payment-provider.ts";
import { paymentRoutes } from "./payment-routes.ts";
import { Payments } from "./payments.ts";
import { PAYMENTS } from "./payments-scope.ts";
import { ProviderTable } from "./provider-table.ts";
import { Reconciler } from "./reconciler.ts";
import { RefundRunner } from "./refund-runner.ts";
import { Refunds } from "./refunds.ts";
import { SandboxProvider } from "./sandbox-provider.ts";
import type { SettlePort } from "./settle-port.ts";
import { StripeProvider } from "./stripe-provider.ts";
import { WorkLoop } from "./work-loop.ts";

export type PaymentConfig = Pick<
  Config,
  "sandboxPayments" | "sandboxWebhookSecret" | "stripe" | "jwtSecret" | "dataDir"
>;

export interface PaymentOfficeOptions {
  readonly config: PaymentConfig;
  readonly database: Database;
  readonly actors: SettlePort;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything about payments on one node, put together. */
export class PaymentOffice {
  readonly payments: Payments;
  readonly routes: readonly Route[];
  readonly #inboxRunner: InboxRunner;
  readonly #refundRunner: RefundRunner;
  readonly #loops: readonly WorkLoop[];

  constructor({ config, database, actors, clock, log }: PaymentOfficeOptions) {
    const rows = database.in(PAYMENTS);
    const sandbox = config.sandboxPayments
      ? new SandboxProvider({ rows, clock, webhookSecret: sandboxSecretOf(config) })
      : null;
    const stripe = config.stripe === null ? null : new StripeProvider(config.stripe);
    const configured: readonly (PaymentProvider | null)[] = [sandbox, stripe];
    const providers = new ProviderTable(configured.filter((provider) => provider !== null));
    const intents = new PaymentIntents(rows);
    const inboxRunner = new InboxRunner({ inbox: new PaymentInbox(rows), actors, clock, log });
    const refunds = new RefundRunner({
      refunds: new Refunds(rows),
      providers,
      actors,
      clock,
      log,
    });
    const reconciler = new Reconciler({ intents, providers, inboxRunner, clock, log });
    this.payments = new Payments({ intents, providers, clock, log });
    this.routes = paymentRoutes({ providers, intents, inboxRunner, sandbox });
    this.#inboxRunner = inboxRunner;
    this.#refundRunner = refunds;
    this.#loops = [
      new WorkLoop({ name: "inbox", runBatch: () => inboxRunner.runBatch(), clock, log }),
      new WorkLoop({ name: "refunds", runBatch: () => refunds.runBatch(), clock, log }),
      new WorkLoop({ name: "reconciler", runBatch: () => reconciler.runBatch(), clock, log }),
    ];
  }

  /** What became of messages and refunds, as `provider outcome`. */
  get outcomes(): { readonly messages: Counts; readonly refunds: Counts } {
    const [messages, refunds] = [this.#inboxRunner.outcomes, this.#refundRunner.outcomes];
    return { messages: messages.counts(), refunds: refunds.counts() };
  }

  /** Once actors can be reached. */
  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  /** While actors and the database can still be reached: waits for what is being worked on. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#inboxRunner.drained();
  }
}
