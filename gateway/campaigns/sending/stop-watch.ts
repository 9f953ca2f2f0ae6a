import type { Queries } from "../../tenancy/database.ts";

/**
 * Tells before each mail whether its campaign may still send.
 *
 * Invariant: the answer is that of a statement which began after the question. So once a stop is
 * committed no question is answered with yes any more, and still fifty that ask at once cost two
 * statements at most.
 */
export class StopWatch {
  readonly #rows: Queries;
  readonly #campaignId: string;
  /** Not sent yet: whoever asks meanwhile joins it. */
  #next: Promise<boolean> | null = null;
  #current: Promise<unknown> = Promise.resolve();

  constructor(rows: Queries, campaignId: string) {
    this.#rows = rows;
    this.#campaignId = campaignId;
  }

  maySend(): Promise<boolean> {
    if (this.#next !== null) return this.#next;
    const next = this.#current.then(() => {
      this.#next = null;
      const asked = this.#ask();
      this.#current = asked.catch(() => undefined);
      return asked;
    });
    this.#next = next;
    return next;
  }

  async #ask(): Promise<boolean> {
    const { rowCount } = await this.#rows.query({
      name: "campaign-may-send",
      text: "SELECT FROM campaigns WHERE id = $1 AND state IN ('sending', 'sampling')",
      values: [this.#campaignId],
    });
    return rowCount === 1;
  }
}
