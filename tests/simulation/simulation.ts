/**
 * One run of the whole engine from one seed: buyers ask, faults strike, the oracle watches. Then
 * the weather clears, and everything that was asked must be answered, everything decided stored,
 * every hold ended; a stop and a last start must find it all again.
 */
import { HOLD_LIFETIME_TTLS_MAX } from "../../engine/limits.ts";
import { Violation } from "./oracle.ts";
import { type Plan, type PlanLimits, planOf } from "./plan.ts";
import { settled } from "./scheduler.ts";
import { ProcessEnded } from "./virtual-process.ts";
import { World } from "./world.ts";

/** Faults strike for so long at most, ms of virtual time. */
const FAULTY_MS_MAX = 120_000;
/** So long the last life has for its start while faults strike. */
const STORM_MS = 4_000;
/** Once they are over, what must happen must have happened after so long. */
const CALM_MS_MAX = 600_000;
/** Operations once the faults are over, of which each is served at once. */
const CALM_OPERATIONS = 24;
/** What is on its way when a run is quiet arrives within this. */
const QUIET_MS = 5_000;

export interface RunReport {
  readonly seed: number;
  readonly plan: Plan;
  readonly operations: number;
  readonly facts: number;
  readonly answers: number;
  readonly commits: number;
  readonly lives: number;
  readonly steps: number;
  /** Virtual time that passed. */
  readonly virtualMs: number;
  /** What was wrong; null: nothing. */
  readonly violation: string | null;
}

/** Never rejects: whatever goes wrong is the violation of the report. */
export async function simulate(seed: number, limits: PlanLimits = {}): Promise<RunReport> {
  const plan = planOf(seed, limits);
  const world = new World(seed, plan);
  const beganMs = world.scheduler.nowMs;
  const uncaught = (error: unknown): void => {
    if (!(error instanceof ProcessEnded)) world.failed(error);
  };
  process.on("unhandledRejection", uncaught);
  try {
    await tell(world);
  } catch (error) {
    world.failed(error);
  } finally {
    process.off("unhandledRejection", uncaught);
  }
  const { oracle, buyers, scheduler, failure, lives } = world;
  return {
    seed,
    plan,
    operations: buyers.begun,
    facts: oracle.factsSeen,
    answers: oracle.answersChecked,
    commits: oracle.commitsChecked,
    lives,
    steps: scheduler.steps,
    virtualMs: Math.round(scheduler.nowMs - beganMs),
    violation: failure === null ? null : sentenceOf(failure),
  };
}

async function tell(world: World): Promise<void> {
  const { plan, buyers, provider, scheduler, oracle } = world;
  await until(world, () => buyers.begun >= plan.operations, scheduler.nowMs + FAULTY_MS_MAX);
  if (plan.endsInStorm && plan.faults.size > 0) {
    world.killNode();
    await until(world, () => false, scheduler.nowMs + STORM_MS);
  }
  world.weather.clear();
  world.disturbed(0);
  // What events still have to do, no payment reminds them of.
  if (plan.endsInStorm) provider.pause();
  await eventually(world, "every buyer has an answer", () => buyers.isDone);
  await eventually(world, "the node is calm", () => world.isCalm);
  buyers.goOn(CALM_OPERATIONS);
  await eventually(world, "every buyer has an answer again", () => buyers.isDone);
  if (plan.endsCancelled) {
    buyers.cancelEvents();
    await eventually(world, "every event is cancelled", () => buyers.isDone);
  }
  // Nobody asks any more: holds of before this restart end because the node minds them.
  world.killNode();
  await eventually(world, "it starts once more", () => world.isServing);
  const lifetimeMs = 2 * plan.holdTtlMs * HOLD_LIFETIME_TTLS_MAX;
  await until(world, () => false, scheduler.nowMs + lifetimeMs + QUIET_MS);
  const isAtRest = (): boolean => oracle.isAtRest(world.wallMs);
  await eventually(world, "every hold has ended, and all is given back", isAtRest);
  provider.goOn();
  const isPaid = (): boolean => provider.isSilent && buyers.isDone && !oracle.hasRefundsDue;
  await eventually(world, "every payment and refund is decided", isPaid);
  await eventually(world, "every hold has ended again", isAtRest);
  await eventually(world, "everything is stored", () => oracle.isStored);
  await eventually(world, "every request has its answer", () => world.isQuiet);
  await eventually(world, "the journal keeps no more than it needs", () => world.isJournalShort);
  oracle.finished();
  world.stopNode();
  await eventually(world, "the node stops", () => !world.isServing);
  await eventually(world, "it starts again", () => world.isServing);
  oracle.finished();
}

async function eventually(world: World, what: string, isSo: () => boolean): Promise<void> {
  if (await until(world, isSo, world.scheduler.nowMs + CALM_MS_MAX)) return;
  throw new Violation(`without faults, it takes more than ${CALM_MS_MAX} ms until ${what}`);
}

/** Goes on until it is so; false: it is not at `endMs`. Throws what the world found wrong. */
async function until(world: World, isSo: () => boolean, endMs: number): Promise<boolean> {
  while (!isSo()) {
    if (!step(world, endMs)) return isSo();
    await settled();
    if (world.failure !== null) throw world.failure;
  }
  return true;
}

function step(world: World, endMs: number): boolean {
  try {
    return world.scheduler.step(endMs);
  } catch (error) {
    // The end of a process cuts through whatever it was doing.
    if (error instanceof ProcessEnded) return true;
    throw error;
  }
}

function sentenceOf(failure: unknown): string {
  if (failure instanceof Violation) return failure.message;
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
