/**
 * What a fault scenario is: something that is done to a real server, and what must hold while and
 * after. Its short form runs in the test suite, its long form by `npm run faults -- --long`.
 */
import { test } from "node:test";

export interface Scenario {
  readonly name: string;
  /** A sentence about behaviour: the name of its test. */
  readonly title: string;
  run(stage: Stage): Promise<void>;
}

/** This machine lacks what the scenario needs. */
export class Skipped extends Error {
  readonly code = "skipped";
}

/** Collects what a run did, what it checked, and what it measured. */
export class Stage {
  readonly isLong: boolean;
  readonly done: string[] = [];
  readonly checked: string[] = [];
  readonly figures: string[] = [];
  readonly #witnesses: (() => string)[] = [];
  #cleanUps: (() => Promise<void> | void)[] = [];

  constructor(isLong: boolean) {
    this.isLong = isLong;
  }

  did(what: string): void {
    this.done.push(what);
  }

  /** Called after the check held. */
  holds(what: string): void {
    this.checked.push(what);
  }

  figure(name: string, value: string | number): void {
    this.figures.push(`${name} ${value}`);
  }

  /** Runs at the end, however that comes; the last one first. */
  after(cleanUp: () => Promise<void> | void): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Said when the scenario fails. */
  witness(testimony: () => string): void {
    this.#witnesses.push(testimony);
  }

  async play(scenario: Scenario): Promise<void> {
    try {
      await scenario.run(this);
    } catch (error) {
      for (const testimony of this.#witnesses) console.error(testimony());
      throw error;
    } finally {
      for (const cleanUp of this.#cleanUps.reverse()) await cleanUp();
    }
  }
}

/** The short form, as a test. */
export function testShortForm(scenario: Scenario): void {
  test(scenario.title, async (t) => {
    const stage = new Stage(false);
    try {
      await stage.play(scenario);
    } catch (error) {
      if (error instanceof Skipped) return t.skip(error.message);
      throw error;
    }
    t.diagnostic(`${scenario.name}: ${stage.figures.join(", ")}`);
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
