/**
 * Reads a seating plan in the open pretix format:
 *
 *   {name, size?, categories: [{name, color?}],
 *    zones: [{name, position?, areas?: [{text, position?, …}],
 *             rows: [{row_number?, position?,
 *                     seats: [{seat_guid, seat_number?, category, position?}]}]}]}
 *
 * A position is {x, y}, relative to what it is in: a seat stands at the sum of its own, its row's
 * and its zone's. Numbers of rows and seats are texts to people ("12a", "Ⅳ"), so they are kept as
 * such. Areas are drawings; the one that says where the stage is tells what everybody looks at.
 */
import {
  PLAN_CATEGORIES_MAX,
  PLAN_NAME_CHARS_MAX,
  SEATS_PER_EVENT_MAX,
  VALIDATION_ERRORS_MAX,
} from "../../engine/limits.ts";
import type { Checked, FieldError } from "../http/validation.ts";
import { type Point, stageCentre } from "./stage-area.ts";

export interface PlanSeat {
  readonly id: string;
  readonly zone: string;
  readonly row: string | null;
  readonly number: string | null;
  /** Position in the plan's categories. */
  readonly category: number;
  /** In the plan's units; null when neither the seat nor its row nor its zone has a position. */
  readonly x: number | null;
  readonly y: number | null;
  /** For a wheelchair. */
  readonly accessible: boolean;
  /** For who comes with a wheelchair. */
  readonly companion: boolean;
}

export interface SeatingPlan {
  /** Names in the plan's order. */
  readonly categories: readonly string[];
  /** In the plan's order. At least one. */
  readonly seats: readonly PlanSeat[];
  /** The middle of the stage, in the coordinates of the seats; null: the plan does not draw it. */
  readonly focus: Point | null;
}

const ACCESSIBLE = /wheelchair|accessible|rollstuhl/i;
const COMPANION = /companion|begleit/i;
const CONTROL = /\p{Cc}/u;
/** Farther from the origin nobody can see a stage. */
const COORDINATE_MAX = 10_000_000;

type Members = Readonly<Record<string, unknown>>;
type Position = Point | null;

interface Category {
  readonly index: number;
  readonly accessible: boolean;
  readonly companion: boolean;
}

interface Surroundings {
  readonly zone: string;
  readonly row: string | null;
  readonly position: Position;
}

/** `at` is where the plan stands in the request; every fault is named from there. */
export function parseSeatingPlan(input: unknown, at: string): Checked<SeatingPlan> {
  return new PlanReader(at).read(input);
}

class PlanReader {
  readonly #at: string;
  readonly #errors: FieldError[] = [];
  readonly #categories = new Map<string, Category>();
  readonly #seats: PlanSeat[] = [];
  /** Where each seat_guid was first seen. */
  readonly #places = new Map<string, readonly [zone: number, row: number, seat: number]>();
  #focus: Point | null = null;

  constructor(at: string) {
    this.#at = at;
  }

