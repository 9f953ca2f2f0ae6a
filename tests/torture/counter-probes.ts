/**
 * Whether the counters that nobody sees have drifted: limits are set to what should be in use, and
 * one more is asked for.
 */
import type { BookingShape, EventShape, HoldShape, Problem } from "../support/shapes.ts";
import { type Outcome, standing } from "./booking-checks.ts";
import type { Customer } from "./customer.ts";
import { read } from "./event-log.ts";
import * as ask from "./questions.ts";
import { PROMO_CODES, type Stage } from "./scenery.ts";
import type { Caller, Teller } from "./teller.ts";

export interface ProbeAsk {
  readonly teller: Teller;
  readonly organiser: Caller;
  readonly customers: readonly Customer[];
  /** Guests without anything. */
  readonly fresh: Caller;
}

const NO_BOUNDS: { readonly uses?: number; readonly usesPerUser?: number } = {};
const CUSTOMERS_PROBED_MAX = 60;

export interface ProbeReport {
  promoCodes: number;
  customers: number;
}

export async function probeCounters(
  { stage, log, bookings }: Outcome,
  ownerOf: (booking: BookingShape) => Caller | null,
  given: ProbeAsk,
): Promise<ProbeReport> {
  const report = { promoCodes: 0, customers: 0 };
  if (stage.isCancelled || stage.areas.length === 0) return report;
  const probe = new Probe(stage, given);
  await probe.makeRoom();
  const standingOnes = bookings.filter((booking) => standing(booking).length > 0);
  for (const promo of stage.promoCodes.length > 0 ? PROMO_CODES.slice(0, 3) : []) {
    const used = standingOnes.filter(({ promoCode }) => promoCode === promo.code).length;
    await probe.promoUses(promo, used);
    report.promoCodes += 1;
  }
  const places = new Map<Caller, number>();
  for (const booking of standingOnes) {
    const owner = ownerOf(booking);
    if (owner === null) continue;
    places.set(owner, (places.get(owner) ?? 0) + standing(booking).length);
  }
  const late = new Set(
    log.flatMap(({ change, bookingId }) => (change === "paid_late" ? [bookingId] : [])),
  );
  const received = new Set(
    log.flatMap(({ change, bookingId }) => (change === "transferred" ? [bookingId] : [])),
  );
  checkLimits(
    stage,
    standingOnes,
    { ownerOf, isSpared: (id) => late.has(id) || received.has(id) },
    given.teller,
  );
  const some = given.customers.slice(0, CUSTOMERS_PROBED_MAX);
  for (const customer of some) {
    await probe.placesOf(customer, places.get(customer) ?? 0);
    report.customers += 1;
  }
  return report;
}

