/** Batches that no engine would make, so that the database's last lines can be seen to hold. */
import type { BookingId, EventId, HoldId } from "../../engine/ids.ts";
import { placeOfArea } from "../../engine/place.ts";
import type { Random } from "../../engine/testing/random.ts";
import type { EventAdvance, NetEffects } from "../../workers/projector/net-effects.ts";

/** null: the effects have nothing to do it with. */
type Mutation = (effects: NetEffects, known: Known) => NetEffects | null;

/** What earlier batches left behind. */
export interface Known {
  readonly random: Random;
  readonly eventId: EventId;
  /** One that nothing else has: what is read in the order of seq would come in no order. */
  readonly seq: number;
  readonly holdIds: readonly HoldId[];
  readonly bookings: NetEffects["bookingsMade"];
}

/** An id of the same event that nothing else has. */
function fresh<Id extends HoldId | BookingId>(id: Id, random: Random): Id {
  const counter = random.below(4096).toString(16).padStart(3, "0");
  return `0f${id.slice(2, 15)}${counter}${id.slice(18)}` as Id;
}

function someEvent(effects: NetEffects, change: (event: EventAdvance) => EventAdvance) {
  const [first, ...others] = effects.events;
  return first === undefined ? null : { ...effects, events: [change(first), ...others] };
}

/** Books what is booked already, with other ids and codes where `as` says so. */
function bookedAgain(effects: NetEffects, { random, bookings, seq }: Known, as: Again) {
  const standing = bookings.filter(({ cancelled }) => cancelled === null);
  if (standing.length === 0) return null;
  const { record, ...made } = random.pick(standing);
  const bookingId = as.bookingId ? fresh(record.bookingId, random) : record.bookingId;
  const holdId = as.holdId ? fresh(record.holdId, random) : record.holdId;
  const ticketCodes = record.ticketCodes.map((code) => (as.codes ? `${code}${holdId}` : code));
  const items = record.items.map((item) => (as.places ? { ...item, place: placeOfArea(0) } : item));
  const again = { ...made, seq, record: { ...record, bookingId, holdId, ticketCodes, items } };
  return { ...effects, bookingsMade: [...effects.bookingsMade, again] };
}

interface Again {
  readonly bookingId?: true;
  readonly holdId?: true;
  readonly codes?: true;
  readonly places?: true;
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "a booking with the id of another": (effects, known) =>
    bookedAgain(effects, known, { holdId: true, codes: true, places: true }),
  "a ticket with the id of another": (effects, known) =>
    bookedAgain(effects, known, { bookingId: true, codes: true, places: true }),
  "a ticket with the code of another": (effects, known) =>
    bookedAgain(effects, known, { bookingId: true, holdId: true, places: true }),
  "a seat that is sold twice": (effects, known) =>
    bookedAgain(effects, known, { bookingId: true, holdId: true, codes: true }),
  "all of a booking again": (effects, known) => bookedAgain(effects, known, {}),
  "a hold with the id of another": (effects, { random, eventId, holdIds }) => {
    const [made] = effects.holdsMade;
    if (made === undefined || holdIds.length === 0) return null;
    const hold = { ...made.hold, holdId: random.pick(holdIds) };
    return { ...effects, holdsMade: [...effects.holdsMade, { eventId, hold, ended: null }] };
  },
  "a hold that is made twice": (effects) => {
    const [made] = effects.holdsMade;
    return made === undefined ? null : { ...effects, holdsMade: [...effects.holdsMade, made] };
  },
  "an area that is overfull": (effects, { eventId }) => ({
    ...effects,
    areas: [{ eventId, area: 0, held: 0, sold: 1_000 }],
  }),
  "an area with less than nothing": (effects, { eventId }) => ({
    ...effects,
    areas: [{ eventId, area: 0, held: -1_000, sold: 1_000 }],
  }),
  "an area that does not exist": (effects, { eventId }) => ({
    ...effects,
    areas: [...effects.areas, { eventId, area: 7, held: 0, sold: 0 }],
  }),
  "an area that shrinks below what it holds": (effects, { eventId }) => {
    const change = effects.events.find((event) => event.definition !== null);
    if (change?.definition == null || change.eventId !== eventId) return null;
    const areas = change.definition.areas.map((area) => ({ ...area, capacity: 0 }));
    const definition = { ...change.definition, areas };
    const events = effects.events.map((event) =>
      event === change ? { ...change, definition } : event,
    );
    return { ...effects, events };
  },
  "the end of a hold that nobody made": (effects, { eventId, random, seq, holdIds }) => {
    if (holdIds.length === 0) return null;
    const holdId = fresh(random.pick(holdIds), random);
    const change = { eventId, holdId, seq, expiresAtMs: null, ended: null };
    return { ...effects, holdChanges: [...effects.holdChanges, change] };
  },
  "an extension of any hold there ever was": (effects, { eventId, random, seq, holdIds }) => {
    if (holdIds.length === 0) return null;
    const holdId = random.pick(holdIds);
    if (effects.holdChanges.some((change) => change.holdId === holdId)) return null;
    const change = { eventId, holdId, seq, expiresAtMs: 2_000_000_000_000, ended: null };
    return { ...effects, holdChanges: [...effects.holdChanges, change] };
  },
  "a cancellation that comes twice": (effects) => {
    const [cancelled] = effects.bookingsCancelled;
    if (cancelled === undefined) return null;
    return { ...effects, bookingsCancelled: [...effects.bookingsCancelled, cancelled] };
  },
  "a seq that is left out": (effects) =>
    someEvent(effects, (event) => ({ ...event, firstSeq: event.firstSeq + 1 })),
  "a seq that was there before": (effects) =>
    someEvent(effects, (event) => ({ ...event, firstSeq: event.firstSeq - 1 })),
  "an event that nobody configured": (effects, { eventId }) => {
    const stranger = `018f3c9a-7b10-7fff-8000-${eventId.slice(24)}` as EventId;
    return someEvent(effects, (event) => ({ ...event, eventId: stranger }));
  },
};

/** One of the mutations that the effects allow, and its name. */
export function mutated(
  effects: NetEffects,
  known: Known,
): { name: string; effects: NetEffects } | null {
  const [name, mutation] = known.random.pick(Object.entries(MUTATIONS));
  const changed = mutation(effects, known);
  return changed === null ? null : { name, effects: changed };
}

export const MUTATION_COUNT = Object.keys(MUTATIONS).length;
