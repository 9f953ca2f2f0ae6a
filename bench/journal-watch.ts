import type { BenchApi } from "./bench-api.ts";
import type { Figure, JournalFigures } from "./report/report.ts";

const LOOK_MS = 500;

interface Looked {
  readonly fsyncs: number;
  readonly facts: number;
  readonly bytes: number;
}

/**
 * What the server's journal and projector did while it was looked at, by its operations pages.
 * They are asked twice a second, which costs the server next to nothing.
 */
export class JournalWatch {
  readonly #api: BenchApi;
  readonly #start: Looked | null;
  readonly #timer: NodeJS.Timeout;
  #lagFactsMax = 0;
  #lagMsMax = 0;
  #looking: Promise<void> | null = null;

  private constructor(api: BenchApi, start: Looked | null) {
    this.#api = api;
    this.#start = start;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look();
    }, LOOK_MS);
  }

  static async start(api: BenchApi): Promise<JournalWatch> {
    return new JournalWatch(api, await looked(api));
  }

  /** Ends it; null: the pages are not for us, or there is no such journal. */
  async stop(): Promise<{ journal: JournalFigures; lag: Figure } | null> {
    clearInterval(this.#timer);
    await this.#looking;
    const [start, end] = [this.#start, await looked(this.#api)];
    if (start === null || end === null) return null;
    const fsyncs = end.fsyncs - start.fsyncs;
    const facts = end.facts - start.facts;
    const journal = {
      fsyncs,
      facts,
      factsPerFsync: fsyncs === 0 ? 0 : facts / fsyncs,
      bytes: end.bytes - start.bytes,
      projectionLagFactsMax: this.#lagFactsMax,
    };
    return { journal, lag: { name: "projection lag, longest", value: this.#lagMsMax, unit: "ms" } };
  }

  async #look(): Promise<void> {
    try {
      const [lagFacts, { projector }] = await Promise.all([
        this.#api.projectionLag(),
        this.#api.journal(),
      ]);
      this.#lagFactsMax = Math.max(this.#lagFactsMax, lagFacts);
      this.#lagMsMax = Math.max(this.#lagMsMax, projector.lagMs);
    } catch {
      // A look that is not answered (a server under overload, a foreign one) shows nothing.
      return;
    } finally {
      this.#looking = null;
    }
  }
}

async function looked(api: BenchApi): Promise<Looked | null> {
  try {
    const { fsyncs, entries, bytesWritten } = await api.journal();
    const isFile = typeof fsyncs === "number";
    return isFile ? { fsyncs, facts: entries, bytes: bytesWritten } : null;
  } catch {
    return null;
  }
}
