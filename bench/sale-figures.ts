import type { HttpLoadResult } from "./load/http-load-messages.ts";
import type { Figure } from "./report/report.ts";

/** How a sale of so many seats went: what of a `SaleFlow`'s counts it takes two to tell. */
export function saleFigures({ findings, seconds }: HttpLoadResult, seats: number): Figure[] {
  const { counts } = findings;
  const of = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const percent = (part: number, all: number): number => (100 * part) / Math.max(1, all);
  const sold = of("places sold");
  const buyers = of("buyers");
  const ofBuyers = (name: string, count: number): Figure => {
    return { name: `buyers who ${name}`, value: percent(count, buyers), unit: "%" };
  };
  const refused = of("collisions");
  const dropOuts = of("given back", "left without a word", "too late to book");
  return [
    { name: "seats sold", value: percent(sold, seats), unit: "% of all" },
    { name: "until the last answer", value: seconds, unit: "s" },
    { name: "seats sold a second", value: seconds === 0 ? 0 : sold / seconds, unit: "" },
    { name: "holds refused", value: percent(refused, refused + of("holds confirmed")), unit: "%" },
    ofBuyers("got seats", of("buyers who booked")),
    ofBuyers("gave up", of("went away without")),
    ofBuyers("dropped out", dropOuts),
  ];
}