  read(input: unknown): Checked<SeatingPlan> {
    const plan = this.#object(input, "");
    if (plan !== null) {
      if (this.#readCategories(plan.categories)) {
        for (const [index, zone] of this.#list(plan.zones, ".zones").entries()) {
          this.#readZone(zone, index);
        }
      }
      if (this.#seats.length === 0 && this.#errors.length === 0) this.#fault("", "has no seats");
    }
    if (this.#errors.length > 0) return { ok: false, errors: this.#errors };
    const categories = [...this.#categories.keys()];
    return { ok: true, value: { categories, seats: this.#seats, focus: this.#focus } };
  }

  /** False: there are so many that neither they nor their seats are read. */
  #readCategories(input: unknown): boolean {
    const list = this.#list(input, ".categories");
    if (list.length > PLAN_CATEGORIES_MAX) {
      this.#fault(".categories", `must have at most ${PLAN_CATEGORIES_MAX} entries`);
      return false;
    }
    for (const [index, item] of list.entries()) {
      const path = `.categories[${index}]`;
      const category = this.#object(item, path);
      if (category === null) continue;
      const name = this.#text(category.name, `${path}.name`);
      if (name === null) continue;
      if (this.#categories.has(name)) this.#fault(`${path}.name`, "repeats an earlier category");
      const accessible = category.accessible === true || ACCESSIBLE.test(name);
      const companion = COMPANION.test(name);
      this.#categories.set(name, { index: this.#categories.size, accessible, companion });
    }
    return true;
  }

  #readZone(input: unknown, zoneIndex: number): void {
    const path = `.zones[${zoneIndex}]`;
    const zone = this.#object(input, path);
    if (zone === null) return;
    const name = this.#label(zone.name, `${path}.name`) ?? "";
    const position = this.#position(zone.position, null, path);
    this.#focus ??= stageCentre(zone.areas, position, COORDINATE_MAX);
    for (const [rowIndex, item] of this.#list(zone.rows, `${path}.rows`).entries()) {
      const rowPath = `${path}.rows[${rowIndex}]`;
      const row = this.#object(item, rowPath);
      if (row === null) continue;
      const around: Surroundings = {
        zone: name,
        row: this.#label(row.row_number, `${rowPath}.row_number`),
        position: this.#position(row.position, position, rowPath),
      };
      for (const [seatIndex, seat] of this.#list(row.seats, `${rowPath}.seats`).entries()) {
        if (this.#errors.length >= VALIDATION_ERRORS_MAX) return;
        this.#readSeat(seat, around, [zoneIndex, rowIndex, seatIndex]);
      }
    }
  }

  #readSeat(
    input: unknown,
    around: Surroundings,
    place: readonly [zone: number, row: number, seat: number],
  ): void {
    const path = seatPath(place);
    const seat = this.#object(input, path);
    if (seat === null) return;
    const id = this.#text(seat.seat_guid, `${path}.seat_guid`);
    const categoryName = this.#text(seat.category, `${path}.category`);
    const category = categoryName === null ? undefined : this.#categories.get(categoryName);
    if (categoryName !== null && category === undefined) {
      this.#fault(`${path}.category`, `is "${categoryName}", which the plan's categories lack`);
    }
    const number = this.#label(seat.seat_number, `${path}.seat_number`);
    const position = this.#position(seat.position, around.position, path);
    if (id === null || category === undefined) return;
    const first = this.#places.get(id);
    if (first !== undefined) {
      const where = `${this.#at}${seatPath(first)}.seat_guid`;
      this.#fault(`${path}.seat_guid`, `is "${id}", as is ${where}`);
      return;
    }
    if (this.#seats.length === SEATS_PER_EVENT_MAX) {
      this.#fault(path, `is beyond the ${SEATS_PER_EVENT_MAX} seats that an event may have`);
      return;
    }
    this.#places.set(id, place);
    this.#seats.push({
      id,
      zone: around.zone,
      row: around.row,
      number,
      category: category.index,
      x: position?.x ?? null,
      y: position?.y ?? null,
      accessible: category.accessible || seat.accessible === true,
      companion: category.companion,
    });
  }

  #object(input: unknown, path: string): Members | null {
    if (typeof input === "object" && input !== null && !Array.isArray(input)) {
      return input as Members;
    }
    this.#fault(path, input === undefined ? "is missing" : "must be an object");
    return null;
  }

  #list(input: unknown, path: string): readonly unknown[] {
    if (Array.isArray(input)) return input;
    this.#fault(path, input === undefined ? "is missing" : "must be a list");
    return [];
  }

  /** A name that must be there. */
  #text(input: unknown, path: string): string | null {
    if (input === undefined || input === null || input === "") {
      this.#fault(path, "is missing");
      return null;
    }
    if (typeof input !== "string") {
      this.#fault(path, "must be a string");
      return null;
    }
    return this.#bounded(input, path);
  }

  /** A name or number that may be missing. */
  #label(input: unknown, path: string): string | null {
    if (input === undefined || input === null || input === "") return null;
    if (typeof input === "number" && Number.isFinite(input)) return String(input);
    if (typeof input === "string") return this.#bounded(input, path);
    this.#fault(path, "must be a string or a number");
    return null;
  }

  #bounded(text: string, path: string): string | null {
    if (text.length > PLAN_NAME_CHARS_MAX) {
      this.#fault(path, `must have at most ${PLAN_NAME_CHARS_MAX} characters`);
      return null;
    }
    if (CONTROL.test(text)) {
      this.#fault(path, "must have no control characters");
      return null;
    }
    return text;
  }

  /** The position of something inside `outer`; what has none stands where `outer` does. */
  #position(input: unknown, outer: Position, parent: string): Position {
    if (input === undefined || input === null) return outer;
    const path = `${parent}.position`;
    const position = this.#object(input, path);
    if (position === null) return outer;
    const x = this.#coordinate(position.x, `${path}.x`);
    const y = this.#coordinate(position.y, `${path}.y`);
    return { x: x + (outer?.x ?? 0), y: y + (outer?.y ?? 0) };
  }

  #coordinate(input: unknown, path: string): number {
    if (typeof input === "number" && Math.abs(input) <= COORDINATE_MAX) return input;
    this.#fault(path, input === undefined ? "is missing" : "must be a number");
    return 0;
  }

  #fault(path: string, message: string): void {
    if (this.#errors.length < VALIDATION_ERRORS_MAX) {
      this.#errors.push({ path: this.#at + path, message });
    }
  }
}

function seatPath([zone, row, seat]: readonly [number, number, number]): string {
  return `.zones[${zone}].rows[${row}].seats[${seat}]`;
}
