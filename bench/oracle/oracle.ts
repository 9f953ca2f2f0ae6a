import { type Acknowledgement, unpacked } from "../load/acknowledgements.ts";
import { PRICE_MINOR } from "../price.ts";
import type { Check } from "../report/report.ts";
import type { Progress } from "../scenario.ts";
import {
  type Case,
  type EventEvidence,
  type Evidence,
  gatherEvidence,
  type Seen,
} from "./evidence.ts";

/** Findings that a check shows; the rest is counted. */
const SHOWN_MAX = 5;

/** What buyers of one event were told. */
interface Told {
  readonly holds: readonly Acknowledgement[];
  readonly bookings: readonly Acknowledgement[];
  readonly unknownHeld: number;
  readonly unknownSold: number;
}

/**
 * The oracle: whether what buyers were told is what there is. It trusts neither side: what the
 * load was told is compared with the availability, with memory and database by the server's audit,
 * and, booking by booking, with what the database has, as the organiser reads it.
 */
export async function consultOracle(given: Case, progress: Progress): Promise<Check[]> {
  return verdictOn(await gatherEvidence(given, progress));
}

/** The verdict alone: the same evidence, the same verdict. */
export function verdictOn(evidence: Evidence): Check[] {
  const each = (
    name: string,
    find: (event: EventEvidence, told: Told) => readonly string[],
    looked: (told: Told, event: EventEvidence) => number,
  ): Check => {
    const objections: string[] = [];
    let count = 0;
    for (const [index, event] of evidence.events.entries()) {
      const toldOf = told[index];
      if (toldOf === undefined) continue;
      for (const objection of find(event, toldOf)) objections.push(objection);
      count += looked(toldOf, event);
    }
    return check(name, objections, count === 0 ? "nothing to look at" : `${count} looked at`);
  };
  const told = toldByEvent(evidence);
  const bookingsTold = ({ bookings }: Told): number => bookings.length;
  const seatsTold = ({ bookings }: Told): number =>
    bookings.reduce((sum, { places }) => sum + places.filter(isSeat).length, 0);
  const bookingsStored = (_: Told, { bookings }: EventEvidence): number =>
    bookings.ok ? bookings.value.length : 0;
  return [
    somethingWasSold(told),
    check(
      "PostgreSQL has everything",
      objectionsTo(evidence.isProjected, isProjected),
      "waited for",
    ),
    each("no seat was confirmed to two buyers", confirmedTwice, seatsTold),
    each(
      "the availability is what buyers were told, and adds up",
      ({ event, availability }, t) =>
        prefixed(event.eventId, availability, (seen) =>
          availabilityObjections(seen, t, event.capacity, evidence.holdsHaveEnded),
        ),
      () => 1,
    ),
    each(
      "memory and database agree",
      ({ event, audit }) =>
        prefixed(event.eventId, audit, ({ ok, drift }) =>
          ok && drift.length === 0 ? [] : ["the audit found drift", ...drift],
        ),
      () => 1,
    ),
    each("every confirmed booking is in the database, with its places", missing, bookingsTold),
    each("every booking costs what its places do", mispriced, bookingsStored),
    each("no seat is in two bookings of the database", storedTwice, bookingsStored),
    each("nothing was sold that nobody was told of", unheardOf, bookingsStored),
    check(
      "no answer was one that must not be",
      evidence.loads.flatMap(({ faults }) => faults),
      "every answer looked at",
    ),
    ...evidence.loads.flatMap(({ checks = [] }) => checks),
  ];
}

function check(name: string, objections: readonly string[], otherwise: string): Check {
  const shown = objections.slice(0, SHOWN_MAX).join("; ");
  const more = objections.length - SHOWN_MAX;
  const detail = more > 0 ? `${shown}; and ${more} more` : shown;
  return { name, ok: objections.length === 0, detail: detail === "" ? otherwise : detail };
}

/** What could not be looked at is an objection: silence proves nothing. */
function objectionsTo<T>(seen: Seen<T>, find: (value: T) => readonly string[]): readonly string[] {
  return seen.ok ? find(seen.value) : [`could not be checked: ${seen.reason}`];
}

function prefixed<T>(
  eventId: string,
  seen: Seen<T>,
  find: (value: T) => readonly string[],
): readonly string[] {
  return objectionsTo(seen, find).map((objection) => `event ${eventId}: ${objection}`);
}

const isProjected = (isIt: boolean): readonly string[] =>
  isIt ? [] : ["it still lacked some after a minute"];

function toldByEvent({ events, loads }: Evidence): Told[] {
  const told = events.map(() => ({
    holds: [] as Acknowledgement[],
    bookings: [] as Acknowledgement[],
    unknownHeld: 0,
    unknownSold: 0,
  }));
  for (const { acknowledged } of loads) {
    for (const hold of unpacked(acknowledged.holds)) told[hold.event]?.holds.push(hold);
    for (const booking of unpacked(acknowledged.bookings)) {
      told[booking.event]?.bookings.push(booking);
    }
    for (const [event, places] of acknowledged.unknownHeld) {
      const of = told[event];
      if (of !== undefined) of.unknownHeld += places;
    }
    for (const [event, places] of acknowledged.unknownSold) {
      const of = told[event];
      if (of !== undefined) of.unknownSold += places;
    }
  }
  return told;
}

/** A load that was told nothing proves nothing. */
function somethingWasSold(told: readonly Told[]): Check {
  const holds = told.reduce((sum, of) => sum + of.holds.length, 0);
  const bookings = told.reduce((sum, of) => sum + of.bookings.length, 0);
  const objections = holds + bookings === 0 ? ["no hold and no booking was confirmed"] : [];
  const detail = `${bookings} bookings, and ${holds} holds that were not booked`;
  return check("something was sold or held", objections, detail);
}

