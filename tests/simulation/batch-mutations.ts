/** Batches that no engine would make, so that the database's last lines can be seen to hold. */
import { statusOf } from "../../engine/booking.ts";
import type { BookingId, EventId, HoldId, WaitlistEntryId } from "../../engine/ids.ts";
import { placeOfArea } from "../../engine/place.ts";
import type { Random } from "../../engine/testing/random.ts";
import type { EventAdvance, NetEffects } from "../../workers/projector/effects.ts";

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
  const standing = bookings.filter(({ record }) => statusOf(record) === "confirmed");
  if (standing.length === 0) return null;
  const { record: stored, ...made } = random.pick(standing);
  // As a batch has it: with nothing but what the items say.
  const record = { ...stored, later: null };
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
    areas: [{ eventId, area: 0, held: 0, sold: 1_000, blocked: 0, capacity: null }],
  }),
  "an area with less than nothing": (effects, { eventId }) => ({
    ...effects,
    areas: [{ eventId, area: 0, held: -1_000, sold: 1_000, blocked: 0, capacity: null }],
  }),
  "an area that does not exist": (effects, { eventId }) => ({
    ...effects,
    areas: [...effects.areas, { eventId, area: 7, held: 0, sold: 0, blocked: 0, capacity: null }],
  }),
  "an area that shrinks below what it holds": (effects, { eventId }) => ({
    ...effects,
    areas: [{ eventId, area: 0, held: 0, sold: 0, blocked: 0, capacity: -1 }],
  }),
  "the end of a hold that nobody made": (effects, { eventId, random, seq, holdIds }) => {
    if (holdIds.length === 0) return null;
    const holdId = fresh(random.pick(holdIds), random);
    const change = { eventId, holdId, seq, update: {}, ended: null };
    return { ...effects, holdChanges: [...effects.holdChanges, change] };
  },
  "a booking of a hold that nobody made": (effects, { eventId, random, holdIds }) => {
    if (holdIds.length === 0) return null;
    const booked = { eventId, holdId: fresh(random.pick(holdIds), random) };
    return { ...effects, holdsBooked: [...effects.holdsBooked, booked] };
  },
  "an extension of any hold there ever was": (effects, { eventId, random, seq, holdIds }) => {
    if (holdIds.length === 0) return null;
    const holdId = random.pick(holdIds);
    if (effects.holdChanges.some((change) => change.holdId === holdId)) return null;
    const update = { expiresAtMs: 2_000_000_000_000, extended: true };
    const change = { eventId, holdId, seq, update, ended: null };
    return { ...effects, holdChanges: [...effects.holdChanges, change] };
  },
  "a change of a booking that comes twice": (effects) => {
    const [changed] = effects.bookingChanges;
    if (changed === undefined) return null;
    return { ...effects, bookingChanges: [...effects.bookingChanges, changed] };
  },
  "a ticket that is given the code of its neighbour": (effects) => {
    const { bookingChanges } = effects;
    const change = bookingChanges.find(({ tickets }) => tickets.some((index) => index > 0));
    if (change === undefined) return null;
    const { record } = change;
    const [code = ""] = record.ticketCodes;
    const again = { ...change, record: { ...record, ticketCodes: record.items.map(() => code) } };
    const changes = bookingChanges.map((each) => (each === change ? again : each));
    return { ...effects, bookingChanges: changes };
  },
  "a seat that is kept twice": (effects, { eventId }) => {
    const blocks = ["one", "two"].map((channel) => ({ eventId, place: 3, channel, quantity: 1 }));
    return { ...effects, blocks: [...effects.blocks, ...blocks] };
  },
  "somebody who waits twice": (effects) => {
    const [queued] = effects.entriesQueued.filter(({ ended }) => ended === null);
    if (queued === undefined) return null;
    const entryId = queued.entry.entryId.replace(/^../, "0f") as WaitlistEntryId;
    const again = { ...queued, entry: { ...queued.entry, entryId } };
    return { ...effects, entriesQueued: [...effects.entriesQueued, again] };
  },
  "the end of an entry that nobody made": (effects, { eventId, seq, holdIds: [holdId] }) => {
    if (holdId === undefined) return null;
    const entryId = holdId as string as WaitlistEntryId;
    const ended = { status: "left", seq, atMs: 0, holdId: null } as const;
    return { ...effects, entriesEnded: [...effects.entriesEnded, { eventId, entryId, ended }] };
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
