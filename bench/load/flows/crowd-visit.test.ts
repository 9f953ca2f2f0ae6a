import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { LOST } from "../autocannon-connection.ts";
import type { Step } from "../flow.ts";
import { CrowdVisit, type Thinker } from "./crowd-visit.ts";
import { sentBy } from "./testing/flow-answers.ts";

/** Says what it is called and how often it has sent, and pauses for so long after each answer. */
class Person implements Thinker {
  readonly #name: string;
  readonly #pauseMs: number;
  #sent = 0;
  #isThinking = false;
  heard = 0;
  hasLeft = false;

  constructor(name: string, pauseMs: number) {
    this.#name = name;
    this.#pauseMs = pauseMs;
  }

  next(): Step {
    if (this.#sent === 2) return { kind: "end" };
    this.#sent += 1;
    return { kind: "send", stream: 0, text: `${this.#name}${this.#sent}` };
  }

  takePause(): number {
    const ms = this.#isThinking ? this.#pauseMs : 0;
    this.#isThinking = false;
    return ms;
  }

  answered(): void {
    this.heard += 1;
    this.#isThinking = this.#sent === 1;
  }

  left(): void {
    this.hasLeft = true;
  }
}

test("while somebody thinks another one comes, and who has thought goes on first", async () => {
  const people: Person[] = [];
  const crowd = new CrowdVisit(() => {
    const person = new Person("abcdef".charAt(people.length), 20);
    people.push(person);
    return person;
  });
  const sent: string[] = [];
  const go = (): void => {
    sent.push(sentBy(crowd));
    crowd.answered(LOST);
  };
  go();
  go();
  await delay(40);
  go();
  go();
  go();
  assert.deepEqual(sent, ["a1", "b1", "a2", "b2", "c1"]);
  assert.deepEqual(
    people.map(({ heard }) => heard),
    [2, 2, 1],
  );
  crowd.left();
  assert.deepEqual(
    people.map(({ hasLeft }) => hasLeft),
    [false, false, true],
  );
});

test("when nobody comes any more it waits for those who think, and then it ends", async () => {
  const nobody: Thinker = {
    takePause: () => 0,
    next: () => ({ kind: "end" }),
    answered: () => undefined,
    left: () => undefined,
  };
  let isOpen = true;
  const crowd = new CrowdVisit(() => (isOpen ? new Person("a", 20) : nobody));
  sentBy(crowd);
  crowd.answered(LOST);
  isOpen = false;
  const step = crowd.next();
  assert.ok(step.kind === "pause" && step.ms > 0 && step.ms <= 20);
  await delay(40);
  assert.equal(sentBy(crowd), "a2");
  crowd.answered(LOST);
  assert.equal(crowd.next().kind, "end");
});

test("who finds nothing to ask for at the door is not waited for", () => {
  const full: Thinker = {
    takePause: () => 0,
    next: () => ({ kind: "pause", ms: 50 }),
    answered: () => undefined,
    left: () => assert.fail("they never came in"),
  };
  const crowd = new CrowdVisit(() => full);
  assert.deepEqual(crowd.next(), { kind: "pause", ms: 50 });
  crowd.left();
});