/** A place of an area has no number. */
const isSeat = (place: number): boolean => place !== -1;

const placesOf = (list: readonly Acknowledgement[]): number =>
  list.reduce((sum, { places }) => sum + places.length, 0);

/** Among bookings; a hold may have ended, and its seats be sold to others. */
function confirmedTwice({ event }: EventEvidence, { bookings }: Told): string[] {
  const owners = new Map<number, string>();
  const ids = new Set<string>();
  const objections: string[] = [];
  for (const { id, places } of bookings) {
    if (ids.has(id)) objections.push(`booking ${id} was confirmed to two buyers`);
    ids.add(id);
    for (const place of places) {
      const owner = isSeat(place) ? owners.get(place) : undefined;
      if (owner !== undefined) {
        const seat = event.seatIds?.[place] ?? place;
        objections.push(`seat ${seat} of event ${event.eventId} is in ${owner} and in ${id}`);
      }
      if (isSeat(place)) owners.set(place, id);
    }
  }
  return objections;
}

function availabilityObjections(
  {
    capacity,
    free,
    held,
    sold,
    blocked,
  }: Record<"capacity" | "free" | "held" | "sold" | "blocked", number>,
  told: Told,
  expectedCapacity: number,
  holdsHaveEnded: boolean,
): string[] {
  const [soldMin, heldMin] = [placesOf(told.bookings), holdsHaveEnded ? 0 : placesOf(told.holds)];
  const soldMax = soldMin + told.unknownSold;
  const heldMax = holdsHaveEnded ? 0 : heldMin + told.unknownHeld;
  const objections: string[] = [];
  if (free + held + sold + blocked !== capacity) {
    objections.push(
      `${free} free + ${held} held + ${sold} sold + ${blocked} blocked ≠ ${capacity}`,
    );
  }
  if (capacity !== expectedCapacity) {
    objections.push(`there are ${capacity} places, not ${expectedCapacity}`);
  }
  if (sold < soldMin || sold > soldMax) {
    objections.push(`${sold} sold, confirmed were ${range(soldMin, soldMax)}`);
  }
  if (held < heldMin || held > heldMax) {
    objections.push(`${held} held, confirmed were ${range(heldMin, heldMax)}`);
  }
  return objections;
}

const range = (min: number, max: number): string =>
  min === max ? String(min) : `${min}, and up to ${max - min} whose answer was lost`;

function missing({ event, bookings }: EventEvidence, told: Told): readonly string[] {
  return prefixed(event.eventId, bookings, (stored) => {
    const known = new Map(stored.map((booking) => [booking.id, booking]));
    return told.bookings.flatMap(({ id, places }) => {
      const booking = known.get(id);
      if (booking === undefined) return [`booking ${id} is not in the database`];
      const seats = places.filter(isSeat);
      const wanted = seats.map((seat) => event.seatIds?.[seat] ?? "").sort();
      const areaPlaces = places.length - seats.length;
      const isSame =
        booking.areaPlaces === areaPlaces &&
        booking.seats.toSorted().join(" ") === wanted.join(" ");
      if (isSame) return [];
      const has = `${booking.seats.join(", ")} and ${booking.areaPlaces} of the area`;
      return [`booking ${id} has ${has}, not ${wanted.join(", ")} and ${areaPlaces}`];
    });
  });
}

/** As buyers were told, and as places cost here. */
function mispriced({ event, bookings }: EventEvidence, told: Told): readonly string[] {
  return prefixed(event.eventId, bookings, (stored) => {
    const totals = new Map(told.bookings.map(({ id, totalMinor }) => [id, totalMinor ?? null]));
    return stored.flatMap(({ id, totalMinor, pricesMinor }) => {
      const toldMinor = totals.get(id) ?? null;
      const dueMinor = pricesMinor.length * PRICE_MINOR;
      const others = pricesMinor.filter((price) => price !== PRICE_MINOR);
      return [
        ...(toldMinor === null || toldMinor === totalMinor
          ? []
          : [`booking ${id} was confirmed at ${toldMinor}, and is stored at ${totalMinor}`]),
        ...(totalMinor === dueMinor && others.length === 0
          ? []
          : [`booking ${id} costs ${totalMinor}, ${pricesMinor.join(" + ")}, not ${dueMinor}`]),
      ];
    });
  });
}

function storedTwice({ event, bookings }: EventEvidence): readonly string[] {
  return prefixed(event.eventId, bookings, (stored) => {
    const owners = new Map<string, string>();
    const objections: string[] = [];
    for (const { id, seats } of stored) {
      for (const seat of seats) {
        const owner = owners.get(seat);
        if (owner !== undefined) objections.push(`seat ${seat} is in ${owner} and in ${id}`);
        owners.set(seat, id);
      }
    }
    const areaPlaces = stored.reduce((sum, booking) => sum + booking.areaPlaces, 0);
    if (owners.size + areaPlaces > event.capacity) {
      objections.push(`${owners.size + areaPlaces} sold of ${event.capacity}`);
    }
    return objections;
  });
}

function unheardOf({ event, bookings }: EventEvidence, told: Told): readonly string[] {
  return prefixed(event.eventId, bookings, (stored) => {
    const heardOf = new Set(told.bookings.map(({ id }) => id));
    const others = stored.filter(({ id }) => !heardOf.has(id));
    const places = others.reduce(
      (sum, { seats, areaPlaces }) => sum + seats.length + areaPlaces,
      0,
    );
    if (places <= told.unknownSold) return [];
    const lost = `${told.unknownSold} places are of answers that were lost`;
    return [`${places} places in ${others.length} bookings that nobody was told of; ${lost}`];
  });
}
