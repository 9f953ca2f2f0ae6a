/** Slots that a table begins with. */
const SLOTS_MIN = 256;
/** Ids begin again behind it: small integers, for whoever carries them. */
const ID_MAX = 2 ** 30 - 1;

/**
 * Requests that wait for their answers, by ids that are given out here.
 *
 * A Map would do, were it not for the collector. Every few hundred requests a Map moves into a new
 * table; the old one knows the new one and all that was under way. Once one of them has grown old,
 * each keeps the next until the whole heap is collected: 3 KB of garbage for each sale.
 *
 * Invariants:
 * - A request lies in the slot that the low bits of its id name; nobody else does.
 * - At least half of the slots are free. So a free one is near, and nothing that ended is kept.
 */
export class RequestTable<Request extends object> {
  #ids = new Int32Array(SLOTS_MIN);
  #requests: (Request | null)[] = new Array<Request | null>(SLOTS_MIN).fill(null);
  #lastId: number;
  #size = 0;

  /** The first id is the one behind `lastId`. */
  constructor(lastId = 0) {
    this.#lastId = lastId;
  }

  get size(): number {
    return this.#size;
  }

  /** Its id: 1 to 2³⁰ − 1, of no other request in here, and of none for a long time before. */
  add(request: Request): number {
    if (2 * (this.#size + 1) > this.#ids.length) this.#grow();
    const mask = this.#ids.length - 1;
    let id = this.#lastId;
    do id = id === ID_MAX ? 1 : id + 1;
    while (this.#ids[id & mask] !== 0);
    this.#lastId = id;
    this.#ids[id & mask] = id;
    this.#requests[id & mask] = request;
    this.#size += 1;
    return id;
  }

  /** null: it is not in here, or not any more. */
  find(id: number): Request | null {
    const slot = id & (this.#ids.length - 1);
    return this.#ids[slot] === id ? (this.#requests[slot] ?? null) : null;
  }

  /** Takes a request out; null: it is not in here, or not any more. */
  take(id: number): Request | null {
    const request = this.find(id);
    if (request === null) return null;
    const slot = id & (this.#ids.length - 1);
    this.#ids[slot] = 0;
    this.#requests[slot] = null;
    this.#size -= 1;
    return request;
  }

  /** In no order. `look` may take out what it is shown, and add others, which it may be shown. */
  forEach(look: (request: Request, id: number) => void): void {
    // Where `look` makes the table grow, these are left as they are.
    const [ids, requests] = [this.#ids, this.#requests];
    for (const [slot, request] of requests.entries()) {
      const id = ids[slot];
      if (request !== null && id !== undefined) look(request, id);
    }
  }

  /** Ids that differ in their low bits differ in more of them as well. */
  #grow(): void {
    const ids = new Int32Array(2 * this.#ids.length);
    const requests = new Array<Request | null>(ids.length).fill(null);
    this.forEach((request, id) => {
      ids[id & (ids.length - 1)] = id;
      requests[id & (ids.length - 1)] = request;
    });
    this.#ids = ids;
    this.#requests = requests;
  }
}
