import { PRICE_MINOR } from "../../../price.ts";
import type { HttpAnswer } from "../../autocannon-connection.ts";
import type { Visitor } from "../../flow.ts";

/** What a server answers; ids count from 1. */
export class FlowAnswers {
  #ids = 0;

  /** A hold or booking of these seats, or of one place of an area; `amount`: its total. */
  made(seats: readonly string[] = [], amount?: number): HttpAnswer {
    this.#ids += 1;
    const id = `0190a000-0000-7000-8000-${String(this.#ids).padStart(12, "0")}`;
    const places = seats.length === 0 ? [{ area: "floor" }] : seats.map((seat) => ({ seat }));
    const items = places.map((place) => ({ ...place, price: PRICE_MINOR }));
    const total = { amount: amount ?? items.length * PRICE_MINOR, currency: "EUR" };
    return { status: 201, head: "", body: JSON.stringify({ id, items, total }) };
  }

  refused(status: number, code: string, seats?: readonly string[]): HttpAnswer {
    return { status, head: "", body: JSON.stringify({ status, code, seats }) };
  }
}

/** What a visitor sends next; throws when it sends nothing. */
export function sentBy(visitor: Visitor): string {
  const step = visitor.next();
  if (step.kind !== "send") throw new Error(`it does not send: ${step.kind}`);
  return step.text;
}

/** The seats that a request for a hold names. */
export const seatsOf = (text: string): string[] =>
  [...text.matchAll(/"seat":"([^"]+)"/g)].map(([, seat = ""]) => seat);
