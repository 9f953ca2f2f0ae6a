import { choiceFault, type Hall, isWished, type Wish } from "../../hall/hall.ts";
import { check } from "../../report/checking.ts";
import type { Check } from "../../report/report.ts";
import { FaultList } from "../fault-list.ts";
import type { Moment, SeatTenures } from "./seat-tenures.ts";

/** Ways to seat the party that a refusal may offer. */
const ALTERNATIVES_MAX = 3;

/** Seats that a party was given. */
export interface Choice {
  readonly wish: Wish;
  readonly moment: Moment;
  /** Those of one are said to sit side by side. */
  readonly groups: readonly (readonly number[])[];
  /** They were asked for by name: whether others would have been better is no question. */
  readonly isNamed: boolean;
}

export interface ChoiceRefusal {
  readonly wish: Wish;
  readonly moment: Moment;
  readonly told:
    | { readonly code: "insufficient_capacity"; readonly available: number }
    | {
        readonly code: "no_adjacent_seats";
        readonly alternatives: readonly (readonly (readonly number[])[])[];
      };
}

/** Seats that were asked for by name, as they were offered before. */
export interface NamedRefusal {
  readonly seats: readonly number[];
  readonly moment: Moment;
}

/** All that was said, and who had which seat. */
export interface Hearing {
  readonly hall: Hall;
  readonly tenures: SeatTenures;
  readonly choices: readonly Choice[];
  readonly refusals: readonly ChoiceRefusal[];
  readonly named: readonly NamedRefusal[];
  /** Since then nobody knows whose seats are, as an answer was lost; Infinity: none was. */
  readonly unknownSinceMs: number;
}

/** Whether seats were chosen as was wished, and refused only where there were none. */
export function judge(hearing: Hearing): Check[] {
  const { choices, refusals, named } = hearing;
  const [chosen, doubled, untrue] = [new FaultList(), new FaultList(), new FaultList()];
  const hall = new KnownHall(hearing);
  for (const choice of choices) {
    const fault = hall.choiceFault(choice);
    if (fault !== null) chosen.add(fault);
    const taken = choice.groups.flat().find((seat) => hearing.tenures.isTaken(seat, choice.moment));
    if (taken !== undefined) doubled.add(`seat ${hearing.hall.ids[taken]} was somebody else's`);
  }
  const isKnown = ({ moment }: { readonly moment: Moment }): boolean =>
    moment.toMs < hearing.unknownSinceMs;
  for (const refusal of refusals) {
    const fault = hall.formFault(refusal) ?? (isKnown(refusal) ? hall.refusalFault(refusal) : null);
    if (fault !== null) untrue.add(`${refusal.told.code} for ${shown(refusal.wish)}: ${fault}`);
  }
  for (const { seats, moment } of named.filter(isKnown)) {
    const isTrue =
      seats.length > 0 && seats.every((seat) => hearing.tenures.mayBeTaken(seat, moment));
    if (!isTrue) untrue.add(`seats that nobody had were refused: ${hall.names(seats)}`);
  }
  const said = refusals.length + named.length;
  const unknown = [...refusals, ...named].filter((each) => !isKnown(each)).length;
  const doubt = unknown === 0 ? "" : `, of ${unknown} not all can be known: answers were lost`;
  return [
    verdict("seats were chosen as was wished", chosen, `${choices.length} looked at`),
    verdict("no seat was given to who came second", doubled, `${choices.length} looked at`),
    verdict("seats were refused where there were none", untrue, `${said} looked at${doubt}`),
  ];
}

const verdict = (name: string, { shown: faults }: FaultList, otherwise: string): Check =>
  check(name, faults.length === 0, faults.length === 0 ? otherwise : faults.join("; "));

function shown({ quantity, category, zone, adjacent, accessible }: Wish): string {
  const more = [
    ...(category === null ? [] : [`category ${category}`]),
    ...(zone === null ? [] : [`zone ${zone}`]),
    ...(adjacent ? ["together"] : []),
    ...(accessible ? ["with a wheelchair"] : []),
  ];
  return [quantity, ...more].join(", ");
}

/** The hall at every moment, as far as it is known. */
class KnownHall {
  readonly #hearing: Hearing;
  /** By what is wished of it: those first that are sold last, or never. */
  readonly #scopes = new Map<string, readonly SoldSeat[]>();

  constructor(hearing: Hearing) {
    this.#hearing = hearing;
  }

