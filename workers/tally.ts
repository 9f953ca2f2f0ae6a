/** Numbers by name. The names are the program's own words, never what came from outside. */
export type Counts = readonly (readonly [name: string, count: number])[];

export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  counts(): Counts {
    return [...this.#counts];
  }
}
