import { type SeatAnswer, SeatPicker, type SeatQuery } from "../best-available.ts";
import { BLOCKED, FREE, SOLD } from "../inventory.ts";
import {
  decodeSeatMap,
  encodeSeatMap,
  type RowLayout,
  type SeatMap,
  type SeatSpot,
} from "../seat-map.ts";

const ANYTHING: SeatQuery = {
  quantity: 1,
  category: null,
  zone: null,
  adjacent: true,
  accessible: false,
};

/**
 * A hall drawn in letters, its front at the top and the stage before it:
 *
 *   f free   s sold   b blocked   F free, of the second category   G free, of the third
 *   w free, for a wheelchair   c free, for a companion (both of the third category)
 *   W, C the same, sold   | an aisle   space: nothing, not even an aisle
 *
 * An empty line is a cross aisle; a line of dashes begins a zone. Seats are numbered row by row
 * from the left. All lines are as wide as the widest, and drawn around one middle.
 */
export class Hall {
  readonly layout: RowLayout[] = [];
  readonly map: SeatMap;
  readonly statuses: Uint8Array;
  readonly categories: Uint8Array;
  readonly picker: SeatPicker;

  constructor(...lines: readonly string[]) {
    const statuses: number[] = [];
    const categories: number[] = [];
    const width = Math.max(...lines.map((line) => line.length));
    let zone = 0;
    for (const [y, line] of lines.entries()) {
      if (/^-+$/.test(line)) zone += 1;
      if (!/[a-z]/i.test(line)) continue;
      const indent = (width - line.length) / 2;
      const runs: SeatSpot[][] = [[]];
      for (const [column, letter] of [...line].entries()) {
        if (letter === "|") runs.push([]);
        if (letter === "|" || letter === " ") continue;
        const x = 2 * (indent + column);
        runs.at(-1)?.push({
          seat: statuses.length,
          distance: Math.abs(x - (width - 1)) + 3 * y,
          x,
          y: 2 * y,
          accessible: /w/i.test(letter),
          companion: /^c$/i.test(letter),
        });
        statuses.push(letter === "b" ? BLOCKED : /[sWC]/.test(letter) ? SOLD : FREE);
        categories.push(letter === "F" ? 1 : /[Gwc]/i.test(letter) ? 2 : 0);
      }
      const neighbour = /[a-z]/i.test(lines[y + 1] ?? "");
      this.layout.push({ zone, neighbour, runs: runs.filter((run) => run.length > 0) });
    }
    this.statuses = Uint8Array.from(statuses);
    this.categories = Uint8Array.from(categories);
    this.map = decodeSeatMap(encodeSeatMap(this.layout), statuses.length);
    this.picker = new SeatPicker(this.map, this.categories, this.statuses);
  }

  find(query: Partial<SeatQuery>): SeatAnswer {
    return this.picker.find({ ...ANYTHING, ...query });
  }

  /** The seats of each group; "none": there are no such seats. */
  groups(query: Partial<SeatQuery>): (readonly number[])[] | "none" {
    const answer = this.find(query);
    return answer.kind === "none" ? "none" : answer.groups.map((group) => group.seats);
  }

  take(seats: readonly number[], status: number = SOLD): void {
    for (const seat of seats) {
      this.statuses[seat] = status;
      this.picker.touch(seat);
    }
  }
}
