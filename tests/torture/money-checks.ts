/** The provider's books against the bookings: who paid what, and what went back, to the cent. */
import { Client } from "pg";
import type { BookingShape } from "../support/shapes.ts";
import { dueOf, type Outcome, standing } from "./booking-checks.ts";
import type { Ledger } from "./ledger.ts";
import type { Faults } from "./teller.ts";

export interface Books {
  /** What the provider took, by intent. */
  readonly paid: ReadonlyMap<string, number>;
  /** What it gave back: amounts by refund, by intent. */
  readonly refunds: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** The sandbox's ledger, in its own tables. */
export async function readBooks(databaseUrl: string): Promise<Books> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const intents = await client.query<{ intent_id: string; paid_minor: string }>(
      "SELECT intent_id, paid_minor FROM sandbox_intents",
    );
    const given = await client.query<{
      intent_id: string;
      refund_id: string;
      amount_minor: string;
    }>("SELECT intent_id, refund_id, amount_minor FROM sandbox_refunds");
    const refunds = new Map<string, Map<string, number>>();
    for (const { intent_id, refund_id, amount_minor } of given.rows) {
      const known = refunds.get(intent_id) ?? new Map<string, number>();
      refunds.set(intent_id, known.set(refund_id, Number(amount_minor)));
    }
    const paid = intents.rows.map((row) => [row.intent_id, Number(row.paid_minor)] as const);
    return { paid: new Map(paid), refunds };
  } finally {
    await client.end();
  }
}

export interface MoneyReport {
  paid: number;
  refunded: number;
  refunds: number;
}

export function checkMoney(
  outcomes: readonly Outcome[],
  books: Books,
  { ledger, faults }: { readonly ledger: Ledger; readonly faults: Faults },
): MoneyReport {
  const known = new Set<string>();
  for (const { bookings } of outcomes) {
    for (const booking of bookings) {
      const { payment } = booking;
      if (payment === undefined) continue;
      known.add(payment.intentId);
      const wrong = faultOf(booking, books, ledger.mispaid.has(payment.intentId));
      if (wrong !== null) faults.add(`booking ${booking.id} (${booking.status}): ${wrong}`);
    }
  }
  for (const [intentId, paid] of books.paid) {
    faults.check(
      known.has(intentId),
      () => `${paid} was paid for ${intentId}, which no booking has`,
    );
  }
  const refunds = [...books.refunds.values()].flatMap((given) => [...given.values()]);
  return {
    paid: sum(books.paid.values()),
    refunded: sum(refunds),
    refunds: refunds.length,
  };
}

function faultOf(
  booking: BookingShape,
  { paid, refunds }: Books,
  isMispaid: boolean,
): string | null {
  const { payment } = booking;
  if (payment === undefined) return null;
  const { intentId, amount, status } = payment;
  const came = paid.get(intentId) ?? 0;
  const given = refunds.get(intentId) ?? new Map<string, number>();
  const kept = came - sum(given.values());
  const worth = status === "paid" ? sum(standing(booking).map(dueOf)) : 0;
  if (kept !== worth) return `${came} came, ${came - kept} went back, its tickets cost ${worth}`;
  if (status !== "paid") {
    // Money that was not what was asked for goes back as it came, under the intent's own id.
    const isOnce = given.size <= 1 && [...given.keys()].every((id) => id === intentId);
    return (came === 0 || isMispaid) && isOnce ? null : `${came} came for a payment that ${status}`;
  }
  if (came !== amount.amount) return `${came} came for ${amount.amount}`;
  for (const refund of payment.refunds) {
    if (refund.status !== "done") return `refund ${refund.id} is ${refund.status}`;
    const { id, amount: back } = refund;
    if (given.get(id) !== back.amount) return `refund ${id} of ${back.amount} is not in the books`;
  }
  return given.size === payment.refunds.length ? null : "more went back than the booking knows";
}

function sum(amounts: Iterable<number>): number {
  let all = 0;
  for (const amount of amounts) all += amount;
  return all;
}
