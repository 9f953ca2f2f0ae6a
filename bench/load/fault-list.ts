const SHOWN_MAX = 10;

/** What a server should never have said: the first few, and how many there were. */
export class FaultList {
  readonly #first: string[] = [];
  #count = 0;

  add(fault: string): void {
    this.#count += 1;
    if (this.#first.length < SHOWN_MAX) this.#first.push(fault);
  }

  get shown(): readonly string[] {
    const more = this.#count - this.#first.length;
    return more === 0 ? this.#first : [...this.#first, `and ${more} more`];
  }
}
