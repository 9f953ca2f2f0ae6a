/** What an organiser has to be told who changes what is for sale. */
import type { Refusal } from "../../engine/replies.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import type { Expected } from "./expected.ts";
import { areasOf, type ModelState } from "./model-state.ts";

type ChangePlaces = Extract<Operation, { kind: "changePlaces" }>;

/** What a command has been found to do so far. */
interface Plan {
  /** Seats that an earlier part of the command blocks or gives back. */
  readonly touched: Set<number>;
  /** Places of areas that are to be kept, by area. */
  readonly leaving: Map<number, number>;
  changes: number;
}

/** Its parts one after the other, each against what is, and against what it does itself. */
export function ofChangePlaces(state: ModelState, command: ChangePlaces): Expected {
  if (state.definition === null) return { kind: "refused", refusal: { code: "event_not_found" } };
  if (state.definition.status === "cancelled") {
    return { kind: "refused", refusal: { code: "event_cancelled" } };
  }
  const plan: Plan = { touched: new Set(), leaving: new Map(), changes: 0 };
  const refusal =
    refusalOfBlocking(state, plan, command.block, "") ??
    refusalOfUnblocking(state, plan, command.unblock) ??
    refusalOfAllotments(state, plan, command) ??
    refusalOfCapacities(state, plan, command);
  if (refusal !== null) return { kind: "refused", refusal };
  return { kind: plan.changes === 0 ? "unchanged" : "accepted" };
}

const unknownAmong = (state: ModelState, seats: readonly number[]): Refusal | null => {
  const unknown = seats.filter((seat) => state.seats[seat] === undefined);
  return unknown.length === 0 ? null : { code: "unknown_place", places: unknown };
};

/** Seats that are to be kept: whichever are not already, and then they must be free. */
function refusalOfBlocking(
  state: ModelState,
  plan: Plan,
  seats: readonly number[],
  channel: string,
): Refusal | null {
  const fresh = seats.filter((seat) => state.keptSeats.get(seat) !== channel);
  const unknown = unknownAmong(state, fresh);
  if (unknown !== null) return unknown;
  const taken = fresh.filter((seat) => state.seats[seat] !== "f" || plan.touched.has(seat));
  if (taken.length > 0) return { code: "seat_unavailable", seats: taken };
  for (const seat of fresh) plan.touched.add(seat);
  plan.changes += fresh.length;
  return null;
}

function refusalOfUnblocking(
  state: ModelState,
  plan: Plan,
  seats: readonly number[],
): Refusal | null {
  const unknown = unknownAmong(state, seats);
  if (unknown !== null) return unknown;
  const others = seats.filter((seat) => {
    const channel = state.keptSeats.get(seat);
    return channel === undefined ? state.seats[seat] !== "f" : channel !== "";
  });
  if (others.length > 0) return { code: "seat_unavailable", seats: others };
  for (const seat of seats) {
    if (!state.keptSeats.has(seat)) continue;
    plan.touched.add(seat);
    plan.changes += 1;
  }
  return null;
}

function refusalOfAllotments(
  state: ModelState,
  plan: Plan,
  { allotments }: ChangePlaces,
): Refusal | null {
  for (const { channel, seats, areas } of allotments) {
    const gone = [...state.keptSeats].flatMap(([seat, of]) =>
      of === channel && !seats.includes(seat) ? [seat] : [],
    );
    const inUse = gone.filter((seat) => state.seats[seat] !== "b");
    if (inUse.length > 0) return { code: "seat_unavailable", seats: inUse };
    const refusal = refusalOfBlocking(state, plan, [...new Set(seats)], channel);
    if (refusal !== null) return refusal;
    for (const seat of gone) plan.touched.add(seat);
    plan.changes += gone.length;
    for (const wanted of areas) {
      const inArea = refusalOfArea(state, plan, { ...wanted, channel });
      if (inArea !== null) return inArea;
    }
  }
  return null;
}

function refusalOfArea(
  state: ModelState,
  plan: Plan,
  { area, quantity, channel }: { area: number; quantity: number; channel: string },
): Refusal | null {
  const counts = areasOf(state)[area];
  if (counts === undefined) return { code: "unknown_place", places: [-1 - area] };
  const inUse = state.usedIn(area, channel);
  if (quantity < inUse) return { code: "capacity_in_use", area, inUse };
  const more = quantity - state.keptIn(area, channel);
  const leaving = plan.leaving.get(area) ?? 0;
  const available = counts.free - leaving;
  if (more > available) return { code: "insufficient_capacity", area, available };
  plan.leaving.set(area, leaving + Math.max(more, 0));
  plan.changes += more === 0 ? 0 : 1;
  return null;
}

function refusalOfCapacities(
  state: ModelState,
  plan: Plan,
  { capacities }: ChangePlaces,
): Refusal | null {
  for (const { area, capacity } of capacities) {
    const counts = areasOf(state)[area];
    if (counts === undefined) return { code: "unknown_place", places: [-1 - area] };
    const inUse = counts.capacity - counts.free + (plan.leaving.get(area) ?? 0);
    if (capacity < inUse) return { code: "capacity_in_use", area, inUse };
    plan.changes += capacity === counts.capacity ? 0 : 1;
  }
  return null;
}
