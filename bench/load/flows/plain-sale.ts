import type { SaleFlowOptions, SoldEvent } from "./sale-ground.ts";

/** Everybody who holds books: nobody looks around, drops out or presses twice. */
export function plainSale(
  event: SoldEvent,
  options: Pick<SaleFlowOptions, "tokens" | "lagMs" | "holdTtlSeconds" | "seed">,
): SaleFlowOptions {
  return {
    kind: "sale",
    events: [event],
    popularity: 0,
    looksPerVisit: 0,
    dropOutShare: 0,
    repeatShare: 0,
    ...options,
  };
}
