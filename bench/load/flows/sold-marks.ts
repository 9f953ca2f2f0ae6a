import type { Figure } from "../../report/report.ts";

const MARKS_PERCENT = [50, 90, 99];

/** When how much of everything was sold. */
export class SoldMarks {
  readonly #capacity: number;
  #startMs: number | null = null;
  #sold = 0;
  readonly #figures: Figure[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The doors are open; said again, it is no news. */
  open(nowMs: number): void {
    this.#startMs ??= nowMs;
  }

  sold(places: number, nowMs: number): void {
    this.#sold += places;
    for (const percent of MARKS_PERCENT.slice(this.#figures.length)) {
      if (100 * this.#sold < percent * this.#capacity) return;
      const value = (nowMs - (this.#startMs ?? nowMs)) / 1_000;
      this.#figures.push({ name: `${percent} % sold after`, value, unit: "s" });
    }
  }

  /** Of those that were reached. */
  get figures(): readonly Figure[] {
    return this.#figures;
  }
}
