import { PRICE_MINOR } from "../../../price.ts";
import type { HttpAnswer } from "../../autocannon-connection.ts";
import type { Step, Visitor } from "../../flow.ts";

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

  /** A hold of seats that were chosen, in one group, as if all of one zone. */
  chosen(seats: readonly string[], zone: string): HttpAnswer {
    const { body, ...rest } = this.made(seats);
    const bestAvailable = [{ seats, row: null, zone, distance: 0, orphans: 0 }];
    return { ...rest, body: JSON.stringify({ ...JSON.parse(body), bestAvailable }) };
  }

  /** `members`: what the problem says besides. */
  problem(status: number, code: string, members: object): HttpAnswer {
    return { status, head: "", body: JSON.stringify({ status, code, ...members }) };
  }

  refused(status: number, code: string, seats?: readonly string[]): HttpAnswer {
    return { status, head: "", body: JSON.stringify({ status, code, seats }) };
  }
}

/** What a visitor sends next; throws when it sends nothing. */
export const sentBy = (visitor: Visitor): string => requestOf(visitor).text;

/** The same, with its stream. */
export function requestOf(visitor: Visitor): Extract<Step, { kind: "send" }> {
  const step = visitor.next();
  if (step.kind !== "send") throw new Error(`it does not send: ${step.kind}`);
  return step;
}

/** The seats that a request for a hold names. */
export const seatsOf = (text: string): string[] =>
  [...text.matchAll(/"seat":"([^"]+)"/g)].map(([, seat = ""]) => seat);