/** What was bought by its owner, in time, was within the limits. */
function checkLimits(
  stage: Stage,
  bookings: readonly BookingShape[],
  {
    ownerOf,
    isSpared,
  }: {
    readonly ownerOf: (booking: BookingShape) => Caller | null;
    readonly isSpared: (bookingId: string) => boolean;
  },
  { faults }: Teller,
): void {
  const places = new Map<Caller, number>();
  const uses = new Map<string, number>();
  for (const booking of bookings) {
    const owner = ownerOf(booking);
    if (owner === null || isSpared(booking.id)) continue;
    places.set(owner, (places.get(owner) ?? 0) + standing(booking).length);
    const { promoCode } = booking;
    if (promoCode === undefined) continue;
    for (const key of [promoCode, `${promoCode} ${owner.name}`]) {
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  }
  for (const [owner, count] of places) {
    faults.check(
      count <= stage.perUserMax,
      () => `${stage.name}: ${owner.name} has ${count} places`,
    );
  }
  for (const [key, count] of uses) {
    const [code, ...name] = key.split(" ");
    const promo = PROMO_CODES.find((each) => each.code === code);
    if (promo === undefined) continue;
    const { uses: usesMax = count, usesPerUser = count } = { ...NO_BOUNDS, ...promo };
    const most = name.length === 0 ? usesMax : usesPerUser;
    faults.check(count <= most, () => `${stage.name}: ${key} used ${count} times of ${most}`);
  }
}

class Probe {
  readonly #stage: Stage;
  readonly #given: ProbeAsk;
  readonly #area: string;
  #keys = 0;

  constructor(stage: Stage, given: ProbeAsk) {
    this.#stage = stage;
    this.#given = given;
    this.#area = stage.areas[0] ?? "";
  }

  /** A few places more, which nobody else asks for now. */
  async makeRoom(): Promise<void> {
    const { teller } = this.#given;
    const { eventId } = this.#stage;
    const event = await read(teller, this.#given.organiser, ask.availability(eventId));
    const { areas, capacity } = event as {
      areas: { key: string; capacity: number }[];
      capacity: number;
    };
    const area = areas.find(({ key }) => key === this.#area);
    if (area === undefined) return;
    this.#stage.capacities.add(capacity - this.#stage.seats.length + 10);
    const more = [{ key: this.#area, capacity: area.capacity + 10 }];
    await read(teller, this.#given.organiser, ask.inventory(eventId, { areas: more }));
  }

  /** `used` uses are in use: one less is used up, and one more lets one in. */
  async promoUses(promo: (typeof PROMO_CODES)[number], used: number): Promise<void> {
    const { code } = promo;
    const { usesPerUser: _, ...rest } = { usesPerUser: 0, ...promo };
    const limit = async (uses: number): Promise<void> => {
      await this.#patch({ promoCodes: [{ ...rest, uses }] });
    };
    const who = this.#given.fresh;
    await limit(used);
    await this.#hold(who, { promoCode: code }, "409 promo_not_valid");
    await limit(used + 1);
    const hold = await this.#hold(who, { promoCode: code }, "201");
    await this.#hold(who, { promoCode: code }, "409 promo_not_valid");
    if (hold === null) return;
    await this.#release(who, hold);
    const again = await this.#hold(who, { promoCode: code }, "201");
    if (again !== null) await this.#release(who, again);
  }

  /** The buyer has so many places: the refusal of one more says so. */
  async placesOf(customer: Customer, count: number): Promise<void> {
    const most = Math.max(1, count);
    await this.#patch({ limits: { perUser: most, perOrder: most } });
    // Who has none may have the one.
    const first = count === 0 ? await this.#hold(customer, {}, "201") : null;
    const refused = await this.#hold(customer, {}, "409 limit_exceeded");
    if (first !== null) await this.#release(customer, first);
    const { scope, current } = (refused ?? {}) as Partial<Problem>;
    this.#given.teller.faults.check(
      scope === "perUser" && current === most,
      () => `${this.#stage.name}: ${customer.name} has ${most} places, not ${current} (${scope})`,
    );
  }

  async #hold(who: Caller, more: object, expected: string): Promise<HoldShape | Problem | null> {
    this.#keys += 1;
    const body = { items: [{ area: this.#area, quantity: 1 }], ...more };
    const question = ask.hold(this.#stage.eventId, body, `probe-${this.#keys}`);
    const answer = await this.#given.teller.ask(who, { ...question, kind: "probe" }, [expected]);
    return answer === null ? null : (answer.body as HoldShape | Problem);
  }

  async #release(who: Caller, hold: object): Promise<void> {
    if ("id" in hold) await this.#given.teller.ask(who, ask.release(String(hold.id)));
  }

  async #patch(body: object): Promise<void> {
    const question = { ...ask.patchEvent(this.#stage.eventId, body), kind: "probe.patch" };
    const event = await read(this.#given.teller, this.#given.organiser, question);
    const { id } = (event ?? {}) as Partial<EventShape>;
    this.#given.teller.faults.check(id === this.#stage.eventId, () => `${question.path}: no event`);
  }
}
