import { BATCH_SIZES, Histogram, WRITE_SECONDS } from "../histogram.ts";
import type { ProjectorReport } from "./projector-messages.ts";

type Figures = Pick<
  ProjectorReport,
  | ("factsTotal" | "batchesTotal" | "lastBatchFacts" | "lastBatchMs")
  | ("failuresTotal" | "transactionSeconds" | "factsOfTransactions")
>;

/** Counts the projector's transactions. */
export class ProjectionMeter {
  #factsTotal = 0;
  #batchesTotal = 0;
  #lastBatchFacts = 0;
  #lastBatchMs = 0;
  #failuresTotal = 0;
  readonly #seconds = new Histogram(WRITE_SECONDS);
  readonly #facts = new Histogram(BATCH_SIZES);

  applied(facts: number, tookMs: number): void {
    this.#factsTotal += facts;
    this.#batchesTotal += 1;
    this.#lastBatchFacts = facts;
    this.#lastBatchMs = tookMs;
    this.#seconds.observe(tookMs / 1_000);
    this.#facts.observe(facts);
  }

  failed(): void {
    this.#failuresTotal += 1;
  }

  figures(): Figures {
    return {
      factsTotal: this.#factsTotal,
      batchesTotal: this.#batchesTotal,
      lastBatchFacts: this.#lastBatchFacts,
      lastBatchMs: this.#lastBatchMs,
      failuresTotal: this.#failuresTotal,
      transactionSeconds: this.#seconds.snapshot(),
      factsOfTransactions: this.#facts.snapshot(),
    };
  }
}