  names(seats: readonly number[]): string {
    return seats.map((seat) => this.#hearing.hall.ids[seat]).join(", ");
  }

  choiceFault({ wish, groups, moment, isNamed }: Choice): string | null {
    const fault = choiceFault(this.#hearing.hall, wish, groups);
    if (fault !== null) return `for ${shown(wish)}: ${fault}`;
    if (groups.length <= 1 || isNamed) return null;
    const run = this.#runOf(wish, this.#free(wish, moment));
    return run === null ? null : `split, with ${this.names(run)} free all the while`;
  }

  /** What is wrong about a refusal, whatever there was. */
  formFault({ wish, told }: ChoiceRefusal): string | null {
    if (told.code === "insufficient_capacity") {
      const { available } = told;
      const isSome = Number.isInteger(available) && available >= 0;
      return isSome && available < wish.quantity ? null : `${available} to be had`;
    }
    if (!wish.adjacent) return "they need not be together";
    const { alternatives } = told;
    if (alternatives.length === 0 || alternatives.length > ALTERNATIVES_MAX) {
      return `${alternatives.length} alternatives`;
    }
    const seats = alternatives.flat(2);
    if (new Set(seats).size < seats.length) return "alternatives share a seat";
    const apart = { ...wish, adjacent: false };
    const faults = alternatives.map((way) => choiceFault(this.#hearing.hall, apart, way));
    return faults.find((fault) => fault !== null) ?? null;
  }

  /** What there was after all. */
  refusalFault({ wish, told, moment }: ChoiceRefusal): string | null {
    const free = this.#free(wish, moment);
    if (told.code === "insufficient_capacity") {
      if (!this.#isEnough(wish, free)) return null;
      return `${this.names(free.slice(0, wish.quantity))} were free all the while`;
    }
    const run = this.#runOf(wish, free);
    if (run !== null) return `${this.names(run)} were free all the while`;
    const { tenures } = this.#hearing;
    const taken = told.alternatives.flat(2).filter((seat) => tenures.isTaken(seat, moment));
    return taken.length === 0 ? null : `offered were ${this.names(taken)}, which were taken`;
  }

  /** As many as they are, one of them for the wheelchair if there is one. */
  #isEnough({ quantity, accessible }: Wish, free: readonly number[]): boolean {
    const { wheelchairs } = this.#hearing.hall;
    const isSeated = !accessible || free.some((seat) => wheelchairs[seat] === 1);
    return isSeated && free.length >= quantity;
  }

  /** Seats for the whole party side by side; null: there are none among these. */
  #runOf(wish: Wish, free: readonly number[]): readonly number[] | null {
    const { spots } = this.#hearing.hall;
    const sorted = free.toSorted((a, b) => (spots[a] ?? 0) - (spots[b] ?? 0));
    for (let at = 0; at + wish.quantity <= sorted.length; at += 1) {
      const last = at + wish.quantity - 1;
      const length = (spots[sorted[last] ?? 0] ?? 0) - (spots[sorted[at] ?? 0] ?? 0) + 1;
      if (length !== wish.quantity) continue;
      const run = sorted.slice(at, last + 1);
      if (choiceFault(this.#hearing.hall, { ...wish, adjacent: true }, [run]) === null) return run;
    }
    return null;
  }

  /** Seats of the kind that nobody can have had at any time of it. */
  #free(wish: Wish, moment: Moment): number[] {
    const free: number[] = [];
    for (const { seat, soldMs } of this.#scopeOf(wish)) {
      if (soldMs <= moment.fromMs) break;
      if (!this.#hearing.tenures.mayBeTaken(seat, moment)) free.push(seat);
    }
    return free;
  }

  #scopeOf(wish: Wish): readonly SoldSeat[] {
    const key = `${wish.category} ${wish.zone} ${wish.accessible}`;
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const { hall, tenures } = this.#hearing;
    const scope = [...hall.ids.keys()]
      .filter((seat) => isWished(hall, wish, seat))
      .map((seat) => ({ seat, soldMs: tenures.soldSinceMs(seat) }))
      .sort((a, b) => compare(b.soldMs, a.soldMs));
    this.#scopes.set(key, scope);
    return scope;
  }
}

interface SoldSeat {
  readonly seat: number;
  /** Since when it is for good; Infinity: it is not. */
  readonly soldMs: number;
}

/** Two that are infinite have no difference. */
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
