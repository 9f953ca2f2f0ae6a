/** Parts of a payment node that fail, before or after they did what they were asked. */
import type { PaymentProvider } from "../../gateway/payments/payment-provider.ts";
import { ProviderUnavailable } from "../../gateway/payments/payment-provider.ts";
import type { SettlePort } from "../../gateway/payments/settle-port.ts";
import type { Queries, Scoped } from "../../gateway/tenancy/database.ts";

/** From 0 to 1. */
export type Random = () => number;

/** Source: Tommy Ettinger's mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Does it, and throws in one of `1 / rarity` cases: half of the time before, half after. */
export async function mayFail<T>(
  random: Random,
  act: () => Promise<T>,
  failure: () => Error,
): Promise<T> {
  const draw = random();
  if (draw < 0.06) throw failure();
  const result = await act();
  if (draw > 0.94) throw failure();
  return result;
}

const lost = (): Error => new Error("Connection terminated by the test");

/** Statements that get lost, in transactions too, a COMMIT's answer included. */
export function faultyRows(inner: Scoped, random: Random): Scoped {
  return {
    ...faultyQueries(inner, random),
    transaction: (work) =>
      mayFail(
        random,
        () => inner.transaction((client) => work(faultyQueries(client, random))),
        lost,
      ),
  };
}

function faultyQueries(inner: Queries, random: Random): Queries {
  return {
    query: (statement, values) => mayFail(random, () => inner.query(statement, values), lost),
  };
}

export function faultyProvider(inner: PaymentProvider, random: Random): PaymentProvider {
  const down = (): Error => new ProviderUnavailable("the test hung up");
  return {
    name: inner.name,
    webhookHeaders: inner.webhookHeaders,
    begin: (order) => mayFail(random, () => inner.begin(order), down),
    resume: (intent) => mayFail(random, () => inner.resume(intent), down),
    cancel: (intent) => mayFail(random, () => inner.cancel(intent), down),
    lookUp: (intent) => mayFail(random, () => inner.lookUp(intent), down),
    refund: (order) => mayFail(random, () => inner.refund(order), down),
    readWebhook: (headers, body) => inner.readWebhook(headers, body),
  };
}

/** Busy now and then, too. */
export function faultyActors(inner: SettlePort, random: Random): SettlePort {
  const busyOr = <T>(act: () => Promise<T>): Promise<T | "busy"> =>
    random() < 0.1 ? Promise.resolve("busy" as const) : mayFail(random, act, lost);
  return {
    settle: (settlement) => busyOr(() => inner.settle(settlement)),
    refunded: (notice) => busyOr(() => inner.refunded(notice)),
  };
}
