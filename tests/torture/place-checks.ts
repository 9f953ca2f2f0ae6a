/** Every place is free, sold or kept exactly as the bookings and the organiser's changes say. */
import type { AvailabilityShape, ItemShape } from "../support/shapes.ts";
import { type Outcome, standing } from "./booking-checks.ts";
import { KeptPlaces } from "./event-log.ts";
import type { Ledger } from "./ledger.ts";
import type { Faults } from "./teller.ts";

interface Place extends ItemShape {
  readonly bookingId: string;
  readonly channel: string | null;
}

export function checkPlaces(
  { stage, log, bookings }: Outcome,
  availability: AvailabilityShape,
  { ledger, faults }: { readonly ledger: Ledger; readonly faults: Faults },
): void {
  const fault = (what: string): void => faults.add(`${stage.name}: ${what}`);
  const places: Place[] = bookings.flatMap((booking) => {
    const channel = ledger.holds.get(booking.holdId)?.channel ?? null;
    return standing(booking).map((ticket) => ({ ...ticket, bookingId: booking.id, channel }));
  });
  const names = new Set(stage.seats.map(({ id }) => id));
  const kept = new KeptPlaces(log, (name) => names.has(name));
  const owners = new Map<string, string>();
  for (const { seat, bookingId } of places) {
    if (seat === undefined) continue;
    const other = owners.get(seat);
    if (other !== undefined) fault(`seat ${seat} is in ${other} and in ${bookingId}`);
    owners.set(seat, bookingId);
  }
  const statuses = stage.seats.map(({ id }) =>
    owners.has(id) ? "s" : kept.seats.has(id) ? "b" : "f",
  );
  for (const [index, { id }] of stage.seats.entries()) {
    const [is, should] = [availability.statuses?.[index], statuses[index]];
    if (is !== should) fault(`seat ${id} is ${is}, and by its bookings and blocks ${should}`);
  }
  for (const area of availability.areas) checkArea(area, places, kept, fault);
  const sold = places.length;
  if (availability.sold !== sold) fault(`${availability.sold} are sold, and ${sold} have tickets`);
  if (availability.held !== 0) fault(`${availability.held} are held for ever`);
  const { free, held, blocked, capacity } = availability;
  const sum = free + held + availability.sold + blocked;
  if (sum !== capacity) fault(`${sum} places of ${capacity}`);
}

function checkArea(
  area: AvailabilityShape["areas"][number],
  places: readonly Place[],
  kept: KeptPlaces,
  fault: (what: string) => void,
): void {
  const mine = places.filter((place) => place.area === area.key);
  const blocked = [...(kept.areas.get(area.key) ?? [])].reduce((sum, [channel, quantity]) => {
    const used = mine.filter((place) => place.channel === channel).length;
    return sum + quantity - used;
  }, 0);
  const capacity = kept.capacities.get(area.key) ?? area.capacity;
  const should = { capacity, sold: mine.length, held: 0, blocked };
  const free = capacity - mine.length - blocked;
  const { key, ...is } = area;
  const told = { ...is, blocked: area.blocked ?? 0 };
  for (const [name, count] of Object.entries({ ...should, free })) {
    const seen = new Map(Object.entries(told)).get(name);
    if (seen !== count) fault(`area ${key} has ${name} ${seen}, and by its bookings ${count}`);
  }
}

/** Every place costs what the price list, the code, the fees and the tax make of it. */
export function checkPrice(item: ItemShape, isTaxIncluded: boolean): string | null {
  const { price, discount = 0, fee = 0, tax = 0, due = price } = item;
  const base = price - discount;
  if (base < 0) return "the discount is above the price";
  if (base === 0) return fee + tax + due === 0 ? null : "what costs nothing bears a charge";
  const expectedFee = isTaxIncluded
    ? 150 + halfEven(base * 250, 10_000)
    : halfEven(base * 725, 10_000);
  const gross = base + expectedFee;
  const expectedTax = isTaxIncluded
    ? halfEven(gross * 1_900, 11_900)
    : halfEven(gross * 888, 10_000);
  const expectedDue = isTaxIncluded ? gross : gross + expectedTax;
  const isRight = fee === expectedFee && tax === expectedTax && due === expectedDue;
  return isRight
    ? null
    : `${fee}, ${tax}, ${due} and not ${expectedFee}, ${expectedTax}, ${expectedDue}`;
}

function halfEven(dividend: number, divisor: number): number {
  const whole = Math.floor(dividend / divisor);
  const twice = 2 * (dividend - whole * divisor);
  if (twice === divisor) return whole + (whole % 2);
  return twice > divisor ? whole + 1 : whole;
}
