/** Of an event, as a snapshot shows it, and as the availability with its seats does. */
export interface ShownState {
  readonly epoch: number;
  readonly seq: number;
  /** One character a seat, in index order. */
  readonly statuses: string;
  /** With more members than the key: counts. */
  readonly areas: readonly ShownArea[];
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
}

type ShownArea = { readonly key: string } & Readonly<Record<string, string | number>>;

/** What a subscriber has who knows nothing but its messages. */
export interface FoldedState {
  /** null: it never had a snapshot. */
  readonly shown: ShownState | null;
  /** The first message that could not be applied, as a sentence; "": all could. */
  readonly fault: string;
}

interface Delta extends Pick<ShownState, "epoch" | "areas" | "free" | "held" | "sold" | "blocked"> {
  readonly op: "delta";
  readonly to: number;
  readonly seats: readonly (readonly [index: number, status: string])[];
}

type Heard = Delta | ({ readonly op: "snapshot" } & ShownState);

/**
 * The deltas of one subscriber, applied one after the other to its first snapshot. Whether they
 * follow each other is not looked at here (delta-watch.ts).
 */
export class StateFold {
  #shown: ShownState | null = null;
  #statuses: Buffer = Buffer.alloc(0);
  readonly #areas = new Map<string, ShownArea>();
  #fault = "";

  hear(text: string): void {
    try {
      const message = JSON.parse(text) as Heard;
      if (message.op === "delta") this.#apply(message);
      else if (message.op === "snapshot" && this.#shown === null) this.#begin(message);
    } catch (error) {
      this.#object(`${error instanceof Error ? error.message : String(error)}: ${text}`);
    }
  }

  state(): FoldedState {
    const statuses = this.#statuses.toString("latin1");
    const shown = this.#shown && { ...this.#shown, statuses, areas: [...this.#areas.values()] };
    return { shown, fault: this.#fault };
  }

  #begin({ epoch, seq, statuses, areas, free, held, sold, blocked }: ShownState): void {
    this.#statuses = Buffer.from(statuses, "latin1");
    for (const area of areas) this.#areas.set(area.key, area);
    this.#shown = { epoch, seq, statuses: "", areas: [], free, held, sold, blocked };
  }

  #apply({ epoch, to, seats, areas, free, held, sold, blocked }: Delta): void {
    if (this.#shown === null) return this.#object("a delta before the snapshot");
    for (const [index, status] of seats) {
      if (!(index in this.#statuses)) this.#object(`a delta to ${to} has a seat ${index}`);
      this.#statuses.write(status, index, 1, "latin1");
    }
    for (const area of areas) this.#areas.set(area.key, area);
    this.#shown = { ...this.#shown, epoch, seq: to, free, held, sold, blocked };
  }

  #object(sentence: string): void {
    if (this.#fault === "") this.#fault = sentence.slice(0, 200);
  }
}

/** Which of so many subscribers are looked at closely: evenly spread over all of them. */
export const sampleOf = (subscribers: number, sampled: number): number[] =>
  Array.from({ length: sampled }, (_, n) => Math.floor((n * subscribers) / sampled));
