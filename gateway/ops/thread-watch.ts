import { THREAD_ASKED_EVERY_MS, THREAD_SILENCE_LOOKS_MAX } from "../../engine/telemetry-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { ShardWorkerVitals } from "../../workers/shard/host-meter.ts";
import type { JournalVitals, ProjectorVitals, VitalsQuestions } from "../../workers/supervisor.ts";

/** What the engine's threads said last; null: nothing yet. */
export interface EngineVitals {
  readonly shards: readonly (ShardWorkerVitals | null)[];
  readonly journal: JournalVitals | null;
  readonly projector: ProjectorVitals | null;
}

interface Asked<Vitals> {
  readonly name: string;
  readonly ask: () => Promise<Vitals>;
  last: Vitals | null;
  /** Looks since it was asked what it has not answered. */
  looks: number;
  isAsked: boolean;
}

/**
 * Asks each of the engine's threads every THREAD_ASKED_EVERY_MS how it does, and remembers what
 * was said last. One that does not answer is not asked again, and costs nobody a wait.
 *
 * Silence is counted in looks of this thread's own timer, not in time: a process that stood still
 * as a whole (a suspended machine) finds all of its threads alive when it goes on.
 */
export class ThreadWatch {
  readonly #shards: readonly Asked<ShardWorkerVitals>[];
  readonly #journal: Asked<JournalVitals>;
  readonly #projector: Asked<ProjectorVitals>;
  readonly #cancel: () => void;

  constructor(questions: VitalsQuestions, clock: Clock) {
    this.#shards = questions.shards.map((ask, worker) => asked(`shards-${worker}`, ask));
    this.#journal = asked("journal", questions.journal);
    this.#projector = asked("projector", questions.projector);
    this.#look();
    this.#cancel = clock.every(THREAD_ASKED_EVERY_MS, () => this.#look());
  }

  get vitals(): EngineVitals {
    return {
      shards: this.#shards.map(({ last }) => last),
      journal: this.#journal.last,
      projector: this.#projector.last,
    };
  }

  /** A sentence for each thread that has not answered for long; empty: all are alive. */
  silent(): string[] {
    const seconds = (THREAD_SILENCE_LOOKS_MAX * THREAD_ASKED_EVERY_MS) / 1_000;
    return this.#all()
      .filter(({ looks }) => looks > THREAD_SILENCE_LOOKS_MAX)
      .map(({ name }) => `the ${name} thread has not answered for more than ${seconds} s`);
  }

  stop(): void {
    this.#cancel();
  }

  #all(): readonly Asked<unknown>[] {
    return [...this.#shards, this.#journal, this.#projector];
  }

  #look(): void {
    for (const thread of this.#shards) look(thread);
    look(this.#journal);
    look(this.#projector);
  }
}

function asked<Vitals>(name: string, ask: () => Promise<Vitals>): Asked<Vitals> {
  return { name, ask, last: null, looks: 0, isAsked: false };
}

function look<Vitals>(thread: Asked<Vitals>): void {
  if (thread.isAsked) {
    thread.looks += 1;
    return;
  }
  thread.isAsked = true;
  thread.looks = 0;
  // A thread that can't answer ends the process; until then it is silent.
  void thread.ask().then((vitals) => {
    thread.last = vitals;
    thread.isAsked = false;
    thread.looks = 0;
  });
}
