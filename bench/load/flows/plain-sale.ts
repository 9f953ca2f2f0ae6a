import type { SaleFlowOptions, SoldEvent } from "./sale-ground.ts";

type PlainOptions = Pick<SaleFlowOptions, "tokens" | "lagMs" | "holdTtlSeconds" | "seed">;

/** Everybody who holds books: nobody looks around, drops out or presses twice. */
export function plainSale(event: SoldEvent, options: PlainOptions): SaleFlowOptions {
  return {
    kind: "sale",
    events: [event],
    popularity: 0,
    looksPerVisit: 0,
    dropOutShare: 0,
    giveBackShare: 0,
    repeatShare: 0,
    thinking: null,
    ...options,
  };
}
