/** Pays for bookings with the sandbox, in all the ways in which money and news of it go astray. */
import type { Random } from "../../engine/testing/random.ts";
import { signMessage } from "../../gateway/payments/signed-message.ts";
import type { PaymentShape } from "../support/shapes.ts";
import type { Ledger } from "./ledger.ts";
import { happen, webhook } from "./questions.ts";
import type { Caller, Teller } from "./teller.ts";

export interface PayerOptions {
  readonly teller: Teller;
  readonly ledger: Ledger;
  /** Signs messages as the provider does; null: it is not known. */
  readonly webhookSecret: string | null;
  /** Whether some payments are left to the reconciler and to the end of their window. */
  readonly isPatient: boolean;
}

/** Nobody: a provider has no account. */
export const PROVIDER: Caller = { name: "provider", token: "", prefersLive: false, live: null };

type Money = Pick<PaymentShape, "intentId" | "amount">;

export class Payer {
  readonly #options: PayerOptions;
  /** Money that comes late: with the others, or when all is over. */
  readonly #late: Money[] = [];
  #messages = 0;

  constructor(options: PayerOptions) {
    this.#options = options;
  }

  /** What becomes of a payment that was begun. */
  async pay(payment: Money, random: Random): Promise<void> {
    const { intentId } = payment;
    const mood = random.next();
    if (mood < 0.3) return this.#happen(intentId, "succeed");
    if (mood < 0.4) return this.#twice(intentId);
    if (mood < 0.48) {
      await this.#happen(intentId, "succeed");
      return this.#happen(intentId, "fail");
    }
    if (mood < 0.56) {
      await Promise.all([this.#happen(intentId, "fail"), this.#happen(intentId, "succeed")]);
      return;
    }
    if (mood < 0.64) {
      await this.#happen(intentId, "fail");
      return this.#happen(intentId, "succeed");
    }
    if (mood < 0.72) {
      await this.#happen(intentId, "fail");
      this.#late.push(payment);
      return;
    }
    if (mood < 0.78) return this.#happen(intentId, "fail");
    if (mood < 0.82) {
      this.#options.ledger.mispaid.add(intentId);
      return this.#happen(intentId, "succeed", { amount: payment.amount.amount + 1 });
    }
    if (mood < 0.92) return this.#byWebhook(payment, random);
    if (mood < 0.95) {
      // Nobody hears of it: the reconciler has to ask, unless there is no time for that.
      await this.#happen(intentId, "succeed", { deliver: false });
    }
    if (!this.#options.isPatient) this.#late.push(payment);
  }

  get isPatient(): boolean {
    return this.#options.isPatient;
  }

  /** Pays what is late, if there is any. */
  async payLate(): Promise<void> {
    const payment = this.#late.shift();
    if (payment !== undefined) await this.#happen(payment.intentId, "succeed");
  }

  async payAllLate(): Promise<void> {
    while (this.#late.length > 0) await this.payLate();
  }

  async #happen(intentId: string, what: "succeed" | "fail", body: object = {}): Promise<void> {
    await this.#options.teller.ask(PROVIDER, happen(intentId, what, body));
  }

  /** The same message, twice at once, and once more. */
  async #twice(intentId: string): Promise<void> {
    const body = { eventId: `paid-${intentId}` };
    const pay = (): Promise<void> => this.#happen(intentId, "succeed", body);
    await Promise.all([pay(), pay()]);
    await pay();
  }

  async #byWebhook(payment: Money, random: Random): Promise<void> {
    const { webhookSecret } = this.#options;
    const { intentId, amount } = payment;
    if (webhookSecret === null) return this.#happen(intentId, "succeed");
    const paid = { type: "payment.succeeded", intentId, ...amount };
    if (random.next() < 0.2) {
      await this.#send(paid, "forged", ["400 webhook_signature_invalid"]);
      return this.#happen(intentId, "fail");
    }
    const failed = { type: "payment.failed", intentId };
    const id = `msg-${intentId}`;
    await Promise.all([
      this.#send(paid, webhookSecret, ["200"], id),
      this.#send(paid, webhookSecret, ["200"], id),
      ...(random.next() < 0.3 ? [this.#send(failed, webhookSecret)] : []),
    ]);
    if (random.next() < 0.3) await this.#send(paid, webhookSecret, ["200"], id);
  }

  async #send(
    message: object,
    secret: string,
    expected: readonly string[] = ["200"],
    messageId?: string,
  ): Promise<void> {
    this.#messages += 1;
    const id = messageId ?? `msg-${this.#messages}-${Date.now()}`;
    const signed = signMessage(secret, { id, atMs: Date.now(), body: JSON.stringify(message) });
    await this.#options.teller.ask(PROVIDER, webhook(message, { ...signed }), expected);
  }
}
