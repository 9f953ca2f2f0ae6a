import type { Acknowledged, AcknowledgedList } from "./flow.ts";

/** A hold or a booking that the server has confirmed. */
export interface Acknowledgement {
  readonly id: string;
  /** Index of the event. */
  readonly event: number;
  /** Indexes of seats; -1: a place of the area. */
  readonly places: readonly number[];
  /** What is due for it as the answer said, minor units; null, absent: nobody looked. */
  readonly totalMinor?: number | null;
}

/** Remembers what was confirmed, and packs it. */
export class Acknowledgements {
  /** Held, and neither booked nor given back. */
  readonly #holds = new Map<string, Acknowledgement>();
  readonly #bookings: Acknowledgement[] = [];
  readonly #unknownHeld = new Map<number, number>();
  readonly #unknownSold = new Map<number, number>();

  get bookings(): number {
    return this.#bookings.length;
  }

  /** Whether it is a new one: an id that was there already is a fault of the server's. */
  held(hold: Acknowledgement): boolean {
    if (this.#holds.has(hold.id)) return false;
    this.#holds.set(hold.id, hold);
    return true;
  }

  booked(holdId: string, booking: Acknowledgement): void {
    this.#holds.delete(holdId);
    this.#bookings.push(booking);
  }

  /** Given back, or ended by itself. */
  ended(holdId: string): void {
    this.#holds.delete(holdId);
  }

  /** Nobody knows whether so many places are held now. */
  holdUnknown(event: number, places: number): void {
    this.#unknownHeld.set(event, (this.#unknownHeld.get(event) ?? 0) + places);
  }

  /** Nobody knows whether this hold was given back. */
  releaseUnknown(holdId: string): void {
    const hold = this.#holds.get(holdId);
    if (hold === undefined) return;
    this.#holds.delete(holdId);
    this.holdUnknown(hold.event, hold.places.length);
  }

  /** Nobody knows whether this hold was booked. */
  bookingUnknown(holdId: string): void {
    const hold = this.#holds.get(holdId);
    if (hold === undefined) return;
    this.releaseUnknown(holdId);
    const { event, places } = hold;
    this.#unknownSold.set(event, (this.#unknownSold.get(event) ?? 0) + places.length);
  }

  pack(): Acknowledged {
    return {
      holds: packed([...this.#holds.values()]),
      bookings: packed(this.#bookings),
      unknownHeld: [...this.#unknownHeld],
      unknownSold: [...this.#unknownSold],
    };
  }
}

function packed(list: readonly Acknowledgement[]): AcknowledgedList {
  const count = list.reduce((sum, { places }) => sum + places.length, 0);
  const packing = {
    ids: new Uint8Array(16 * list.length),
    events: new Uint32Array(list.length),
    ends: new Uint32Array(list.length),
    places: new Int32Array(count),
    totals: new Float64Array(list.length),
  };
  let end = 0;
  for (const [index, { id, event, places, totalMinor }] of list.entries()) {
    packing.ids.set(Buffer.from(id.replaceAll("-", ""), "hex"), 16 * index);
    packing.events[index] = event;
    packing.places.set(places, end);
    end += places.length;
    packing.ends[index] = end;
    packing.totals[index] = totalMinor ?? Number.NaN;
  }
  return packing;
}

/** The way back: the list, one by one. */
export function* unpacked(list: AcknowledgedList): Generator<Acknowledgement> {
  let start = 0;
  for (const [index, end] of list.ends.entries()) {
    const hex = Buffer.from(list.ids.subarray(16 * index, 16 * index + 16)).toString("hex");
    const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const event = list.events[index] ?? 0;
    const total = list.totals[index] ?? Number.NaN;
    const totalMinor = Number.isNaN(total) ? null : total;
    yield { id, event, places: [...list.places.subarray(start, end)], totalMinor };
    start = end;
  }
}
