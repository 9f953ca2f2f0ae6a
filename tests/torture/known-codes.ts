/** The codes of a booking's tickets, as people were told them and as the doors took them. */
import type { Random } from "../../engine/testing/random.ts";
import type { BookingShape } from "../support/shapes.ts";

interface KnownCode {
  readonly code: string;
  /** seq of the first thing that was told with it, and of the last. */
  fromSeq: number;
  toSeq: number;
  /** The doors did not know it, once at least. */
  isRefused: boolean;
}

/** Each ticket has one code, until its booking is handed over: then it has another. */
export class KnownCodes {
  readonly #byTicket = new Map<string, KnownCode[]>();

  /** `seq`: of the change after which the ticket has, or had, this code. */
  note(ticketId: string, code: string, seq: number): void {
    const known = this.#find(ticketId, code);
    if (known === undefined) {
      const codes = this.#byTicket.get(ticketId) ?? [];
      codes.push({ code, fromSeq: seq, toSeq: seq, isRefused: false });
      this.#byTicket.set(ticketId, codes);
      return;
    }
    known.fromSeq = Math.min(known.fromSeq, seq);
    known.toSeq = Math.max(known.toSeq, seq);
  }

  /** No ticket of the event has this code, the doors say. */
  noteRefused(ticketId: string, code: string): void {
    const known = this.#find(ticketId, code);
    if (known !== undefined) known.isRefused = true;
  }

  /** The newest that was told of a ticket, or now and then an old one; null: none was told. */
  anyOf(ticketId: string, random: Random): string | null {
    const codes = this.#byTicket.get(ticketId) ?? [];
    if (codes.length > 1 && random.next() < 0.3) return random.pick(codes).code;
    return codes.toSorted((a, b) => b.toSeq - a.toSeq)[0]?.code ?? null;
  }

  /** What is wrong with the codes of a booking that was handed over at these seqs; []: nothing. */
  faultsOf({ tickets, seq }: BookingShape, handedOver: readonly number[]): string[] {
    const ownerAt = (at: number): number => handedOver.filter((each) => each <= at).length;
    return tickets.flatMap(({ id, code = "" }) => {
      this.note(id, code, seq);
      const faults: string[] = [];
      const codes = new Map<number, string>();
      for (const { code, fromSeq, toSeq, isRefused } of this.#byTicket.get(id) ?? []) {
        const owner = ownerAt(fromSeq);
        const other = codes.get(owner);
        codes.set(owner, code);
        if (other !== undefined) faults.push(`ticket ${id} has code ${other} and ${code}`);
        if (owner !== ownerAt(toSeq)) faults.push(`ticket ${id} keeps ${code} when handed over`);
        if (isRefused && owner === handedOver.length) faults.push(`${code} of ${id} is unknown`);
      }
      return faults;
    });
  }

  #find(ticketId: string, code: string): KnownCode | undefined {
    return this.#byTicket.get(ticketId)?.find((known) => known.code === code);
  }
}
