/**
 * Random runs over every command, built again: from their facts, and from their snapshot. Whatever
 * an actor is built from, it is the same and goes on in the same way. SEED runs one of them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Packr } from "msgpackr";
import { apply } from "../../engine/apply.ts";
import { isCancelled } from "../../engine/by-itself.ts";
import type { Command } from "../../engine/commands.ts";
import { decide } from "../../engine/decide.ts";
import { EventState } from "../../engine/event-state.ts";
import { decodeFact, encodeFact } from "../../engine/fact-codec.ts";
import type { Fact } from "../../engine/facts.ts";
import { restore, snapshotOf } from "../../engine/snapshot.ts";
import { driftBetween, snapshotHash } from "../../engine/snapshot-comparison.ts";
import { EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { anyOperation, Known, laterThan, RULES, sceneOf } from "./any-operation.ts";
import { JudgedBench } from "./judged-bench.ts";

const STEPS = 250;
const packr = new Packr({ useRecords: false });

function throughBytes(fact: Fact): Fact {
  return decodeFact(packr.unpack(packr.pack(encodeFact(fact))));
}

/** What a state is, with what no snapshot shows. */
function insideOf(state: EventState): unknown[] {
  const counts = [...state.placesByUser].sort(byName);
  const uses = [...state.promoUses.all()].map((use) => Object.values(use).join(" ")).sort();
  const statuses = Array.from(state.inventory?.statuses ?? []);
  const areas = state.definition?.areas.map((_, index) => state.inventory?.area(index));
  return [snapshotOf(state), counts, uses, statuses, areas];
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1;

function runOf(seed: number, judge: (judged: JudgedBench, random: Random, known: Known) => void) {
  const random = new Random(seed);
  const judged = new JudgedBench(new EventBench(RULES));
  const known = new Known();
  for (let step = 0; step < STEPS; step += 1) {
    const { bench } = judged;
    bench.nowMs = laterThan(random, sceneOf(judged));
    if (isCancelled(bench.state) && random.below(3) === 0) bench.windUp(1 + random.below(6));
    judge(judged, random, known);
  }
  return judged.bench;
}

function isCommand(operation: Operation): operation is Command {
  return !/^(?:get|watch|unwatch|inspect|audit)/.test(operation.kind);
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: 25 }, (_, n) => n + 1) : [Number(chosen)];
for (const seed of seeds) {
  test(`what was written, read again and applied is the state that wrote it (SEED=${seed})`, () => {
    const bench = runOf(seed, (judged, random, known) => {
      const operation = anyOperation(random, sceneOf(judged), known);
      known.remember(operation, judged.run(operation).answer);
    });
    const replayed = new EventState();
    for (const fact of bench.facts) {
      const read = throughBytes(fact);
      assert.deepEqual(read, fact);
      apply(replayed, read);
    }
    assert.deepEqual(insideOf(replayed), insideOf(bench.state));
    const [a, b] = [snapshotOf(replayed), snapshotOf(bench.state)];
    assert.deepEqual(driftBetween(a, b), []);
    assert.equal(snapshotHash(a), snapshotHash(b));
  });

  test(`deciding changes nothing, and a restored actor decides the same (SEED=${seed})`, () => {
    runOf(seed, (judged, random, known) => {
      const { bench } = judged;
      bench.expire();
      judged.judgeFacts();
      const operation = anyOperation(random, sceneOf(judged), known);
      if (isCommand(operation)) {
        const before = JSON.stringify(insideOf(bench.state));
        const restored = restore(snapshotOf(bench.state));
        assert.deepEqual(driftBetween(snapshotOf(restored), snapshotOf(bench.state)), []);
        const command = operation;
        const decided = decide(bench.state, command, bench.nowMs);
        assert.deepEqual(decide(restored, command, bench.nowMs), decided);
        assert.equal(JSON.stringify(insideOf(bench.state)), before, operation.kind);
      }
      known.remember(operation, judged.run(operation).answer);
    });
  });
}
