/** Lets so many through at a time for each of several names, or not at all. */
export class Turnstile {
  readonly #inside = new Map<string, number>();

  /** False: there is no room for one of the names, and nobody went in. */
  enter(bounds: Readonly<Record<string, number>>): boolean {
    const names = Object.entries(bounds);
    if (names.some(([name, max]) => (this.#inside.get(name) ?? 0) >= max)) return false;
    for (const [name] of names) this.#inside.set(name, (this.#inside.get(name) ?? 0) + 1);
    return true;
  }

  leave(bounds: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(bounds)) {
      const left = (this.#inside.get(name) ?? 1) - 1;
      if (left > 0) this.#inside.set(name, left);
      else this.#inside.delete(name);
    }
  }
}
